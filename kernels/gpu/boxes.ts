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
import type { Holder } from './queue';

/** [rows, cols] on the device. */
export interface GpuTensor extends OwnedTensor, Holder {}
export interface GpuVector extends OwnedVector, Holder {}
/** [heads, span] on the device. */
export interface GpuBias extends OwnedBias, Holder {}

/** Rows `from … to − 1` of a weight. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** f32 and bf16: [panels, cols, 64]; q8: [panels, words, 64]. See pack.ts. */
  readonly words: Holder;
  /** q8: [panels, blocks, 64]. */
  readonly scales: Holder;
  /** Values on the host, until every row was filled. */
  staged: { readonly words: Float32Array; readonly scales: Float32Array } | null;
  /** Rows that were not filled yet. */
  missing: number;
}

export interface GpuWeight extends OwnedWeight {
  readonly pieces: readonly Piece[];
}

/** Keys and values in one slab, [slots, 2, heads · dKv], so that one kernel appends both. */
export interface GpuCache extends OwnedCache, Holder {
  /** Slots that the slab on the device will have, once all enqueued work has run. */
  slabSlots: number;
}

/** The lists start, count and position (each [rows]) and keys, one after the other. */
export interface GpuPlan extends OwnedPlan, Holder {
  /** The row that is written to each slot, −1 for none: [largest written slot + 1]. Empty when nothing is written. */
  readonly rowOfSlot: Holder;
  rowOfSlotLength: number;
  /** Length of the longest key list. */
  longest: number;
  /** Where the positions of the keys begin in the lists; 0 where a key's position is its ordinal. */
  places: number;
}

/** [rows, vocabulary] on the device. */
export interface GpuLogits extends OwnedLogits, Holder {
  /** All logits on the host, once a query needed them. */
  fetched: Promise<Float32Array> | null;
}

export interface GpuBoxes extends BoxTypes {
  tensor: GpuTensor;
  weight: GpuWeight;
  vector: GpuVector;
  bias: GpuBias;
  cache: GpuCache;
  plan: GpuPlan;
  logits: GpuLogits;
}
