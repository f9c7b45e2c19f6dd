import type { KvCache, Tensor } from '../contract';
import { type OpenedFreshRows, openAppend } from '../shared/calls';
import type { HostBoxes, HostCache } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';

/**
 * cache.keys[slots[r]] = keys[r] and cache.values[slots[r]] = values[r]. All other slots keep their content.
 *
 * Shapes: keys, values [rows, heads · dKv]; slots [rows], no slot twice.
 * Precision: a copy, bit for bit.
 * Source: the key/value cache of autoregressive decoding (Shazeer 2019, arXiv 1911.02150 § 2.4).
 */
export function append(storage: HostStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const call = openAppend(storage, cache, keys, values, slots);
  writeRows(call.cache, call.fresh, slots);
}

/** Copies each row into its slot. */
export function writeRows(cache: HostCache, { keys, values }: OpenedFreshRows<HostBoxes>, slots: Int32Array): void {
  const width = cache.heads * cache.dKv;
  for (let r = 0; r < slots.length; r++) {
    cache.keys.set(keys.data.subarray(r * width, (r + 1) * width), slots[r] * width);
    cache.values.set(values.data.subarray(r * width, (r + 1) * width), slots[r] * width);
  }
}
