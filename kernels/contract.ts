/**
 * The contract between the T5 engine and a backend.
 *
 * A backend is a plain record of functions over opaque boxes that it owns. Three parts: storage, kernels, facts.
 *
 * Rules that hold for every kernel:
 * - Output first. A box's content (shape included) is replaced by a kernel that names it as output; it grows when needed.
 * - Outputs never alias inputs. (Residuals are inputs too.)
 * - Kernels enqueue and return; a device's asynchronous errors surface at the next `read*` or logits query.
 * - Batch-invariant in bits: the order in which one output element is accumulated depends on the reduced length
 *   alone, never on the row count, thread count, cache slots, or what else is in the call. Attention reduces by
 *   ordinal in the key list; reductions over the vocabulary use fixed chunks; arg-max and top-k ties take the lowest id.
 * - Each kernel's formula, shapes and precision stand on its reference implementation in `reference/`.
 */

/**
 * Types a checkpoint may hold for tensors that are computed with. A row of `q8` or `q4` is its block scales and then its codes (`common/q8.ts`,
 * `common/q4.ts`); rows of the others are values.
 */
export type StoredType = 'f32' | 'f16' | 'bf16' | 'i8' | 'q8' | 'q4';

/** Types a backend keeps a weight matrix in. `q8` is int8 with block scales; `q4` has 4 bits a code and is for drafts (`shared/q4.ts`). */
export type Dtype = 'f32' | 'bf16' | 'q8' | 'q4';

export type ActivationKind = 'relu' | 'gelu' | 'gelu_new' | 'silu';

/** A box of float32 activations, [rows, cols], row-major. Starts empty (0 × 0). */
export interface Tensor {
  readonly kind: 'tensor';
  readonly rows: number;
  readonly cols: number;
}

/** A resident weight matrix, [rows = output features, cols = input features], packed as the backend likes. */
export interface Weight {
  readonly kind: 'weight';
  readonly rows: number;
  readonly cols: number;
  readonly type: Dtype;
}

/** A resident float32 vector (an RMS-norm gain), [length]. */
export interface Vector {
  readonly kind: 'vector';
  readonly length: number;
}

/**
 * A resident position-bias table, [heads, span]. The bias of head h for a key at signed distance
 * `key position − query position` is `table[h][clamp(distance + offset, 0, span − 1)]`: T5's buckets saturate at their
 * maximum distance, so clamping is exact at any length.
 */
export interface Bias {
  readonly kind: 'bias';
  readonly heads: number;
  readonly span: number;
  readonly offset: number;
}

/** Keys and values of one attention layer in numbered slots, each [slots, heads · dKv]. */
export interface KvCache {
  readonly kind: 'cache';
  readonly heads: number;
  readonly dKv: number;
  readonly slots: number;
}

/** Which keys each query row sees, and where the rows' own keys go. One plan serves every layer of a call. */
export interface PlanSpec {
  readonly rows: number;
  /** Slot that receives each row's own key and value, [rows]; empty when nothing is appended (cross-attention). */
  readonly write: Int32Array;
  /** Start of each row's key list in `keys`, [rows]. Lists may share storage (the rows of a chain do). */
  readonly start: Int32Array;
  /** Length of each row's key list, [rows]; at least 1. */
  readonly count: Int32Array;
  /** Slot numbers, in ordinal order: the stream's prefix, then the row's ancestors in this call, itself last. */
  readonly keys: Int32Array;
  /** Query positions for the bias, [rows]. */
  readonly position: Int32Array;
  /** Positions of the keys for the bias, parallel to `keys`. Absent: the position of a key is its ordinal in the row's list. */
  readonly places?: Int32Array;
}

/** A box holding a plan in the backend's own form. */
export interface Plan {
  readonly kind: 'plan';
  readonly rows: number;
}

/** A box of logits, [rows, vocabulary], that need not leave the backend. Valid until it is an output again. */
export interface Logits {
  readonly kind: 'logits';
  readonly rows: number;
  readonly vocabulary: number;
}

/**
 * A part of an attention call, so that a long call can be cut and other work can run between its parts. Row 0 of `query` and `out`
 * belongs to row `planRow` of the plan. A part computes the rows and the heads from `[0]` up to, without, `[1]`.
 *
 * `out` is complete once the parts have covered all rows and heads. The part with the last row and the last head comes last, because
 * a device that computes beside this thread computes everything then.
 */
export interface AttentionPart {
  readonly planRow: number;
  readonly rows: readonly [number, number];
  readonly heads: readonly [number, number];
}

export interface Norm {
  readonly gain: Vector;
  readonly epsilon: number;
}

