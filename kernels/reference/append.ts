import type { KvCache, Tensor } from '../contract';
import { type HostCache, type HostTensor, open } from '../shared/boxes';
import { expectArgument, expectFilled, expectIndices, expectShape } from '../shared/checks';
import type { HostStorage } from './storage';

/**
 * cache.keys[slots[r]] = keys[r], cache.values[slots[r]] = values[r]; all other slots stay as they are.
 *
 * Shapes: keys, values [rows, heads · dKv], slots [rows], each slot of the cache at most once.
 * Precision: a copy, bit for bit.
 * Source: the key/value cache of autoregressive decoding (Shazeer 2019, arXiv 1911.02150 § 2.4).
 */
export function append(storage: HostStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const box = open(storage.memory, cache, 'append');
  expectArgument(new Set(slots).size === slots.length, 'append', 'a slot of its own for every row', 'one slot twice');
  const freshKeys = open(storage.memory, keys, 'append');
  put('append', box, freshKeys, open(storage.memory, values, 'append'), slots);
}

/** Checks, then copies rows into their slots. */
export function put(where: string, cache: HostCache, keys: HostTensor, values: HostTensor, slots: Int32Array): void {
  const width = cache.heads * cache.dKv;
  expectFilled(where, 'keys', keys);
  for (const [name, tensor] of [['keys', keys] as const, ['values', values] as const]) {
    expectShape(where, `${name}.rows`, slots.length, tensor.rows);
    expectShape(where, `${name}.cols`, width, tensor.cols);
  }
  expectIndices(where, 'slots', slots, cache.slots);
  for (let r = 0; r < slots.length; r++) {
    cache.keys.set(keys.data.subarray(r * width, (r + 1) * width), slots[r] * width);
    cache.values.set(values.data.subarray(r * width, (r + 1) * width), slots[r] * width);
  }
}
