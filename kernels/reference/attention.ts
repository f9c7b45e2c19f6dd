import type { Bias, KvCache, Plan, Tensor } from '../contract';
import { type HostBias, type HostCache, type HostPlan, type HostTensor, open } from '../shared/boxes';
import { expectApart, expectFilled, expectShape } from '../shared/checks';
import { openCache } from '../shared/hostStorage';
import { put } from './append';
import type { HostStorage } from './storage';

/** The rows' own keys and values, [rows, heads · dKv] each, appended before anything is attended to. */
interface Fresh {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/**
 * With `fresh`, first cache[plan.write[r]] = fresh[r] for every row; then for row r, head h and the row's key list
 * s_0 … s_{n−1}:
 *   score_j = Σ_d query[r][h][d] · cache.keys[s_j][h][d] + bias.table[h][clamp(j − position[r] + offset, 0, span − 1)]
 *   out[r][h] = Σ_j softmax(score)_j · cache.values[s_j][h]
 * There is no 1/√dKv: T5 folds it into the weights' initialisation.
 *
 * Shapes: query, out, fresh.keys, fresh.values [rows, heads · dKv]; plan of the same rows; bias [heads, span] or null.
 * Precision: scores, softmax (largest score taken away) and the weighted sum in float64, in ordinal order; rounded once.
 * Aliasing: `out` is neither `query` nor one of `fresh`.
 * Source: Vaswani et al. 2017 (arXiv 1706.03762) eq. 1; Raffel et al. 2020 § 2.1; modeling_t5.py, `T5Attention`.
 */
export function attention(
  storage: HostStorage,
  out: Tensor,
  query: Tensor,
  fresh: Fresh | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
): void {
  const call = openAttention(storage, out, query, fresh, cache, plan, bias);
  const { heads, dKv } = call.cache;
  const scores = new Float64Array(Math.max(...call.plan.count));
  const sums = new Float64Array(dKv);
  for (let r = 0; r < call.plan.rows; r++) {
    for (let h = 0; h < heads; h++) {
      softmaxScores(call, r, h, scores);
      weightedSum(call, r, h, scores, sums);
      call.out.data.set(sums, (r * heads + h) * dKv);
    }
  }
}

/** The opened boxes of one attention call. */
export interface AttentionCall {
  readonly out: HostTensor;
  readonly query: HostTensor;
  readonly cache: HostCache;
  readonly plan: HostPlan;
  readonly bias: HostBias | null;
}

/** Opens and checks the boxes, appends the fresh rows and shapes the output. */
export function openAttention(
  storage: HostStorage,
  out: Tensor,
  query: Tensor,
  fresh: Fresh | null,
  cache: KvCache,
  plan: Plan,
  bias: Bias | null,
): AttentionCall {
  const where = 'attention';
  const owner = storage.memory;
  const arranged = open(owner, plan, where);
  const call: AttentionCall = {
    out: open(owner, out, where),
    query: open(owner, query, where),
    cache: openCache(owner, cache, arranged.needs, where),
    plan: arranged,
    bias: bias === null ? null : open(owner, bias, where),
  };
  const width = call.cache.heads * call.cache.dKv;
  expectFilled(where, 'query', call.query);
  expectShape(where, 'plan.rows', call.query.rows, arranged.rows);
  expectShape(where, 'query.cols (heads · dKv)', width, call.query.cols);
  if (call.bias !== null) expectShape(where, 'bias.heads', call.cache.heads, call.bias.heads);
  expectShape(where, 'plan.write.length', fresh === null ? 0 : arranged.rows, arranged.write.length);
  expectApart(where, call.out, [call.query, fresh?.keys ?? null, fresh?.values ?? null]);
  if (fresh !== null) {
    put(where, call.cache, open(owner, fresh.keys, where), open(owner, fresh.values, where), arranged.write);
  }
  storage.resize(call.out, arranged.rows, width);
  return call;
}

/** softmax(query · keyⱼ + bias) of one row and head into scores[0 … count − 1]. */
function softmaxScores(call: AttentionCall, r: number, h: number, scores: Float64Array): void {
  const { cache, plan, query, bias } = call;
  const { heads, dKv } = cache;
  const count = plan.count[r];
  let largest = -Infinity;
  for (let j = 0; j < count; j++) {
    const q = (r * heads + h) * dKv;
    const k = (plan.keys[plan.start[r] + j] * heads + h) * dKv;
    let score = 0;
    for (let d = 0; d < dKv; d++) score += query.data[q + d] * cache.keys[k + d];
    if (bias !== null) {
      const column = Math.min(Math.max(j - plan.position[r] + bias.offset, 0), bias.span - 1);
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

/** Σ_j weights[j] · value_j of one row and head into sums, [dKv]. */
function weightedSum(call: AttentionCall, r: number, h: number, weights: Float64Array, sums: Float64Array): void {
  const { cache, plan } = call;
  const { heads, dKv } = cache;
  sums.fill(0);
  for (let j = 0; j < plan.count[r]; j++) {
    const v = (plan.keys[plan.start[r] + j] * heads + h) * dKv;
    for (let d = 0; d < dKv; d++) sums[d] += weights[j] * cache.values[v + d];
  }
}
