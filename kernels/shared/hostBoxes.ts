import type { Dtype } from '../contract';
import type {
  BoxTypes,
  OwnedBias,
  OwnedCache,
  OwnedLogits,
  OwnedPlan,
  OwnedTensor,
  OwnedVector,
  OwnedWeight,
} from './boxes';
import { Q4_BYTES } from './q4';
import { q8Blocks } from './q8';

export interface HostTensor extends OwnedTensor {
  /** [rows, cols] in the first rows · cols values. The array is longer when the tensor was larger before. */
  data: Float32Array;
}

export interface HostWeight extends OwnedWeight {
  /** [rows, cols]: values (f32), the upper 16 bits of float32 values (bf16), or codes (q8). q4 has two codes a byte (`q4.ts`). */
  readonly data: Float32Array | Uint16Array | Int8Array | Uint8Array;
  /** [rows, q8Blocks(cols)] for q8 and q4, otherwise empty. */
  readonly scales: Float32Array;
}

export interface HostVector extends OwnedVector {
  readonly data: Float32Array;
}

export interface HostBias extends OwnedBias {
  /** [heads, span] */
  readonly table: Float32Array;
}

export interface HostCache extends OwnedCache {
  /** [slots, heads · dKv] each. */
  keys: Float32Array;
  values: Float32Array;
}

/** The lists of a `PlanSpec`, copied. */
export interface HostPlan extends OwnedPlan {
  write: Int32Array;
  start: Int32Array;
  count: Int32Array;
  keys: Int32Array;
  position: Int32Array;
  /** Null where a key's position is its ordinal. */
  places: Int32Array | null;
}

export interface HostLogits extends OwnedLogits {
  /** [rows, vocabulary] */
  data: Float32Array;
}

/** The boxes of the backends that compute on typed arrays: `reference` and `cpu`. */
export interface HostBoxes extends BoxTypes {
  tensor: HostTensor;
  weight: HostWeight;
  vector: HostVector;
  bias: HostBias;
  cache: HostCache;
  plan: HostPlan;
  logits: HostLogits;
}

/** Bytes of a weight matrix in typed arrays. */
export function hostWeightBytes(rows: number, cols: number, type: Dtype): number {
  if (type === 'f32') return rows * cols * 4;
  if (type === 'bf16') return rows * cols * 2;
  if (type === 'q8') return rows * (cols + 4 * q8Blocks(cols));
  return rows * q8Blocks(cols) * (Q4_BYTES + 4);
}
