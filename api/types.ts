import type {
  BeamMetrics,
  CostTable,
  Drafter,
  EarlyStopping,
  LogProb,
  Metrics,
  Settings,
  StopReason,
  TokenLogProb,
  TokenOrigin,
  TraceRecorder,
} from '../decoding';
import type { EncodingProgress, T5Model } from '../engine';
import type { Backend, BackendName, Dtype } from '../kernels';
import type { ModelFamily, Tokenizer } from '../weights';
import type { DraftSource } from './drafts/types';
import type { Notice, Progress } from './progress';
import type { DecodeIdsOptions, EncodeInputOptions } from './text-options';

/** What to load beside the target, and what to run it on. */
export interface LoadOptions {
  /**
   * What proposes tokens. A list is tried in turn: in each round the first that has a proposal makes it. Null: nothing proposes,
   * decoding is autoregressive. Default: the bundled pair's draft with the bundled target. With another target that is kept in float32
   * on the wasm backend it is `self:q8:copy`; else null.
   */
  readonly draft?: DraftSource | readonly DraftSource[] | null;
  /**
   * Type of weights in memory: `f32`, `bf16`, `q8` (int8, a scale a block), or `q4` (4 bits, for drafts, not on `gpu`). Default: as stored,
   * where a float32 matrix of the decoder whose every value fits in bf16 takes two bytes a value, with the same bits of every result.
   */
  readonly dtype?: Dtype;
  /** What computes: `auto` (the default) takes the fastest that works here. */
  readonly backend?: BackendName | 'auto';
  /** Threads that compute, 1 to 64. Default: the cores that are free now, at most 8; `backend.reason` says why. Results are always the same. */
  readonly threads?: number;
  /** Feature level of the backend to stay at, such as `simd`. Default: the best that works. */
  readonly level?: string;
  /**
   * Whether V8 may compute with vectors of 256 bits, with the same results, on Node 24 or later and a processor with AVX2. True
   * turns it on or refuses; `auto` turns it on where it works. It is a switch of the whole process (V8's
   * `--experimental-wasm-revectorize`), and a probe in a process of its own has to find equal bits first. Default: false, which
   * leaves the process as it is; the command has `auto`. The environment variable TANDEM_WIDE=0 forbids it.
   */
  readonly wide?: boolean | 'auto';
  /** Text put before every input. Default: the bundled pair's own with the bundled target, else none. */
  readonly prefix?: string;
  /** Branch, tag or commit of the target on the hub. Default `main`. */
  readonly revision?: string;
  /** Directory of downloaded models. Default: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. */
  readonly cacheDir?: string;
  /** Access token of the hub; null sends none. Default: HF_TOKEN, else the token file. */
  readonly token?: string | null;
  /** Address of the hub. Default: HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Take models on the hub from the cache alone. Default: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Longest silence of a connection to the hub, in milliseconds. Default: HF_HUB_DOWNLOAD_TIMEOUT (in seconds), else 30,000. */
  readonly timeoutMs?: number;
  /** Address of a directory with the bundled pair and its `pair.json`, for pages. Node finds the pair in the package. */
  readonly bundledUrl?: string | URL;
  /**
   * Whether generation starts from what the target states in generation_config.json (or, in old checkpoints, in config.json), as
   * in Hugging Face's `generate`. What a call says wins. False starts from nothing, at the start token of config.json. Default true.
   */
  readonly generationConfig?: boolean;
  /** All calls that are under way share one batch of at most so many sequences; see docs/serving.md. Default: none do. */
  readonly continuousBatching?: number;
  /** Run the engine in a worker of its own, so that this thread's event loop stays free. Default false. */
  readonly worker?: boolean;
  /** Cancels loading. */
  readonly signal?: AbortSignal;
  /** Called while files are downloaded and while weights are read. */
  readonly onProgress?: (progress: Progress) => void;
  /** Hears of retries, of a cache that stands in for the hub, and, once, of a source longer than the model was made for. */
  readonly onNotice?: (notice: Notice) => void;
}

