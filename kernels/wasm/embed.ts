import type { Tensor, Weight } from '../contract';
import { openEmbed } from '../shared/calls';
import { type WasmTensor, type WasmWeight, WEIGHT_CODES } from './boxes';
import { EmbedParameter, Operation } from './layout';
import type { WasmStorage } from './storage';

/** See reference/embed.ts: the same bits. */
export function embed(storage: WasmStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const call = openEmbed(storage, out, table, ids);
  copyWeightRows(storage, call.table, ids, call.out, ids.length > 8 ? ids.length * table.cols * 8 : 0);
}

/**
 * Copies rows of a weight out of their panels into a tensor of that shape, as float32.
 *
 * @param work - see `WasmInstance.run`
 */
export function copyWeightRows(
  { banks }: WasmStorage,
  weight: WasmWeight,
  ids: Int32Array,
  out: WasmTensor,
  work: number,
): void {
  const instance = banks.instance(weight.bank);
  const isElsewhere = instance !== banks.first;
  const bytes = ids.length * weight.cols * 4;
  const list = instance.area('small', ids.byteLength);
  const place = isElsewhere ? instance.area('results', bytes) : out.at;
  instance.memory.i32.set(ids, list >>> 2);
  const { i32 } = instance.memory.parameters;
  i32[EmbedParameter.ids] = list;
  i32[EmbedParameter.table] = weight.at;
  i32[EmbedParameter.type] = WEIGHT_CODES[weight.type];
  i32[EmbedParameter.cols] = weight.cols;
  i32[EmbedParameter.out] = place;
  instance.run(Operation.embed, ids.length, work);
  if (isElsewhere) banks.first.memory.u8.set(instance.memory.u8.subarray(place, place + bytes), out.at);
}
