import type { CostTable } from '../decoding';
import type { GenerationStart } from '../weights';
import type { EmbedOptions } from './embed-options';
import type { Score, ScoreOptions } from './score-options';
import type { DecodeIdsOptions, EncodeInputOptions } from './text-options';
import type {
  CompareOptions,
  Comparison,
  EngineFacts,
  GenerateOptions,
  Input,
  LoadedParts,
  MeasureCostsOptions,
  ModelFacts,
  StreamEvent,
} from './types';

/** What was loaded, as data. */
export interface LoadedFacts {
  readonly target: ModelFacts;
  /** The first model that drafts. */
  readonly draft: ModelFacts | null;
  /** Name of what proposes. */
  readonly drafter: string | null;
  readonly backend: EngineFacts;
  readonly prefix: string;
  readonly hasTokenizer: boolean;
  /** What the target states of generation; null where calls start from nothing. */
  readonly generation: GenerationStart | null;
}

/**
 * What does the work behind `Tandem`: on this thread (`LocalEngine`), or in a worker (`WorkerEngine`). Options have been
 * checked before. A signal is never left out: each call has one of its own.
 */
export interface Engine {
  readonly facts: LoadedFacts;
  /** The parts themselves; null where they are in a worker. */
  readonly parts: LoadedParts | null;
  /** Options of `decode` and `compare` that cannot be sent to this engine. */
  readonly notSendable: readonly (keyof GenerateOptions)[];
  /** Decodes inputs; what one is to blame for comes as its `failed` event. */
  decode(
    inputs: readonly Input[],
    options: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent, void, void>;
  compare(input: Input, options: CompareOptions, signal: AbortSignal): Promise<Comparison>;
  score(source: Input, targets: readonly Input[], options: ScoreOptions, signal: AbortSignal): Promise<Score[]>;
  embed(inputs: readonly Input[], options: EmbedOptions, signal: AbortSignal): Promise<Float32Array[]>;
  measureCosts(input: Input, options: MeasureCostsOptions, signal: AbortSignal): Promise<CostTable>;
  encode(input: Input, options: EncodeInputOptions): Promise<number[]>;
  decodeIds(ids: readonly number[], options: DecodeIdsOptions): Promise<string>;
  dispose(): Promise<void>;
}
