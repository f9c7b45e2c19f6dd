import type { AttentionPart, Bias, KvCache, Plan, Tensor } from '../contract';
import { longestList } from '../shared/attentionPart';
import { type AttentionCall, type FreshRows, openAttention } from '../shared/calls';
import type { HostBoxes } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';
import { writeRows } from './append';

type Call = AttentionCall<HostBoxes>;

/**
 * With `fresh`, cache[plan.write[r]] = fresh[r] for every row first. Then, for row r, head h and the row's list of slots
 * s_0 … s_{n−1}:
 *   score_j = Σ_d query[r][h][d] · cache.keys[s_j][h][d] + bias.table[h][clamp(pⱼ − position[r] + offset, 0, span − 1)]
 *   out[r][h] = Σ_j softmax(score)_j · cache.values[s_j][h]
 * where pⱼ is the position of key j: `plan.places`, or j itself where the plan has none.
 * With `part`, r is one of its rows, and the list and the position are those of row `planRow` + r of the plan.
 * There is no factor 1/√dKv: T5 has it in the initial values of its weights.
 *
 * Shapes: query, out, fresh.keys, fresh.values [rows, heads · dKv]; plan of the same rows; bias [heads, span] or null.
 * Precision: scores, softmax (after subtracting the largest score) and the weighted sum in float64, in the order of the list; rounded once.
 * Aliasing: `out` is neither `query` nor one of `fresh`.
 * Source: Vaswani et al. 2017 (arXiv 1706.03762) eq. 1; Raffel et al. 2020 § 2.1; modeling_t5.py, `T5Attention`.
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
  const scores = new Float64Array(longestList(call));
  const sums = new Float64Array(dKv);
  const { rows, heads: chosen } = call.part;
  for (let r = rows[0]; r < rows[1]; r++) {
    for (let h = chosen[0]; h < chosen[1]; h++) {
      softmaxScores(call, r, h, scores);
      weightedSum(call, r, h, scores, sums);
      call.out.data.set(sums, (r * heads + h) * dKv);
    }
  }
}

/** Writes softmax(query · keyⱼ + bias) of one row and head into scores[0 … count − 1]. */
function softmaxScores(call: Call, r: number, h: number, scores: Float64Array): void {
  const { cache, plan, query, bias } = call;
  const { heads, dKv } = cache;
  const planned = call.part.planRow + r;
  const [first, count] = [plan.start[planned], plan.count[planned]];
  let largest = -Infinity;
  for (let j = 0; j < count; j++) {
    const q = (r * heads + h) * dKv;
    const k = (plan.keys[first + j] * heads + h) * dKv;
    let score = 0;
    for (let d = 0; d < dKv; d++) score += query.data[q + d] * cache.keys[k + d];
    if (bias !== null) {
      const place = plan.places ? plan.places[first + j] : j;
      const column = Math.min(Math.max(place - plan.position[planned] + bias.offset, 0), bias.span - 1);
      score += bias.table[h * bias.span + column];
    }
    scores[j] = score;
    largest = Math.max(largest, score);
  }
  let total = 0;
  for (let j = 0; j < count; j++) {
    scores[j] = Math.exp(scores[j] - largest);
    total += scores[j];
  }
  for (let j = 0; j < count; j++) scores[j] /= total;
}

/** Writes Σ_j weights[j] · value_j of one row and head into sums, [dKv]. */
function weightedSum(call: Call, r: number, h: number, weights: Float64Array, sums: Float64Array): void {
  const { cache, plan } = call;
  const { heads, dKv } = cache;
  const planned = call.part.planRow + r;
  sums.fill(0);
  for (let j = 0; j < plan.count[planned]; j++) {
    const v = (plan.keys[plan.start[planned] + j] * heads + h) * dKv;
    for (let d = 0; d < dKv; d++) sums[d] += weights[j] * cache.values[v + d];
  }
}
