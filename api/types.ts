import type { Metrics, Settings, StopReason, TokenEvent } from '../decoding';
import type { LoadProgress } from '../engine';
import type { BackendName, WeightType } from '../kernels';
import type { FromPretrainedOptions } from '../weights';

/** What to load, and what to run it on. */
export interface LoadOptions {
  /** Checkpoint directory or Hugging Face hub id of the model whose distribution comes out. Default: the bundled pair's. */
  readonly target?: string;
  /** Checkpoint of the model that proposes; null or left out beside a named `target`: autoregressive decoding. */
  readonly draft?: string | null;
  /** Default `auto`: the fastest backend that works here. */
  readonly backend?: BackendName | 'auto';
  /** Threads to compute with; default: what the machine has. */
  readonly threads?: number;
  /** Feature level to stay at, e.g. `simd`; default: the best that works. */
  readonly level?: string;
  /** Type to keep weights in; default: the one they are stored in. */
  readonly type?: WeightType;
  /** Put before every text; default: the bundled pair's own prefix with the bundled pair, else nothing. */
  readonly prefix?: string;
  /** Revision, cache, access and download progress of what comes from the hub; revision is the target's. */
  readonly hub?: Omit<FromPretrainedOptions, 'signal'>;
  readonly signal?: AbortSignal;
  /** Called as weights are read, for the target (`model` 0) and then the draft (1). */
  readonly onProgress?: (progress: LoadProgress & { readonly model: 0 | 1 }) => void;
}

/** How to decode: every setting of the sampler, and what ends a run early. */
export interface GenerateOptions extends Settings {
  readonly signal?: AbortSignal;
  /** The text ends before the first of these. */
  readonly stop?: readonly string[];
  /** False leaves the draft out: plain autoregressive decoding. Default true. */
  readonly speculative?: boolean;
}

/** A token that has become certain. */
export interface StreamedToken extends TokenEvent {
  /** Text that has become certain by it; may be empty, e.g. inside a character of several bytes. */
  readonly text: string;
}

export interface GenerateResult {
  readonly text: string;
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  readonly stopReason: StopReason;
  readonly metrics: Metrics;
}

/** Speculative and autoregressive decoding of one input in one run. */
export interface Comparison {
  /** Its metrics hold c, v and the predicted speed-up, with the autoregressive run as the measure. */
  readonly speculative: GenerateResult;
  readonly autoregressive: GenerateResult;
  /** Whether both gave the same tokens: certain where `temperature` is 0, a matter of luck where it is not. */
  readonly equal: boolean;
  /** Seconds a token autoregressively / seconds a token speculatively. */
  readonly measuredSpeedup: number;
}
