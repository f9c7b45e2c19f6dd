import type { Comparison, GenerateOptions, GenerateResult, StreamedToken, Tandem } from '../api';
import type { Input } from './inputs';
import type { Colours } from './paint';

/** What a printer is told before anything is decoded. */
export interface Setting {
  readonly tandem: Tandem;
  readonly options: GenerateOptions;
  readonly colours: Colours;
  /** Whether this is the example that the command shows by itself. */
  readonly showcase: boolean;
}

/** Shows results as they come. */
export interface Printer {
  begin(input: Input): void;
  token(token: StreamedToken): void;
  end(result: GenerateResult, comparison: Comparison | null): void;
  /** The input just begun failed. */
  broken(): void;
  /** All inputs are through; `seconds` that it took, where runs went on side by side. */
  close(seconds?: number): void;
}
