/**
 * The slab of a cache. A kernel cannot write into what it reads, so appending rows makes a new slab from the old one. That
 * moves 16 bytes for each slot and feature, which is little compared with the weights unless there are very many slots.
 */
import type { OpenedFreshRows } from '../shared/calls';
import type { GpuBoxes, GpuCache } from './boxes';
import type { Program } from './device';
import { contentOf, type GpuQueue, type Holder, view } from './queue';

/** A new slab: each slot is copied from the old one, or replaced by a row. */
const APPEND: Program = {
  key: 'append',
  args: ['array', 'array', 'array', 'array', 'int', 'int', 'int'],
  constants: {},
  source: `function (slab, keys, values, rowOfSlot, width, oldSlots, written) {
    const slot = quotient(this.thread.x, width * 2);
    const at = this.thread.x - slot * width * 2;
    if (slot < written) {
      const row = rowOfSlot[slot];
      if (row >= 0) {
        if (at < width) { return keys[row][at]; }
        return values[row][at - width];
      }
    }
    if (slot < oldSlots) { return slab[this.thread.x]; }
    return 0;
  }`,
};

/** A longer slab: the same values, then zeros. */
const LENGTHEN: Program = {
  key: 'lengthen',
  args: ['array', 'int'],
  constants: {},
  source: `function (slab, length) {
    if (this.thread.x < length) { return slab[this.thread.x]; }
    return 0;
  }`,
};

/** rowOfSlot[s] = the row that is written to slot s, or −1. */
export function rowsBySlot(slots: Int32Array): Float32Array {
  let length = 0;
  for (const slot of slots) length = Math.max(length, slot + 1);
  const rows = new Float32Array(length).fill(-1);
  slots.forEach((slot, row) => {
    rows[slot] = row;
  });
  return rows;
}

/** Rows by slot on the device, and their number. */
export interface Placement {
  readonly rowOfSlot: Holder;
  readonly written: number;
}

/** Writes rows to their slots, with one launch. */
export function appendRows(
  queue: GpuQueue,
  cache: GpuCache,
  fresh: OpenedFreshRows<GpuBoxes>,
  { rowOfSlot, written }: Placement,
): void {
  const width = cache.heads * cache.dKv;
  const { slots, slabSlots } = cache;
  cache.slabSlots = slots;
  queue.produce(
    cache,
    () => {
      const rows = [view(fresh.keys, width), view(fresh.values, width)];
      // The argument is needed even if there is no slab yet. The kernel does not read it then.
      const old = slabSlots === 0 ? rows[0] : view(cache);
      const args = [{ ...old, shape: [] }, ...rows, view(rowOfSlot), width, slabSlots, written];
      return queue.device.launch(APPEND, slots * width * 2, args);
    },
    'old',
  );
}

/** Makes sure that the slab of a cache is as long as the cache: a cache may have grown, or may never have been written. */
export function fitSlab(queue: GpuQueue, cache: GpuCache): void {
  const { slots, slabSlots } = cache;
  if (slots === slabSlots) return;
  cache.slabSlots = slots;
  const width = cache.heads * cache.dKv * 2;
  const { device } = queue;
  if (slabSlots === 0) {
    queue.produce(cache, () => device.upload(new Float32Array(slots * width)));
    return;
  }
  const lengthen = () =>
    device.launch(LENGTHEN, slots * width, [{ content: contentOf(cache), shape: [] }, slabSlots * width]);
  queue.produce(cache, lengthen, 'old');
}
