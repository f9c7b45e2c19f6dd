import type { AttentionPart } from '../contract';
import { expectArgument } from './checks';

/** Length of the longest key list of the rows that a call computes, for backends whose plans are in this memory. */
export function longestList({
  plan,
  part: { planRow, rows },
}: {
  readonly plan: { readonly count: Int32Array };
  readonly part: AttentionPart;
}): number {
  return plan.count.subarray(planRow + rows[0], planRow + rows[1]).reduce((most, count) => Math.max(most, count));
}

/** Checks that a part lies inside its call, and its rows inside the plan. */
export function expectPart(
  { planRow, rows, heads }: AttentionPart,
  call: { readonly rows: number; readonly heads: number; readonly planRows: number },
): void {
  const where = 'attention: part';
  const isInside = ([from, to]: readonly [number, number], count: number) =>
    Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= count;
  expectArgument(isInside(rows, call.rows), where, `rows from 0 to ${call.rows}`, rows.join(' … '));
  expectArgument(isInside(heads, call.heads), where, `heads from 0 to ${call.heads}`, heads.join(' … '));
  const last = call.planRows - call.rows;
  expectArgument(isInside([planRow, planRow + 1], last + 1), where, `a planRow from 0 to ${last}`, planRow);
}
