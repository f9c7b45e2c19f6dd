import type { Comparison, GenerateOptions, Result, Tandem, TokenStreamEvent } from '../../api';
import type { BrokenLine, Input } from './inputs';
import type { Colours } from './paint';

/** What a printer knows before anything is decoded. */
export interface Setting {
  readonly tandem: Tandem;
  readonly options: GenerateOptions;
  readonly colours: Colours;
  /** Whether the examples of the bundled pair are shown, which nobody asked for by a text. */
  readonly showcase: boolean;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** Whether there is more than one line: then the line of a failed input is named. */
  readonly several: boolean;
  /** Whether no report is wanted, except that of a comparison. */
  readonly quiet?: boolean;
}

/** What came of one input. */
export interface Outcome {
  readonly result: Result;
  /** Null where decoding without the draft was not asked for. */
  readonly comparison: Comparison | null;
}

/** Prints inputs in the order of their lines. Calls for one input follow one another without another input between them. */
export interface Printer {
  begin(input: Input): void;
  token(event: TokenStreamEvent): void;
  done(input: Input, outcome: Outcome): void;
  /** The input failed, maybe after some of its tokens. */
  failed(item: Input | BrokenLine, error: unknown): void;
  /** A line that is blank. */
  blank(): void;
  /** Nothing more comes, maybe in the middle of a line: the command was cancelled, or an error ended it. */
  interrupted(): void;
  /** All inputs are finished. `seconds`: the time of all together. */
  close(seconds: number): void;
}
