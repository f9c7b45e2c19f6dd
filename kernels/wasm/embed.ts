import type { Tensor, Weight } from '../contract';
import { expectCount, expectIndices } from '../shared/checks';
import { open, openWeight, TYPE_CODE } from './boxes';
import { Operation, PARAMETER } from './machine';
import type { WasmStorage } from './storage';

/** See reference/embed.ts: the same bits. Rows are gathered out of their panels. */
export function embed(storage: WasmStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const weight = openWeight(storage.ledger, table, 'embed');
  const box = open(storage.ledger, out, 'embed');
  expectCount('embed', 'ids.length', ids.length);
  expectIndices('embed', 'ids', ids, weight.rows);
  storage.resize(box, ids.length, weight.cols);
  const home = storage.machine;
  const machine = storage.banks.machine(weight.bank);
  const bytes = ids.length * weight.cols * 4;
  const list = machine.area('small', ids.byteLength);
  const place = machine === home ? box.at : machine.area('results', bytes);
  const { i32, u8 } = machine.memory;
  i32.set(ids, list >>> 2);
  i32.set([list, weight.at, TYPE_CODE[weight.type], weight.cols, place], PARAMETER);
  machine.run(Operation.embed, ids.length, ids.length > 8 ? ids.length * weight.cols * 8 : 0);
  if (machine !== home) home.memory.u8.set(u8.subarray(place, place + bytes), box.at);
}
