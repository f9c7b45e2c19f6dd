import type { Bias, Dtype, KvCache, Logits, Plan, Tensor, Vector, Weight } from '../contract';
import { KernelError } from '../errors';

/** What every box of a backend in ordinary memory has: its storage (for ownership) and the bytes it is charged for. */
interface Held {
  /** The storage that made the box; null once it was freed. */
  owner: object | null;
  bytes: number;
}

export interface HostTensor extends Tensor, Held {
  rows: number;
  cols: number;
  /** [rows, cols] in the first rows · cols values; longer when the box has shrunk. */
  data: Float32Array;
}

export interface HostWeight extends Weight, Held {
  /** [rows, cols] values (f32), upper halves (bf16) or codes (q8). */
  readonly data: Float32Array | Uint16Array | Int8Array;
  /** [rows, q8Blocks(cols)] for q8, else empty. */
  readonly scales: Float32Array;
  /** One flag for each step of 64 rows: filled or not. */
  readonly filled: Uint8Array;
  missing: number;
}

export interface HostVector extends Vector, Held {
  readonly data: Float32Array;
}

export interface HostBias extends Bias, Held {
  /** [heads, span] */
  readonly table: Float32Array;
}

export interface HostCache extends KvCache, Held {
  slots: number;
  /** [slots, heads · dKv] each */
  keys: Float32Array;
  values: Float32Array;
}

export interface HostPlan extends Plan, Held {
  rows: number;
  write: Int32Array;
  start: Int32Array;
  count: Int32Array;
  keys: Int32Array;
  position: Int32Array;
  /** Slots that a cache must have to serve this plan. */
  needs: number;
}

export interface HostLogits extends Logits, Held {
  rows: number;
  vocabulary: number;
  /** [rows, vocabulary] */
  data: Float32Array;
}

export type HostBox = HostTensor | HostWeight | HostVector | HostBias | HostCache | HostPlan | HostLogits;

/** The box of each contract type as a host backend keeps it. */
interface HostOf {
  tensor: HostTensor;
  weight: HostWeight;
  vector: HostVector;
  bias: HostBias;
  cache: HostCache;
  plan: HostPlan;
  logits: HostLogits;
}

/** Opens a box: refuses one that another backend made, or that was freed. */
export function open<K extends keyof HostOf>(owner: object, box: { readonly kind: K }, where: string): HostOf[K] {
  const held = box as unknown as HostOf[K];
  if (held.owner !== owner) {
    const found = held.owner === null ? 'one that was freed' : 'one of another backend';
    throw new KernelError('argument-invalid', `${where}: expected a live ${box.kind} of this backend, found ${found}`);
  }
  return held;
}

/** Opens a weight that is complete. */
export function openWeight(owner: object, box: Weight, where: string): HostWeight {
  const weight = open(owner, box, where);
  if (weight.missing > 0) {
    const found = `${weight.missing} of ${weight.filled.length} steps of 64 rows missing`;
    throw new KernelError(
      'argument-invalid',
      `${where}: expected every row of the weight to be filled, found ${found}`,
    );
  }
  return weight;
}

/** Bytes of a weight matrix in ordinary memory. */
export function hostWeightBytes(rows: number, cols: number, type: Dtype): number {
  if (type === 'f32') return rows * cols * 4;
  if (type === 'bf16') return rows * cols * 2;
  return rows * (cols + 4 * Math.ceil(cols / 32));
}