/** Source ids of which some are hidden, as missing values of a series are: the others do not see them and keep their distances. */
export interface MaskedInput {
  /** Ids with their closing EOS. What stands in hidden places does not matter. */
  readonly ids: readonly number[] | Int32Array | Uint32Array;
  /** One number an id: 1 keeps it, 0 hides it, as in Hugging Face's `attention_mask`. */
  readonly mask: readonly number[] | Int32Array | Uint8Array;
}

/** One input: text, or source ids with their closing EOS, all of them or with a mask. */
export type Input = string | readonly number[] | Int32Array | Uint32Array | MaskedInput;

/**
 * How to decode. The settings of sampling are `Settings`; with `numBeams` of 2 and more it is beam search, which has settings of
 * its own and takes no settings of sampling.
 */
export interface GenerateOptions extends Settings, EncodeInputOptions, DecodeIdsOptions {
  /** Hypotheses of a beam search. 1 decodes without a search. Default 1. */
  readonly numBeams?: number;
  /**
   * Sequences of each input. With `temperature` above 0 they are samples, each with random numbers of its own, for one encode of
   * the input and one call of the target a round; with beams the best ones, at most `numBeams`. Default 1.
   */
  readonly numReturnSequences?: number;
  /** Beam search: a score is Σ log-probability / length ** lengthPenalty. Default 1. */
  readonly lengthPenalty?: number;
  /** Beam search: when it ends, as in Hugging Face's `generate`. Default false. */
  readonly earlyStopping?: EarlyStopping;
  /** The text ends before the first of these strings, none of them empty. Special tokens that it leaves out are found too. */
  readonly stop?: readonly string[];
  /** False leaves the draft out. Default true. */
  readonly speculative?: boolean;
  /**
   * Sequences decoded at once when there are several; others wait for one to end. Default 8, or `numReturnSequences` where that is
   * more; in a common batch (`continuousBatching`) all that fit. Samples of one input that are decoded at once share its encoding.
   */
  readonly concurrency?: number;
  /**
   * Cuts a longer source to so many ids; its closing EOS stays. True: to the length that the model's files say that it was made
   * for. Default false: a longer source is decoded whole, and `onNotice` is told once.
   */
  readonly truncate?: boolean | number;
  /** Cancels this call. */
  readonly signal?: AbortSignal;
  /** Called while sources are encoded, which takes long where one is long. `done` of `total` is the share that has been computed. */
  readonly onEncoding?: (progress: EncodingProgress) => void;
  /** Records every round as data. One recorder serves one sequence. */
  readonly trace?: TraceRecorder;
}

/** How to compare; what `generate` takes, without beams and without several sequences. */
export type CompareOptions = Omit<
  Omit<GenerateOptions, 'numBeams' | 'numReturnSequences' | 'lengthPenalty' | 'earlyStopping'>,
  'speculative' | 'concurrency' | 'trace' | 'onEncoding'
>;

/** How to measure costs. */
export interface MeasureCostsOptions {
  /** Rows of the largest target call that is measured. Default 8. */
  readonly rows?: number;
  /** How often each call is measured; the fastest counts. Default 3. */
  readonly repeats?: number;
  /** As in `GenerateOptions`. */
  readonly truncate?: boolean | number;
  readonly signal?: AbortSignal;
}

/** What happened, for one input and for many; `index` is the input's place, 0 for one input. */
export type StreamEvent =
  | TokenStreamEvent
  | { readonly kind: 'done'; readonly index: number; readonly result: Result }
  /** Only of many inputs: this one failed, the others go on. With one input the iteration throws instead. */
  | { readonly kind: 'failed'; readonly index: number; readonly error: Error };

