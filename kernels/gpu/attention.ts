import type { AttentionPart, Bias, KvCache, Plan, Tensor } from '../contract';
import { type AttentionCall, type FreshRows, openAttention } from '../shared/calls';
import { blockedSum } from './blockedSum';
import type { GpuBoxes } from './boxes';
import type { Program } from './device';
import { createHolder, view } from './queue';
import { appendRows, fitSlab } from './slab';
import type { GpuStorage } from './storage';

interface Heads {
  readonly heads: number;
  readonly dKv: number;
}

/** score[row][head][j] = query · key_j + bias. A thread computes one score; the first row is `first`, and row 0 is the plan's row `shift`. */
export function scoresProgram(cache: Heads, biased: boolean): Program {
  const { heads, dKv } = cache;
  const bias = `let place = j;
    if (places > 0) { place = plan[places + plan[row + shift] + j]; }
    let column = place - plan[rows * 2 + row + shift] + offset;
    if (column < 0) { column = 0; }
    if (column > span - 1) { column = span - 1; }
    return sum + bias[head][column];`;
  return {
    key: `scores ${heads} ${dKv}${biased ? ' biased' : ''}`,
    args: [
      'array',
      'array',
      'array',
      ...(biased ? (['array', 'int', 'int', 'int'] as const) : []),
      'int',
      'int',
      'int',
      'int',
    ],
    constants: { heads, dKv },
    source: `function (query, slab, plan${biased ? ', bias, offset, span, places' : ''}, rows, longest, first, shift) {
    const line = quotient(this.thread.x, longest);
    const j = this.thread.x - line * longest;
    const inside = quotient(line, this.constants.heads);
    const head = line - inside * this.constants.heads;
    const row = inside + first;
    if (j >= plan[rows + row + shift]) { return 0; }
    const slot = plan[rows * 3 + plan[row + shift] + j];
    const from = head * this.constants.dKv;
    ${blockedSum(dKv, (d) => `query[row][from + ${d}] * slab[slot * 2][from + ${d}]`)}
    ${biased ? bias : 'return sum;'}
  }`,
  };
}

/**
 * out[row][head][d] = Σ softmax(score)_j · value_j, in the order of the key list. The loop has `keys` steps at most and ends at
 * the row's own count. Every thread of a head computes the same exponentials; that costs less than a launch to share them.
 *
 * @param more - whether rows below `first` are copied from an earlier launch
 */
export function mixProgram(cache: Heads, keys: number, more: boolean): Program {
  const { heads, dKv } = cache;
  return {
    key: `mix ${heads} ${dKv} ${keys}${more ? ' more' : ''}`,
    args: ['array', 'array', 'array', ...(more ? (['array'] as const) : []), 'int', 'int', 'int', 'int', 'int'],
    constants: { heads, dKv, keys },
    source: `function (scores, slab, plan${more ? ', before' : ''}, rows, longest, first, last, shift) {
    const width = this.constants.heads * this.constants.dKv;
    const row = quotient(this.thread.x, width);
    ${more ? 'if (row < first) { return before[this.thread.x]; }' : ''}
    const at = this.thread.x - row * width;
    const head = quotient(at, this.constants.dKv);
    const line = (row - first) * this.constants.heads + head;
    const count = plan[rows + row + shift];
    const list = rows * 3 + plan[row + shift];
    let largest = scores[line * longest];
    for (let j = 1; j < this.constants.keys; j++) {
      if (j >= count) { break; }
      largest = Math.max(largest, scores[line * longest + j]);
    }
    let total = 0;
    let sum = 0;
    for (let j = 0; j < this.constants.keys; j++) {
      if (j >= count) { break; }
      const weight = Math.exp(scores[line * longest + j] - largest);
      total += weight;
      sum += weight * slab[plan[list + j] * 2 + 1][at];
    }
    return sum / total;
  }`,
  };
}

/** The loop bound for key lists of a length: a power of four, so that a few kernels serve all lengths. */
function boundOf(longest: number): number {
  return 4 ** Math.max(3, Math.ceil(Math.log(longest) / Math.log(4) - 1e-9));
}

/** See reference/attention.ts. Float32; two launches, and one for the append, whatever the number of rows. */
export function attention(
  storage: GpuStorage,
  out: Tensor,
  query: Tensor,
  fresh: FreshRows | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
  part?: AttentionPart,
): void {
  const call = openAttention(storage, out, query, fresh, cache, plan, bias, part);
  const { rows, heads } = call.part;
  if (rows[1] < call.query.rows || heads[1] < call.cache.heads) return; // everything is computed at the last part
  const { rowOfSlot, rowOfSlotLength } = call.plan;
  if (call.fresh === null) fitSlab(storage.queue, call.cache);
  else appendRows(storage.queue, call.cache, call.fresh, { rowOfSlot, written: rowOfSlotLength });
  attend(storage, call);
}

/** Computes scores and sums, for as many rows at a time as have scores that fit one buffer. */
function attend({ queue }: GpuStorage, { out, query, cache, plan, bias, part }: AttentionCall<GpuBoxes>): void {
  const { device } = queue;
  const { rows: planRows, longest } = plan;
  const { rows } = query;
  const { planRow } = part;
  const { heads, dKv } = cache;
  const width = heads * dKv;
  const group = Math.max(1, Math.floor(device.maxValues / (heads * longest)));
  for (let first = 0; first < rows; first += group) {
    const last = Math.min(rows, first + group);
    const scores = createHolder(); // [last − first, heads, longest]
    queue.produce(scores, () => {
      const biased = bias === null ? [] : [view(bias, bias.span), bias.offset, bias.span, plan.places];
      const args = [view(query, width), view(cache, width), view(plan), ...biased, planRows, longest, first, planRow];
      return device.launch(scoresProgram(cache, bias !== null), (last - first) * heads * longest, args);
    });
    const more = first > 0;
    queue.produce(
      out,
      () => {
        const before = more ? [view(out)] : [];
        const args = [view(scores), view(cache, width), view(plan), ...before, planRows, longest, first, last, planRow];
        return device.launch(mixProgram(cache, boundOf(longest), more), last * width, args);
      },
      more ? 'old' : 'nothing',
    );
    queue.drop(scores);
  }
}
