import type { KvCache, Tensor } from '../contract';
import { type AppendCall, openAppend } from '../shared/calls';
import type { HostStorage } from './storage';

/**
 * cache.keys[slots[r]] = keys[r], cache.values[slots[r]] = values[r]; all other slots stay as they are.
 *
 * Shapes: keys, values [rows, heads · dKv], slots [rows], each slot of the cache at most once.
 * Precision: a copy, bit for bit.
 * Source: the key/value cache of autoregressive decoding (Shazeer 2019, arXiv 1911.02150 § 2.4).
 */
export function append(storage: HostStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  put(openAppend(storage, cache, keys, values, slots), slots);
}

/** Copies rows into their slots. */
export function put({ cache, keys, values }: AppendCall, slots: Int32Array): void {
  const width = cache.heads * cache.dKv;
  for (let r = 0; r < slots.length; r++) {
    cache.keys.set(keys.data.subarray(r * width, (r + 1) * width), slots[r] * width);
    cache.values.set(values.data.subarray(r * width, (r + 1) * width), slots[r] * width);
  }
}
