import type { Tensor, Weight } from '../contract';
import { openEmbed } from '../shared/calls';
import type { HostStorage } from '../shared/hostStorage';
import type { Scratch } from './scratch';

/** See reference/embed.ts: the same formula and the same bits. */
export function embed(storage: HostStorage, scratch: Scratch, out: Tensor, table: Weight, ids: Int32Array): void {
  const call = openEmbed(storage, out, table, ids);
  const { cols } = call.table;
  for (let r = 0; r < ids.length; r++) {
    const { data, offset } = scratch.panel(call.table, ids[r], 1);
    call.out.data.set(data.subarray(offset, offset + cols), r * cols);
  }
}
