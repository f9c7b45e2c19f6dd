import type { Dtype, TopK } from '../kernels';
import type { T5Config } from '../weights';

/** Logits of one forward call, [rows, vocabulary]. They stay on the backend; a method brings back what it is asked for. */
export interface LogitsView extends Disposable {
  readonly rows: number;
  readonly vocabulary: number;
  /**
   * The token with the largest logit of every row, [rows]. Of equal ones it is the lowest id. It is −1 for a row that holds NaN
   * or +∞, and for one that holds nothing above −∞.
   */
  argMax(): Promise<Int32Array>;
  /** log Σ exp(logit · inverseTemperature) over a row, in float64. */
  logSumExp(row: number, inverseTemperature: number): Promise<number>;
  /** The logit of `tokens[i]` in row `rows[i]`, for every i. */
  at(rows: Int32Array, tokens: Int32Array): Promise<Float32Array>;
  /** The k largest logits of a row, largest first. */
  topK(row: number, k: number): Promise<TopK>;
  /** A copy of one row, [vocabulary]. */
  read(row: number): Promise<Float32Array>;
  /**
   * Upper bounds of the logits of each `BLOCK` tokens of a row, [vocabulary / BLOCK, rounded up], where they cost less than the row; null
   * elsewhere. A view without bounds leaves it out.
   */
  tops?(row: number): Promise<Float32Array | null>;
  /** The logits of some blocks of a row that has `tops`, with the bits of `read`, [blocks.length, BLOCK]; NaN past the vocabulary. */
  blocks?(row: number, blocks: readonly number[]): Promise<Float32Array>;
  /** Whether the logits are computed and in this process's memory, so that `at` and `logSumExp` take little time. Default: no. */
  readonly isWhole?: boolean;
  /** Gives the storage back. The view cannot be used after it. A view that is not disposed keeps its storage. */
  dispose(): void;
}

/** Source ids of which some are hidden: the others do not see them, and keep their distances. */
export interface MaskedSource {
  readonly ids: readonly number[];
  /** One number an id: 1 keeps it, 0 hides it, as in Hugging Face's `attention_mask`. */
  readonly mask: ArrayLike<number>;
}

/** What a model encodes: ids with their closing EOS, all of them seen or some of them hidden. */
export type Source = readonly number[] | MaskedSource;

/** How far a call of the encoder has come. */
export interface EncodingProgress {
  /** Rows that encoder blocks have computed; at the end it is `total`. */
  readonly done: number;
  /** Rows × blocks. */
  readonly total: number;
}

export interface EncoderOptions {
  /** Ends a long call between two steps. */
  readonly signal?: AbortSignal;
  /** Called after each part of a block; a source of up to some hundred ids is one part. An error of it ends the call. */
  readonly onProgress?: (progress: EncodingProgress) => void;
}

/** A source that has been encoded: the keys and values of the decoder's cross-attention. Any number of streams can use it. */
export interface Encoded extends Disposable {
  /** Ids of the source that are seen. */
  readonly source: readonly number[];
  /** What was encoded, where some of its ids are hidden. Another model encodes this, not `source`, to see the same. */
  readonly masked?: MaskedSource;
  /** Opens an empty decoder stream over this source. */
  open(): DecoderStream;
  /** Gives its cache slots back. Its streams cannot be used after it. */
  dispose(): void;
}

/**
 * A decoder stream: the decoder's cached state of one sequence. It can be truncated and copied, so that after a rejection it
 * equals a stream that never saw the rejected tokens, bit for bit.
 *
 * Rows that `forward` computes are pending on their stream until `keep` or `truncate`. A pending chain (each row is the parent
 * of the next) needs neither: the next call keeps it.
 */
export interface DecoderStream extends Disposable {
  readonly encoded: Encoded;
  /** Number of tokens in the cache. A pending chain counts, a pending tree does not. */
  readonly length: number;
  /** Drops all but the first `length` tokens. */
  truncate(length: number): void;
  /** Keeps the pending rows along `path` and drops the others. `path` has row indices of the last call, root first. */
  keep(path: readonly number[]): void;
  /**
   * Makes an independent copy. With `path` it is a copy as `keep(path)` would leave it, while this stream's rows stay
   * pending: several paths of one tree can go on, each as a stream. Copies share storage until they differ.
   */
  fork(path?: readonly number[]): DecoderStream;
  /** Gives its cache slots back. The stream cannot be used after it. */
  dispose(): void;
}

