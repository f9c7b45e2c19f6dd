import type { AttentionPart, Bias, KvCache, Plan, Tensor } from '../contract';
import { longestList } from '../shared/attentionPart';
import { type AttentionCall, type FreshRows, openAttention } from '../shared/calls';
import type { HostBoxes } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';
import { writeRows } from './append';

type Call = AttentionCall<HostBoxes>;

/**
 * See reference/attention.ts: the same formula and the same bits. The scores of four keys are computed side by side, and so
 * are the sums of four value columns.
 */
export function attention(
  storage: HostStorage,
  out: Tensor,
  query: Tensor,
  fresh: FreshRows | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
  part?: AttentionPart,
): void {
  const call = openAttention(storage, out, query, fresh, cache, plan, bias, part);
  if (call.fresh !== null) writeRows(call.cache, call.fresh, call.plan.write);
  const { heads, dKv } = call.cache;
  const longest = longestList(call);
  const row: Row = {
    offsets: new Int32Array(longest),
    scores: new Float64Array(longest),
    query: new Float64Array(dKv),
    count: 0,
    dKv,
  };
  const { planRow, rows, heads: chosen } = call.part;
  for (let r = rows[0]; r < rows[1]; r++) {
    const planned = planRow + r;
    row.count = call.plan.count[planned];
    for (let h = chosen[0]; h < chosen[1]; h++) {
      const from = (r * heads + h) * dKv;
      locateKeys(call, planned, h, row.offsets);
      for (let d = 0; d < dKv; d++) row.query[d] = call.query.data[from + d];
      dotKeys(row, call.cache.keys);
      if (call.bias !== null) addBias(call, planned, h, row.scores);
      softmax(row.scores, row.count);
      sumValues(row, call.cache.values, call.out.data, from);
    }
  }
}

/** One query row and one head. */
interface Row {
  /** Where key j starts in the cache, [count] */
  readonly offsets: Int32Array;
  /** [count] */
  readonly scores: Float64Array;
  /** [dKv] */
  readonly query: Float64Array;
  count: number;
  readonly dKv: number;
}

function locateKeys(call: Call, r: number, h: number, offsets: Int32Array): void {
  const { heads, dKv } = call.cache;
  const { keys, start, count } = call.plan;
  for (let j = 0; j < count[r]; j++) offsets[j] = (keys[start[r] + j] * heads + h) * dKv;
}

/** scores[j] = Σ_d query[d] · key_j[d], in order of d. */
function dotKeys({ offsets, scores, query, count, dKv }: Row, keys: Float32Array): void {
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    const k0 = offsets[j];
    const k1 = offsets[j + 1];
    const k2 = offsets[j + 2];
    const k3 = offsets[j + 3];
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let d = 0; d < dKv; d++) {
      const q = query[d];
      a += q * keys[k0 + d];
      b += q * keys[k1 + d];
      c += q * keys[k2 + d];
      e += q * keys[k3 + d];
    }
    scores[j] = a;
    scores[j + 1] = b;
    scores[j + 2] = c;
    scores[j + 3] = e;
  }
  for (; j < count; j++) {
    let sum = 0;
    for (let d = 0; d < dKv; d++) sum += query[d] * keys[offsets[j] + d];
    scores[j] = sum;
  }
}

function addBias(call: Call, r: number, h: number, scores: Float64Array): void {
  const { table, span, offset } = call.bias!;
  const shift = offset - call.plan.position[r];
  const count = call.plan.count[r];
  const { places } = call.plan;
  const first = call.plan.start[r];
  for (let j = 0; j < count; j++) {
    const place = places ? places[first + j] : j;
    scores[j] += table[h * span + Math.min(Math.max(place + shift, 0), span - 1)];
  }
}

function softmax(scores: Float64Array, count: number): void {
  let largest = -Infinity;
  for (let j = 0; j < count; j++) largest = Math.max(largest, scores[j]);
  let total = 0;
  for (let j = 0; j < count; j++) {
    scores[j] = Math.exp(scores[j] - largest);
    total += scores[j];
  }
  for (let j = 0; j < count; j++) scores[j] /= total;
}

/** out[from + d] = Σ_j scores[j] · value_j[d], in order of j. */
function sumValues({ offsets, scores, count, dKv }: Row, values: Float32Array, out: Float32Array, from: number): void {
  let d = 0;
  for (; d + 4 <= dKv; d += 4) {
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let j = 0; j < count; j++) {
      const weight = scores[j];
      const v = offsets[j] + d;
      a += weight * values[v];
      b += weight * values[v + 1];
      c += weight * values[v + 2];
      e += weight * values[v + 3];
    }
    out[from + d] = a;
    out[from + d + 1] = b;
    out[from + d + 2] = c;
    out[from + d + 3] = e;
  }
  for (; d < dKv; d++) {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += scores[j] * values[offsets[j] + d];
    out[from + d] = sum;
  }
}
