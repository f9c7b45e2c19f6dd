import type { KvCache, Tensor } from '../contract';
import { openAppend } from '../shared/calls';
import type { GpuCache, GpuTensor } from './boxes';
import type { Program } from './device';
import { type GpuQueue, type Holder, held, holder, view } from './queue';
import type { GpuStorage } from './storage';

/**
 * The next slab from the last: a kernel cannot write into what it reads, so every slot is copied or replaced. The
 * copy costs 16 bytes a slot and feature of memory traffic: small beside the weights until slots outnumber them.
 */
const APPEND: Program = {
  key: 'append',
  args: ['array', 'array', 'array', 'array', 'int', 'int', 'int'],
  constants: {},
  source: `function (slab, keys, values, rowOfSlot, width, held, written) {
    const slot = quotient(this.thread.x, width * 2);
    const at = this.thread.x - slot * width * 2;
    if (slot < written) {
      const row = rowOfSlot[slot];
      if (row >= 0) {
        if (at < width) { return keys[row][at]; }
        return values[row][at - width];
      }
    }
    if (slot < held) { return slab[this.thread.x]; }
    return 0;
  }`,
};

/** The same values in a longer slab, zeros after them. */
const LENGTHEN: Program = {
  key: 'lengthen',
  args: ['array', 'int'],
  constants: {},
  source: `function (slab, length) {
    if (this.thread.x < length) { return slab[this.thread.x]; }
    return 0;
  }`,
};

/** See reference/append.ts: slot slots[r] of the cache becomes row r. Exact. */
export function append(storage: GpuStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const call = openAppend(storage, cache, keys, values, slots);
  const rows = rowsBySlot(slots);
  const rowOfSlot = holder();
  storage.queue.upload(rowOfSlot, rows);
  const fresh = { keys: call.keys as GpuTensor, values: call.values as GpuTensor };
  appendRows(storage.queue, call.cache as GpuCache, fresh, { rowOfSlot, written: rows.length });
  storage.queue.drop(rowOfSlot);
}

/** rowOfSlot[s] = the row that goes to slot s, or −1. */
export function rowsBySlot(slots: Int32Array): Float32Array {
  let length = 0;
  for (const slot of slots) length = Math.max(length, slot + 1);
  const rows = new Float32Array(length).fill(-1);
  slots.forEach((slot, row) => {
    rows[slot] = row;
  });
  return rows;
}

export interface Placement {
  readonly rowOfSlot: Holder;
  readonly written: number;
}

/** One launch: the cache's slab with the rows in their slots. */
export function appendRows(
  queue: GpuQueue,
  cache: GpuCache,
  fresh: { readonly keys: GpuTensor; readonly values: GpuTensor },
  place: Placement,
): void {
  const width = cache.heads * cache.dKv;
  const { slots } = cache;
  const resident = cache.resident;
  cache.resident = slots;
  queue.produce(
    cache,
    () => {
      const rows = [view(fresh.keys, width), view(fresh.values, width)];
      const old = resident === 0 ? rows[0] : view(cache);
      const args = [{ ...old, shape: [] }, ...rows, view(place.rowOfSlot), width, resident, place.written];
      return queue.device.launch(APPEND, slots * width * 2, args);
    },
    'old',
  );
}

/** Gives a cache that has grown, or was never written, a slab of its whole length. */
export function fitCache(queue: GpuQueue, cache: GpuCache): void {
  const { slots, resident } = cache;
  if (slots === resident) return;
  cache.resident = slots;
  const width = cache.heads * cache.dKv * 2;
  const { device } = queue;
  if (resident === 0) queue.produce(cache, () => device.upload(new Float32Array(slots * width)));
  else
    queue.produce(
      cache,
      () => device.launch(LENGTHEN, slots * width, [{ content: held(cache), shape: [] }, resident * width]),
      'old',
    );
}
