import type { Dtype, TopK } from '../kernels';
import type { T5Config } from '../weights';

/** Logits of one forward call, [rows, vocabulary]; they stay on the backend until asked for. */
export interface LogitsView extends Disposable {
  readonly rows: number;
  readonly vocabulary: number;
  /** Arg-max of every row, ties to the lowest id. */
  argMax(): Promise<Int32Array>;
  /** log Σ exp(logit · inverseTemperature) of a row, in float64. */
  logSumExp(row: number, inverseTemperature: number): Promise<number>;
  /** One logit a pair (rows[i], tokens[i]). */
  at(rows: Int32Array, tokens: Int32Array): Promise<Float32Array>;
  topK(row: number, k: number): Promise<TopK>;
  /** A copy of one row, [vocabulary]. */
  read(row: number): Promise<Float32Array>;
  /** Gives the storage back; every view must be disposed once, and not be used after. */
  dispose(): void;
}

/** A source that has been encoded: the decoder's cross-attention keys and values, fixed. Shared by any number of streams. */
export interface Encoded extends Disposable {
  /** Source ids it was made from. */
  readonly source: readonly number[];
  /** A new, empty stream of decoder state over this source. */
  open(): DecoderStream;
  /** Gives the slots back once no stream on it is used any more. */
  dispose(): void;
}

/**
 * Decoder self-attention state of one sequence, as a value. Rows given to `forward` are pending until `keep` or
 * `truncate` settles them; a chain (each row the parent of the next) counts as kept when nothing is said.
 */
export interface DecoderStream extends Disposable {
  readonly encoded: Encoded;
  /** Tokens whose keys and values are held, pending chain included. */
  readonly length: number;
  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void;
  /** Keeps, of the rows of the last forward call on this stream, those along `path` (row indices in that call, root first). */
  keep(path: readonly number[]): void;
  /**
   * An independent copy; shares storage until they differ. With `path` it is the copy that `keep(path)` would make of this
   * stream, whose own rows stay pending: several paths of one tree can go on, each as a stream.
   */
  fork(path?: readonly number[]): DecoderStream;
  dispose(): void;
}

/**
 * One decoder row. `position` counts from 0 (the start token) and equals the number of keys before it;
 * `parent` is the index in the same call of the row that comes before it on its path, or −1 when that is the stream's
 * settled end.
 */
export interface DecoderRow {
  readonly stream: DecoderStream;
  readonly position: number;
  readonly token: number;
  readonly parent: number;
}

export interface ForwardOptions {
  /** Run only the first decoder layers (then the final norm and head): the target's own early exit as a draft. */
  readonly layers?: number;
}

/** What decoding/ needs of a sequence-to-sequence model; T5Model is one, tests bring tables. */
export interface SequenceModel {
  readonly vocabularySize: number;
  readonly startToken: number;
  readonly eosTokens: readonly number[];
  /** Encodes sources in one call of ragged rows; the results are independent of what else is in the call, bit for bit. */
  encode(sources: readonly (readonly number[])[]): Promise<Encoded[]>;
  /** Runs rows of any streams in one call; row r of the view belongs to rows[r]. Streams of one call must be distinct values. */
  forward(rows: readonly DecoderRow[], options?: ForwardOptions): Promise<LogitsView>;
}

/** A T5 checkpoint on a backend. */
export interface T5Model extends SequenceModel, Disposable {
  readonly name: string;
  readonly config: T5Config;
  /** Type that the weight matrices are kept in. */
  readonly dtype: Dtype;
  readonly parameters: number;
  /** Bytes of resident weights. */
  readonly weightBytes: number;
  /** Frees weights and caches; the backend lives on. */
  dispose(): void;
}
