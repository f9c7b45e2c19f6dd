import type { LogitsQueries, TopK } from '../contract';
import type { HostStorage } from '../shared/hostStorage';
import { createHostQueries, VOCABULARY_CHUNK } from '../shared/queries';

/**
 * Queries about logits, [rows, vocabulary]. Ties go to the lowest id.
 *
 * Precision of logSumExp: float64. The largest logit of the row is subtracted; chunks of 4,096 entries are summed one after
 * the other; then the sums of the chunks are added.
 *
 * A row that holds NaN or +∞ has no arg-max, and nor has one with nothing above −∞: the answer is −1. In top-k NaN comes after
 * everything else, −∞ included. logSumExp is NaN when the row holds a NaN; otherwise +∞ when it holds +∞; otherwise −∞ when it holds nothing but −∞.
 */
export function logitsQueries(storage: HostStorage): LogitsQueries {
  const queries = { argMax: argMaxOf, logSumExp: logSumExpOf, topK: topKOf };
  return createHostQueries(storage, queries, (logits) => logits.data);
}

function argMaxOf(values: Float32Array): number {
  let best = -1;
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] < Infinity)) return -1;
    if (values[i] > largest) {
      largest = values[i];
      best = i;
    }
  }
  return best;
}

/** log Σ exp(v · t), with the largest v subtracted from all of them. */
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

/** Sorts the whole row: largest first, NaN last, ties by lowest id. */
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
