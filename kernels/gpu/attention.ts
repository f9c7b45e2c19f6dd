import type { Bias, KvCache, Plan, Tensor } from '../contract';
import { type Fresh, openAttention } from '../shared/calls';
import { appendRows, fitCache } from './append';
import type { GpuBias, GpuCache, GpuPlan, GpuTensor } from './boxes';
import type { Program } from './device';
import { holder, view } from './queue';
import { blockedSum } from './rmsNorm';
import type { GpuStorage } from './storage';

interface Heads {
  readonly heads: number;
  readonly dKv: number;
}

/** score[row][head][j] = query · key_j + bias, one a thread, for rows from `first` on. */
export function scoresProgram(cache: Heads, biased: boolean): Program {
  const { heads, dKv } = cache;
  const bias = `let column = j - plan[rows * 2 + row] + offset;
    if (column < 0) { column = 0; }
    if (column > span - 1) { column = span - 1; }
    return sum + bias[head][column];`;
  return {
    key: `scores ${heads} ${dKv}${biased ? ' biased' : ''}`,
    args: ['array', 'array', 'array', ...(biased ? (['array', 'int', 'int'] as const) : []), 'int', 'int', 'int'],
    constants: { heads, dKv },
    source: `function (query, slab, plan${biased ? ', bias, offset, span' : ''}, rows, longest, first) {
    const line = quotient(this.thread.x, longest);
    const j = this.thread.x - line * longest;
    const inside = quotient(line, this.constants.heads);
    const head = line - inside * this.constants.heads;
    const row = inside + first;
    if (j >= plan[rows + row]) { return 0; }
    const slot = plan[rows * 3 + plan[row] + j];
    const from = head * this.constants.dKv;
    ${blockedSum(dKv, (d) => `query[row][from + ${d}] * slab[slot * 2][from + ${d}]`)}
    ${biased ? bias : 'return sum;'}
  }`,
  };
}

/**
 * out[row][head][d] = Σ softmax(score)_j · value_j, in ordinal order. `keys` bounds the loop: the row's own count ends
 * it. Threads of one head repeat its exponentials: cheaper than a launch to share them.
 */
export function mixProgram(cache: Heads, keys: number, more: boolean): Program {
  const { heads, dKv } = cache;
  return {
    key: `mix ${heads} ${dKv} ${keys}${more ? ' more' : ''}`,
    args: ['array', 'array', 'array', ...(more ? (['array'] as const) : []), 'int', 'int', 'int', 'int'],
    constants: { heads, dKv, keys },
    source: `function (scores, slab, plan${more ? ', before' : ''}, rows, longest, first, last) {
    const width = this.constants.heads * this.constants.dKv;
    const row = quotient(this.thread.x, width);
    ${more ? 'if (row < first) { return before[this.thread.x]; }' : ''}
    const at = this.thread.x - row * width;
    const head = quotient(at, this.constants.dKv);
    const line = (row - first) * this.constants.heads + head;
    const count = plan[rows + row];
    const list = rows * 3 + plan[row];
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

/** Loop bounds come in powers of four, so that few kernels serve every length. */
function boundOf(longest: number): number {
  return 4 ** Math.max(3, Math.ceil(Math.log(longest) / Math.log(4) - 1e-9));
}

/** See reference/attention.ts. Float32; two launches and one for the append, whatever the rows. */
export function attention(
  storage: GpuStorage,
  out: Tensor,
  query: Tensor,
  fresh: Fresh | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
): void {
  const call = openAttention(storage, out, query, fresh, cache, plan, bias);
  const { queue } = storage;
  const slab = call.cache as GpuCache;
  const arranged = call.plan as GpuPlan;
  if (call.fresh === null) fitCache(queue, slab);
  else {
    const rows = { keys: call.fresh.keys as GpuTensor, values: call.fresh.values as GpuTensor };
    appendRows(queue, slab, rows, { rowOfSlot: arranged.rowOfSlot, written: arranged.rowOfSlotLength });
  }
  const boxes = { out: call.out as GpuTensor, query: call.query as GpuTensor, slab, plan: arranged };
  attend(storage, boxes, call.bias as GpuBias | null);
}

interface Boxes {
  readonly out: GpuTensor;
  readonly query: GpuTensor;
  readonly slab: GpuCache;
  readonly plan: GpuPlan;
}

/** Scores and sums, in as many groups of rows as the score matrix needs to fit the device's buffers. */
function attend(storage: GpuStorage, { out, query, slab, plan }: Boxes, bias: GpuBias | null): void {
  const { queue } = storage;
  const { device } = queue;
  const { rows, longest } = plan;
  const { heads, dKv } = slab;
  const width = heads * dKv;
  const group = Math.max(1, Math.floor(device.maxValues / (heads * longest)));
  for (let first = 0; first < rows; first += group) {
    const last = Math.min(rows, first + group);
    const scores = holder(); // [last − first, heads, longest]
    queue.produce(scores, () => {
      const biased = bias === null ? [] : [view(bias, bias.span), bias.offset, bias.span];
      const args = [view(query, width), view(slab, width), view(plan), ...biased, rows, longest, first];
      return device.launch(scoresProgram(slab, bias !== null), (last - first) * heads * longest, args);
    });
    const more = first > 0;
    queue.produce(
      out,
      () => {
        const before = more ? [view(out)] : [];
        const args = [view(scores), view(slab, width), view(plan), ...before, rows, longest, first, last];
        return device.launch(mixProgram(slab, boundOf(longest), more), last * width, args);
      },
      more ? 'old' : 'nothing',
    );
    queue.drop(scores);
  }
}
