import type { KvCache, Tensor } from '../contract';
import { expectArgument, expectFilled, expectIndices, expectShape } from '../shared/checks';
import { open, type WasmCache, type WasmTensor } from './boxes';
import { type Machine, Operation, PARAMETER } from './machine';
import { cacheBytes, type WasmStorage } from './storage';

/** The rows' own keys and values, [rows, heads · dKv] each. */
export interface Fresh {
  readonly keys: Tensor;
  readonly values: Tensor;
}

export interface OpenedFresh {
  readonly keys: WasmTensor;
  readonly values: WasmTensor;
}

/** Checks rows of keys and values against a cache. */
export function openFresh(
  storage: WasmStorage,
  where: string,
  cache: WasmCache,
  fresh: Fresh,
  rows: number,
): OpenedFresh {
  const keys = open(storage.ledger, fresh.keys, where);
  const values = open(storage.ledger, fresh.values, where);
  expectFilled(where, 'keys', keys);
  for (const [name, tensor] of [['keys', keys] as const, ['values', values] as const]) {
    expectShape(where, `${name}.rows`, rows, tensor.rows);
    expectShape(where, `${name}.cols (heads · dKv)`, cache.heads * cache.dKv, tensor.cols);
  }
  return { keys, values };
}

/** Parameters 1 to 7 of `assembly/attention.ts`: fresh rows and the cache. */
export function setCache(machine: Machine, cache: WasmCache, fresh: OpenedFresh | null): void {
  const { i32 } = machine.memory;
  i32[PARAMETER + 1] = fresh?.keys.at ?? 0;
  i32[PARAMETER + 2] = fresh?.values.at ?? 0;
  i32[PARAMETER + 3] = cache.at;
  i32[PARAMETER + 4] = cache.at + cacheBytes(cache.heads, cache.dKv, cache.slots);
  i32[PARAMETER + 5] = cache.slots;
  i32[PARAMETER + 6] = cache.heads;
  i32[PARAMETER + 7] = cache.dKv;
}

/** See reference/append.ts: a copy, bit for bit. */
export function append(storage: WasmStorage, cache: KvCache, keys: Tensor, values: Tensor, slots: Int32Array): void {
  const where = 'append';
  expectArgument(new Set(slots).size === slots.length, where, 'a slot of its own for every row', 'one slot twice');
  const box = open(storage.ledger, cache, where);
  const fresh = openFresh(storage, where, box, { keys, values }, slots.length);
  expectIndices(where, 'slots', slots, box.slots);
  const { machine } = storage;
  const list = machine.area('small', slots.byteLength);
  machine.memory.i32.set(slots, list >>> 2);
  setCache(machine, box, fresh);
  machine.memory.i32[PARAMETER + 9] = list;
  machine.run(Operation.append, slots.length, slots.length > 8 ? slots.length * fresh.keys.cols * 8 : 0);
}
