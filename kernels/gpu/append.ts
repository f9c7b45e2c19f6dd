import type { KvCache, Tensor } from '../contract';
import { openAppend } from '../shared/calls';
import { createHolder } from './queue';
import { appendRows, rowsBySlot } from './slab';
import type { GpuStorage } from './storage';

/** See reference/append.ts: a copy, bit for bit. */
export function append(storage: GpuStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const call = openAppend(storage, cache, keys, values, slots);
  const { queue } = storage;
  const rows = rowsBySlot(slots);
  const rowOfSlot = createHolder();
  queue.upload(rowOfSlot, rows);
  appendRows(queue, call.cache, call.fresh, { rowOfSlot, written: rows.length });
  queue.drop(rowOfSlot);
}
