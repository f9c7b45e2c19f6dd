import type { HostBias, HostCache, HostLogits, HostPlan, HostTensor, HostVector, HostWeight } from '../shared/boxes';
import type { Holder } from './queue';

/*
 * A gpu box is a host box whose values are on the device: shapes, ownership and charges are kept as the host backends
 * keep them, so that the same checks serve both.
 */

export interface GpuTensor extends HostTensor, Holder {}
export interface GpuVector extends HostVector, Holder {}
export interface GpuBias extends HostBias, Holder {}

/** Rows `from … to − 1` of a weight, as one or two contents. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** f32, bf16: [panels, cols, 64]; q8: [panels, words, 64]. See pack.ts. */
  readonly words: Holder;
  /** q8: [panels, blocks, 64]. */
  readonly scales: Holder;
  /** Host values until every row is there. */
  staged: { readonly words: Float32Array; readonly scales: Float32Array } | null;
  missing: number;
}

export interface GpuWeight extends HostWeight {
  readonly pieces: readonly Piece[];
}

/** Keys and values in one slab, [slots, 2, heads · dKv]: one kernel appends both. */
export interface GpuCache extends HostCache, Holder {
  /** Slots of the slab on the device, when all that was enqueued has run. */
  resident: number;
}

export interface GpuPlan extends HostPlan, Holder {
  /** The row that goes to each slot, −1 for none, [largest written slot + 1]; empty when nothing is written. */
  readonly rowOfSlot: Holder;
  rowOfSlotLength: number;
  /** The longest key list. */
  longest: number;
}

export interface GpuLogits extends HostLogits, Holder {
  /** The whole of the logits on the host, once a query needed it. */
  fetched: Promise<Float32Array> | null;
}