/** A token that has become certain. After a beam search, the tokens of its best sequence. */
export interface TokenStreamEvent {
  readonly kind: 'token';
  readonly index: number;
  /** Which of the input's sequences, from 0. */
  readonly sequence: number;
  /** Id of the token. */
  readonly token: number;
  /**
   * Text that became certain by this token. It may be empty: inside a character of several bytes, or where a stop string may
   * have begun. The texts of all tokens joined are the sequence's text.
   */
  readonly text: string;
  /** Where the token comes from: a draft token that was accepted, its correction, the free token after them, or the target. */
  readonly origin: TokenOrigin;
  /** Round of decoding, from 0. */
  readonly round: number;
  /** Place among the new tokens, from 0. */
  readonly position: number;
  /** The draft token that was rejected here when `origin` is `corrected`, else null. */
  readonly rejected: number | null;
  /** With the option `logProbs`: the model's own log-probability of the token, before every setting. */
  readonly logProb?: number;
  /** With the option `logProbs` from 1 up: the most probable tokens of this place. */
  readonly top?: readonly LogProb[];
}

/** One sequence that came out. */
export interface Sequence {
  readonly text: string;
  /** New tokens, without the start token; a closing EOS is included. */
  readonly ids: readonly number[];
  readonly stopReason: StopReason;
  /** With the option `logProbs`: one for each id. */
  readonly logProbs?: readonly TokenLogProb[];
  /** Beam search only: Σ log-probability / length ** lengthPenalty. */
  readonly score?: number;
}

/** What decoding one input gave. Text, ids and stop reason are those of `sequences[0]`. */
export interface Result extends Sequence {
  /** All sequences: of a beam search the best first, of samples in the order of their names. */
  readonly sequences: readonly Sequence[];
  /** Costs and acceptance, of all sequences together. */
  readonly metrics: Metrics;
  /** Of a beam search: its own figures. Rounds and levels are counted in `metrics` as well. */
  readonly beams?: BeamMetrics;
  readonly error?: undefined;
}

/** In the place of a result, when one of many inputs failed. `error` tells the two apart. */
export interface FailedResult {
  readonly error: Error;
  readonly text?: undefined;
  readonly ids?: undefined;
  readonly stopReason?: undefined;
  readonly sequences?: undefined;
  readonly metrics?: undefined;
}

/** What `generate` of a list gives for each input. */
export type BatchResult = Result | FailedResult;

/** Decoding one input with and without the draft, in one run. */
export interface Comparison {
  /** With the draft. Its metrics have c, v and the predicted speed-up, measured against `autoregressive`. */
  readonly speculative: Result;
  readonly autoregressive: Result;
  /** Whether both gave the same tokens. At temperature 0 they always do; above it only by chance. */
  readonly equal: boolean;
  /** Seconds a token without the draft / seconds a token with it. */
  readonly measuredSpeedup: number;
}

/** A loaded model, as data. */
export interface ModelFacts {
  readonly name: string;
  readonly family: ModelFamily;
  readonly parameters: number;
  /** Bytes of its weights in memory. */
  readonly weightBytes: number;
  readonly dtype: Dtype;
  /** Matrices of a float32 file that are kept in bf16, because it holds their every value: the same bits in half the bytes. */
  readonly narrowed: number;
  readonly vocabularySize: number;
  /** Width of its states: a text's states are [tokens, dModel]. */
  readonly dModel: number;
  /** False of an encoder alone, which embeds and cannot generate. */
  readonly hasDecoder: boolean;
}

/** What computes, as data. */
export interface EngineFacts {
  readonly name: BackendName;
  /** Feature or device level, such as `relaxed-simd` or `webgpu`. Bits of results may differ between levels. */
  readonly level: string;
  /** Whether V8 computes with vectors of 256 bits, and why or why not. Absent where the backend has no such thing. */
  readonly wide?: { readonly on: boolean; readonly reason: string };
  readonly threads: number;
  /** Why this backend was taken, where `auto` chose it, and why it has so many threads, where no number was given. */
  readonly reason?: string;
  readonly dtypes: readonly Dtype[];
  /** Whether it runs in a worker of its own. */
  readonly worker: boolean;
}

/** The loaded parts themselves, for `tandem-t5/core`. They belong to the `Tandem` that loaded them. */
export interface LoadedParts {
  readonly target: T5Model;
  /** Models that draft. */
  readonly drafts: readonly T5Model[];
  readonly drafter: Drafter | null;
  readonly tokenizer: Tokenizer | null;
  readonly backend: Backend;
}

export type { CostTable, Notice, Progress };
