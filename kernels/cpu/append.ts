import type { KvCache, Tensor } from '../contract';
import { type AppendCall, openAppend } from '../shared/calls';
import type { HostStorage } from './storage';

/** See reference/append.ts: a copy, bit for bit. */
export function append(storage: HostStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  put(openAppend(storage, cache, keys, values, slots), slots);
}

/** Copies rows into their slots, runs of neighbouring slots at once (a chain or an encoded source is one run). */
export function put({ cache, keys, values }: AppendCall, slots: Int32Array): void {
  const width = cache.heads * cache.dKv;
  for (let from = 0; from < slots.length; ) {
    let to = from + 1;
    while (to < slots.length && slots[to] === slots[to - 1] + 1) to++;
    cache.keys.set(keys.data.subarray(from * width, to * width), slots[from] * width);
    cache.values.set(values.data.subarray(from * width, to * width), slots[from] * width);
    from = to;
  }
}
