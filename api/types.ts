import type {
  BeamMetrics,
  BeamSettings,
  FinishedBeam,
  Metrics,
  NewToken,
  Settings,
  StopReason,
  TraceRecorder,
} from '../decoding';
import type { LoadProgress } from '../engine';
import type { BackendName, Dtype } from '../kernels';
import type { FromPretrainedOptions } from '../weights';

/** What to load, and what to run it on. */
export interface LoadOptions {
  /** Checkpoint directory or Hugging Face hub id of the model whose distribution comes out. Default: the bundled pair's. */
  readonly target?: string;
  /**
   * What proposes: a checkpoint directory or hub id; `layers:N` (the target's own first layers); `copy` (from the source); `ngram`
   * (learned from the output) or `ngram:FILE`; `random`; several with commas between, tried in turn. `model:NAME` is a checkpoint
   * whatever its name. Null, or left out beside a named `target`: autoregressive decoding.
   */
  readonly draft?: string | null;
  /** Default `auto`: the fastest backend that works here. */
  readonly backend?: BackendName | 'auto';
  /** Threads to compute with; default: what the machine has. */
  readonly threads?: number;
  /** Feature level to stay at, e.g. `simd`; default: the best that works. */
  readonly level?: string;
  /** Type to keep weights in; default: the one they are stored in. */
  readonly type?: Dtype;
  /** Put before every text; default: the bundled pair's own prefix with the bundled pair, else nothing. */
  readonly prefix?: string;
  /** Revision, cache, access and download progress of what comes from the hub; revision is the target's. */
  readonly hub?: Omit<FromPretrainedOptions, 'signal'>;
  readonly signal?: AbortSignal;
  /** Called as weights are read, for the target (`model` 0) and then the drafts (1 and up). */
  readonly onProgress?: (progress: LoadProgress & { readonly model: number }) => void;
}

/** How to decode: every setting of the sampler, and what ends a run early. */
export interface GenerateOptions extends Settings {
  readonly signal?: AbortSignal;
  /** The text ends before the first of these. */
  readonly stop?: readonly string[];
  /** False leaves the draft out: plain autoregressive decoding. Default true. */
  readonly speculative?: boolean;
  /** Writes every round down as data; one recorder, one run. */
  readonly trace?: TraceRecorder;
}

/** How to decode several inputs at once. Every input gets a stream of random numbers of its own. */
export interface BatchGenerateOptions extends Omit<GenerateOptions, 'trace' | 'sequence'> {
  /** Inputs decoded at once; others wait for one to end. Default 8. */
  readonly concurrency?: number;
}

/** What happened to one input of a batch; `index` is its place among the inputs. */
export type BatchProgress =
  | { readonly kind: 'token'; readonly index: number; readonly token: StreamedToken }
  | { readonly kind: 'done'; readonly index: number; readonly result: GenerateResult }
  | { readonly kind: 'failed'; readonly index: number; readonly error: Error };

/** How to search: beam settings, and how far the draft looks ahead. */
export interface BeamSearchOptions extends BeamSettings {
  /** Levels that the draft searches ahead each round. Default 4. */
  readonly gamma?: number;
  /** False leaves the draft out; the sequences are the same. Default true. */
  readonly speculative?: boolean;
  readonly signal?: AbortSignal;
}

/** Sequences of a beam search, best first. */
export interface TextBeams {
  readonly sequences: readonly (FinishedBeam & { readonly text: string })[];
  readonly metrics: BeamMetrics;
}

/** A token that has become certain. */
export interface StreamedToken extends NewToken {
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
