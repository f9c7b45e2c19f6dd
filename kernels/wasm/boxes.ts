import type { Bias, Dtype, KvCache, Logits, Plan, Tensor, Vector, Weight } from '../contract';
import { KernelError } from '../errors';
import { q8Blocks } from '../shared/q8';

/** What every box has: its storage (for ownership), the bytes it is charged for, and its address. */
interface Held {
  /** The storage that made the box; null once it was freed. */
  owner: object | null;
  bytes: number;
  /** Address in the linear memory; 0 while it holds nothing. */
  at: number;
}

export interface WasmTensor extends Tensor, Held {
  rows: number;
  cols: number;
}

export interface WasmWeight extends Weight, Held {
  /** The memory that it lies in. */
  bank: number;
  /** One flag for each step of 64 rows: filled or not. */
  readonly filled: Uint8Array;
  missing: number;
  /** Of a vocabulary's matrix: its rows as int8 with the errors of that (`screen.ts`); null where that is of no use. */
  screen?: Screen | null;
}

/** A coarse copy of a weight, and how far each of its rows is off. */
export interface Screen {
  readonly coarse: WasmWeight;
  /** |row − coarse row| and |coarse row| (Euclidean, rounded up), [rows] each. */
  readonly errors: WasmVector;
  readonly sizes: WasmVector;
  /** Largest |row|. */
  readonly largest: number;
}

export interface WasmVector extends Vector, Held {}

export interface WasmBias extends Bias, Held {}

/** Keys at `at`, then values, each [heads, slots, dKv rounded up to 4]. */
export interface WasmCache extends KvCache, Held {
  slots: number;
}

/** Five integer lists one after the other: write, start, count, position [rows], keys. */
export interface WasmPlan extends Plan, Held {
  rows: number;
  /** Addresses of the lists. */
  write: number;
  start: number;
  count: number;
  position: number;
  keys: number;
  /** Rows that are written to the cache: all or none. */
  written: number;
  /** Slots that a cache must have to serve this plan. */
  needs: number;
  /** Longest key list, and the sum of all. */
  longest: number;
  total: number;
}

export interface WasmLogits extends Logits, Held {
  rows: number;
  vocabulary: number;
  /** What the logits are to be computed from, as long as only their arg-max was asked for; null once they are there. */
  pending: { readonly input: WasmTensor; readonly weight: WasmWeight } | null;
  /** Normed and scaled rows that wait for that. */
  readonly input: WasmTensor;
}

export type WasmBox = WasmTensor | WasmWeight | WasmVector | WasmBias | WasmCache | WasmPlan | WasmLogits;

interface WasmOf {
  tensor: WasmTensor;
  weight: WasmWeight;
  vector: WasmVector;
  bias: WasmBias;
  cache: WasmCache;
  plan: WasmPlan;
  logits: WasmLogits;
}

/** Opens a box: refuses one that another backend made, or that was freed. */
export function open<K extends keyof WasmOf>(owner: object, box: { readonly kind: K }, where: string): WasmOf[K] {
  const held = box as unknown as WasmOf[K];
  if (held.owner !== owner) {
    const found = held.owner === null ? 'one that was freed' : 'one of another backend';
    throw new KernelError('argument-invalid', `${where}: expected a live ${box.kind} of this backend, found ${found}`);
  }
  return held;
}

/** Opens a weight that is complete. */
export function openWeight(owner: object, box: Weight, where: string): WasmWeight {
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

/** Numbers of the weight types in the compiled modules. */
export const TYPE_CODE: Readonly<Record<Dtype, number>> = { f32: 0, bf16: 1, q8: 2 };

/** Outputs in a unit: four panels of eight, the least that the one-row kernel takes. */
export const UNIT = 32;

/** Bytes of a weight matrix: panels of 8 outputs, whole units; a q8 panel's block of 32 inputs takes 304 bytes. */
export function weightBytes(rows: number, cols: number, type: Dtype): number {
  const panels = Math.ceil(rows / UNIT) * (UNIT / 8);
  const panel = type === 'q8' ? q8Blocks(cols) * 304 : cols * (type === 'f32' ? 32 : 16);
  return panels * panel;
}