export interface TopK {
  /** Token ids, largest logit first; ties by lowest id. */
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

export interface Storage {
  /** Allocates a weight matrix; fill every row before use. Throws `KernelError` when it does not fit. */
  weight(rows: number, cols: number, type: Dtype): Weight;
  /**
   * Converts and packs whole rows into place: `bytes` holds `n` rows of `cols` values of `stored` type, little-endian,
   * for rows `firstRow … firstRow + n − 1`. `firstRow` is a multiple of 64, and n too unless these are the last rows.
   */
  fill(weight: Weight, firstRow: number, bytes: Uint8Array, stored: StoredType): void;
  vector(values: Float32Array): Vector;
  /** `table` is [heads, span], row-major. */
  bias(heads: number, offset: number, table: Float32Array): Bias;
  tensor(): Tensor;
  logits(): Logits;
  plan(): Plan;
  cache(heads: number, dKv: number, slots: number): KvCache;
  /** Grows a cache to at least `slots`, keeping its content. A slot holds anything until it is written. */
  grow(cache: KvCache, slots: number): void;
  /** Replaces a plan's content. */
  arrange(plan: Plan, spec: PlanSpec): void;
  /** Replaces a tensor's content with host values, [rows, cols]. */
  write(tensor: Tensor, rows: number, cols: number, values: Float32Array): void;
  /** A copy of the content, [rows, cols]. */
  read(tensor: Tensor): Promise<Float32Array>;
  /** A copy of the keys and values in the given slots, each [slots, heads · dKv]: for tests and inspection. */
  readCache(cache: KvCache, slots: Int32Array): Promise<{ keys: Float32Array; values: Float32Array }>;
  /** Gives storage back; the box must not be used again. */
  free(box: Tensor | Weight | Vector | Bias | KvCache | Plan | Logits): void;
  /** Ends threads and releases the device. Idempotent. */
  dispose(): Promise<void>;
}

export interface Kernels {
  /** out[r] = table[ids[r]]; [ids.length, table.cols]. */
  embed(out: Tensor, table: Weight, ids: Int32Array): void;
  /** out = x / sqrt(mean(x²) + ε) · gain, per row. */
  rmsNorm(out: Tensor, x: Tensor, norm: Norm): void;
  /** outs[i] = rmsNorm(x) · weights[i]ᵀ; same bits as `rmsNorm` followed by `linear`. */
  normLinear(outs: readonly Tensor[], x: Tensor, norm: Norm, weights: readonly Weight[]): void;
  /** out = x · weightᵀ (+ residual); [x.rows, weight.rows]. */
  linear(out: Tensor, x: Tensor, weight: Weight, residual: Tensor | null): void;
  /** out = f(x) (· gated, element by element). */
  activation(out: Tensor, x: Tensor, kind: ActivationKind, gated: Tensor | null): void;
  /** Copies row r of keys and values into slot `slots[r]`. */
  append(cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void;
  /**
   * Appends the rows' own keys and values (`fresh`) at `plan.write`, then for each row and head:
   * out = Σ softmax(query · keyⱼ + bias) valueⱼ over the row's key list, unscaled as T5 has it; [rows, heads · dKv].
   * With `part`, nothing is appended and only a part of `out` is computed, with the same bits.
   */
  attention(
    out: Tensor,
    query: Tensor,
    fresh: { readonly keys: Tensor; readonly values: Tensor } | null,
    cache: KvCache,
    plan: Plan,
    bias: Bias | null,
    part?: AttentionPart,
  ): void;
  /** out = (norm(x) · scale) · weightᵀ; `norm` null leaves x as it is. */
  head(out: Logits, x: Tensor, norm: Norm | null, weight: Weight, scale: number): void;
}

export interface LogitsQueries {
  /** Arg-max of every row, [rows]; −1 for a row that holds NaN or +∞, and for one that holds nothing above −∞. */
  argMax(logits: Logits): Promise<Int32Array>;
  /** log Σ exp(logit · inverseTemperature), float64 over fixed chunks. */
  logSumExp(logits: Logits, row: number, inverseTemperature: number): Promise<number>;
  /** Single logits: `values[i] = logits[rows[i]][tokens[i]]`. */
  at(logits: Logits, rows: Int32Array, tokens: Int32Array): Promise<Float32Array>;
  topK(logits: Logits, row: number, k: number): Promise<TopK>;
  /** A copy of one row, [vocabulary]. */
  readLogits(logits: Logits, row: number): Promise<Float32Array>;
  /**
   * Upper bounds of the logits of each `BLOCK` tokens of a row, [vocabulary / BLOCK, rounded up], where they are known without the whole
   * row; null elsewhere. A backend without bounds leaves it out.
   */
  tops?(logits: Logits, row: number): Promise<Float32Array | null>;
  /**
   * The logits of some blocks of `BLOCK` tokens of a row, with the bits of the whole row, [blocks.length, BLOCK]. Past the end of the
   * vocabulary they are NaN. A backend that has `tops` has it.
   */
  blocks?(logits: Logits, row: number, blocks: readonly number[]): Promise<Float32Array>;
  /**
   * Whether the logits are computed and in this process's memory, so that `at` and `logSumExp` take little time. A backend whose
   * logits are elsewhere leaves it out.
   */
  isWhole?(logits: Logits): boolean;
}

export interface BackendFacts {
  readonly name: 'reference' | 'cpu' | 'wasm' | 'gpu';
  readonly threads: number;
  /** Instruction or device level, e.g. `scalar`, `simd`, `relaxed-simd`, `webgpu`. Bits may differ between levels. */
  readonly level: string;
  /** Whether pairs of 128-bit operations run as 256-bit ones, with the same bits, and why. Absent where there is no such thing. */
  readonly wide?: { readonly on: boolean; readonly reason: string };
  /** Why this backend was taken, and why it has so many threads, where the choice was left to Tandem. */
  readonly reason?: string;
  readonly weightTypes: readonly Dtype[];
  /** Bytes that a weight matrix of this shape and type will take. */
  weightBytes(rows: number, cols: number, type: Dtype): number;
  /** The most bytes this backend can hold in all. */
  readonly capacityBytes: number;
  /** Bytes now allocated. */
  allocatedBytes(): number;
}

export interface Backend extends Storage, Kernels, LogitsQueries {
  readonly facts: BackendFacts;
}