/** One row of a decoder call: a token at a place of a sequence. */
export interface DecoderRow {
  readonly stream: DecoderStream;
  /** Place of the token in the sequence; the start token is at 0. It equals the number of tokens that the row sees before itself. */
  readonly position: number;
  readonly token: number;
  /** Index in the same call of the row before it on its path; −1 when it follows the stream's cached tokens. */
  readonly parent: number;
}

export interface ForwardOptions {
  /** Runs only the first decoder blocks, then the final norm and the head: the target's early exit, as a draft. All by default. */
  readonly layers?: number;
  /**
   * Runs the decoder's copy in fewer bits (`ModelOptions.copy`), which uses the model's own encoding: its keys and values of
   * cross-attention, its embedding, norms and position biases. Its keys and values are near those of the model itself. So it may go on
   * from a copy of the model's stream; the model itself never goes on from what the copy has cached. Default false.
   */
  readonly copy?: boolean;
  /** Ends a long call between two steps. Its rows are then as if they had never been asked for. */
  readonly signal?: AbortSignal;
}

/** What decoding needs of a sequence-to-sequence model. `T5Model` is one; tests have others. */
export interface SequenceModel {
  readonly vocabularySize: number;
  readonly startToken: number;
  readonly eosTokens: readonly number[];
  /**
   * Encodes several sources in one call. The bits of a source's result do not depend on the others. A long call lets the event
   * loop turn.
   */
  encode(sources: readonly Source[], options?: EncoderOptions): Promise<Encoded[]>;
  /**
   * Computes the logits of rows of any number of streams in one call: row r of the view belongs to `rows[r]`. The bits of a row
   * do not depend on what else is in the call. A long call lets the event loop turn; a call that is asked for meanwhile waits.
   */
  forward(rows: readonly DecoderRow[], options?: ForwardOptions): Promise<LogitsView>;
}

/** What every layer and head of a model read, for one source and one output. A row sums to 1. */
export interface AttentionMaps {
  readonly heads: number;
  /** Ids of the source that are seen. */
  readonly source: number;
  /** Ids of the output, the start token included. */
  readonly output: number;
  /** Self-attention of each encoder layer: [heads, source, source], a row for each id that reads. */
  readonly encoder: readonly Float32Array[];
  /** Cross-attention of each decoder layer: [heads, output, source], a row for each output id that reads. */
  readonly cross: readonly Float32Array[];
}

/** A T5 checkpoint on a backend. */
export interface T5Model extends SequenceModel, Disposable {
  readonly name: string;
  readonly config: T5Config;
  /** Type of the weight matrices. */
  readonly dtype: Dtype;
  readonly parameters: number;
  /** Bytes that the weight matrices take on the backend. */
  readonly weightBytes: number;
  /** Matrices of a float32 file that are kept in bf16, because it holds their every value: the same bits in half the memory. */
  readonly narrowed: number;
  /** Type of the decoder's copy, null without one. */
  readonly copyDtype: Dtype | null;
  /** False of an encoder alone, which can be asked for its states and cannot decode. */
  readonly hasDecoder: boolean;
  /**
   * Encoder states after the final norm, of each source [ids that are seen, dModel]. A source's bits do not depend on the others.
   *
   * @throws EngineError `source-invalid`, `out-of-memory`, `aborted`
   */
  encoderStates(sources: readonly Source[], options?: EncoderOptions): Promise<Float32Array[]>;
  /**
   * What each layer and head read: the weights of the encoder's self-attention and of the decoder's cross-attention, for one
   * source and the output ids, the start token first. It runs both once more, beside what else the model does; nothing else costs
   * more for it. The maps take 4 · heads · (encoder layers · source² + decoder layers · output · source) bytes.
   *
   * @throws EngineError `source-invalid`, `token-invalid`, `row-invalid`, `tensor-missing`, `out-of-memory`, `aborted`
   */
  attention(source: Source, output: readonly number[], options?: EncoderOptions): Promise<AttentionMaps>;
  /** Frees weights and caches. The backend can still be used. */
  dispose(): void;
}
