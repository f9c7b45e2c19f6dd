import type { LogitsQueries, TopK } from '../contract';
import { logitsQueriesOver, VOCABULARY_CHUNK } from '../shared/logits';
import type { HostStorage } from './storage';

/**
 * Queries on logits [rows, vocabulary]; ties go to the lowest id. logSumExp in float64: the row's largest is taken
 * away, chunks of 4,096 are summed one by one, then the chunks' sums.
 *
 * Numbers that are none: NaN is never the arg-max nor ahead of anything in top-k (it sorts behind −∞), and a row without
 * anything above −∞ has arg-max 0; logSumExp is NaN when the row holds one, else +∞ when it holds +∞, else −∞ when there
 * is nothing but −∞.
 */
export function logitsQueries(storage: HostStorage): LogitsQueries {
  return logitsQueriesOver(storage, { argMax: argMaxOf, logSumExp: logSumExpOf, topK: topKOf });
}

function argMaxOf(values: Float32Array): number {
  let best = 0;
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] > largest) {
      largest = values[i];
      best = i;
    }
  }
  return best;
}

/** log Σ exp(v · t): the largest term taken away, chunks summed one by one, then the chunks' sums. */
function logSumExpOf(values: Float32Array, t: number): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  if (!Number.isFinite(largest)) return largest;
  let total = 0;
  for (let from = 0; from < values.length; from += VOCABULARY_CHUNK) {
    let sum = 0;
    const to = Math.min(from + VOCABULARY_CHUNK, values.length);
    for (let i = from; i < to; i++) sum += Math.exp((values[i] - largest) * t);
    total += sum;
  }
  return largest * t + Math.log(total);
}

/** By a full sort: largest first, NaN last, ties by lowest id. */
function topKOf(values: Float32Array, k: number): TopK {
  const rank = (value: number): number => (Number.isNaN(value) ? -1 : 0);
  const ids = Array.from(values.keys()).sort((a, b) => {
    const [left, right] = [values[a], values[b]];
    if (left > right) return -1;
    if (left < right) return 1;
    return rank(right) - rank(left) || a - b;
  });
  const chosen = Int32Array.from(ids.slice(0, k));
  return { ids: chosen, values: Float32Array.from(chosen, (id) => values[id]) };
}
