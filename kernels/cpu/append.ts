import type { KvCache, Tensor } from '../contract';
import { type OpenedFreshRows, openAppend } from '../shared/calls';
import type { HostBoxes, HostCache } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';

/** See reference/append.ts: a copy, bit for bit. */
export function append(storage: HostStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const call = openAppend(storage, cache, keys, values, slots);
  writeRows(call.cache, call.fresh, slots);
}

/** Copies each row into its slot. Rows that go to consecutive slots, as those of a chain do, are copied together. */
export function writeRows(cache: HostCache, { keys, values }: OpenedFreshRows<HostBoxes>, slots: Int32Array): void {
  const width = cache.heads * cache.dKv;
  for (let from = 0; from < slots.length; ) {
    let to = from + 1;
    while (to < slots.length && slots[to] === slots[to - 1] + 1) to++;
    cache.keys.set(keys.data.subarray(from * width, to * width), slots[from] * width);
    cache.values.set(values.data.subarray(from * width, to * width), slots[from] * width);
    from = to;
  }
}
