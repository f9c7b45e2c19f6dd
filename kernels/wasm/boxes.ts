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
} from '../shared/boxes';
import { q8Blocks } from '../shared/q8';
import { Size, WeightCode } from './layout';

/** Where a box is in the linear memory. */
export interface Located {
  /** Address of the content; 0 while there is none. */
  at: number;
}

export interface WasmTensor extends OwnedTensor, Located {
  /** Whether a relu made the content, so that many of its values may be zero. */
  mayBeZero: boolean;
}

export interface WasmWeight extends OwnedWeight, Located {
  /** The memory that it is in. */
  bank: number;
  /** The coarse copy of a vocabulary's matrix (`screen.ts`). Undefined until it is asked for; null where it cannot be used. */
  screen?: Screen | null;
  /** Whether every value is 0, or finite and not tiny (`assembly/kept.ts`). Undefined until it is asked for. */
  plain?: boolean;
}

/** An int8 copy of a weight, and how far each of its rows is from the original. */
export interface Screen {
  readonly coarse: WasmWeight;
  /** |row − coarse row| (Euclidean, rounded up), [rows]. */
  readonly errors: WasmVector;
  /** |coarse row|, [rows]. */
  readonly sizes: WasmVector;
  /** The largest |row|. */
  readonly largest: number;
}

export interface WasmVector extends OwnedVector, Located {}

export interface WasmBias extends OwnedBias, Located {}

/** Keys at `at`, then values; each is [heads, slots, dKv rounded up to 4]. */
export interface WasmCache extends OwnedCache, Located {}

/** Integer lists, one after the other: write, start, count, position (each [rows]), keys, and places where there are some. */
export interface WasmPlan extends OwnedPlan, Located {
  /** Addresses of the lists. */
  write: number;
  start: number;
  count: number;
  position: number;
  keys: number;
  /** 0 where a key's position is its ordinal. */
  places: number;
  /** Length of the longest key list. */
  longest: number;
  /** Sum of the lengths of all key lists. */
  total: number;
}

/** The operands of a product. */
export interface PendingProduct {
  readonly input: WasmTensor;
  readonly weight: WasmWeight;
  /** The factors of the bounds of each row, once the coarse product stands in the place of the logits; null where there are no bounds. */
  factors?: readonly BoundFactors[] | null;
}

/** Of a row x: |exact logit − coarse logit| ≤ byError · |w − ŵ| + bySize · |ŵ|. `norm` is |x|. */
export interface BoundFactors {
  readonly norm: number;
  readonly byError: number;
  readonly bySize: number;
}

export interface WasmLogits extends OwnedLogits, Located {
  /**
   * A product that was not computed yet. It stays uncomputed as long as only its arg-max, or what may win a race, is asked for
   * (`screen.ts`); null once the logits are in memory.
   */
  pending: PendingProduct | null;
  /** The normed and scaled rows of a pending product. */
  readonly input: WasmTensor;
}

export interface WasmBoxes extends BoxTypes {
  tensor: WasmTensor;
  weight: WasmWeight;
  vector: WasmVector;
  bias: WasmBias;
  cache: WasmCache;
  plan: WasmPlan;
  logits: WasmLogits;
}

/** Numbers of the weight types in the compiled modules. */
export const WEIGHT_CODES: Readonly<Record<Dtype, number>> = {
  f32: WeightCode.f32,
  bf16: WeightCode.bf16,
  q8: WeightCode.q8,
  q4: WeightCode.q4,
};

/** Bytes of a weight matrix: panels of eight outputs, in whole units. In wide modules bfloat16 has an even number of inputs. */
export function weightBytes(rows: number, cols: number, type: Dtype, { wide }: { readonly wide: boolean }): number {
  const panels = Math.ceil(rows / Size.unitOutputs) * (Size.unitOutputs / Size.panelOutputs);
  const bf16 = (wide ? Math.ceil(cols / 2) * 2 : cols) * 16;
  const panel = { f32: cols * 32, bf16, q8: q8Blocks(cols) * Size.q8Block, q4: q8Blocks(cols) * Size.q4Block }[type];
  return panels * panel;
}

/** Bytes of the keys of a cache, and of its values. */
export function cacheBytes(heads: number, dKv: number, slots: number): number {
  return heads * slots * Math.ceil(dKv / 4) * 16;
}
