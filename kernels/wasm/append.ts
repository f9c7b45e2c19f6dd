import type { KvCache, Tensor } from '../contract';
import { type OpenedFreshRows, openAppend } from '../shared/calls';
import { cacheBytes, type WasmBoxes, type WasmCache } from './boxes';
import { AttentionParameter, Operation } from './layout';
import type { WasmStorage } from './storage';

/** Sets the parameters that `append` and `attend` share: the cache, and the rows to write to it. */
export function setCache(i32: Int32Array, cache: WasmCache, fresh: OpenedFreshRows<WasmBoxes> | null): void {
  i32[AttentionParameter.freshKeys] = fresh?.keys.at ?? 0;
  i32[AttentionParameter.freshValues] = fresh?.values.at ?? 0;
  i32[AttentionParameter.cacheKeys] = cache.at;
  i32[AttentionParameter.cacheValues] = cache.at + cacheBytes(cache.heads, cache.dKv, cache.slots);
  i32[AttentionParameter.slots] = cache.slots;
  i32[AttentionParameter.heads] = cache.heads;
  i32[AttentionParameter.dKv] = cache.dKv;
}

/** See reference/append.ts: a copy, bit for bit. */
export function append(storage: WasmStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const call = openAppend(storage, cache, keys, values, slots);
  const { first } = storage.banks;
  const list = first.area('small', slots.byteLength);
  first.memory.i32.set(slots, list >>> 2);
  const { i32 } = first.memory.parameters;
  setCache(i32, call.cache, call.fresh);
  i32[AttentionParameter.write] = list;
  first.run(Operation.append, slots.length, slots.length > 8 ? slots.length * call.fresh.keys.cols * 8 : 0);
}
