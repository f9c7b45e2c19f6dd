import type { Logits, LogitsQueries, TopK } from '../contract';
import { open } from '../shared/boxes';
import { expectArgument, expectIndices, expectShape } from '../shared/checks';
import type { HostStorage } from './storage';

/** Vocabulary entries that are summed together first: fixed, so that the sum's order depends on the vocabulary alone. */
export const VOCABULARY_CHUNK = 4096;

/**
 * Queries on logits [rows, vocabulary]. Numbers that are none: NaN is never the arg-max nor ahead of anything in
 * top-k (it sorts behind −∞), and a row without anything above −∞ has arg-max 0; logSumExp is NaN when the row holds
 * one, else +∞ when it holds +∞, else −∞ when there is nothing but −∞.
 */
export function logitsQueries(storage: HostStorage): LogitsQueries {
  const rowOf = (where: string, logits: Logits, row: number): Float32Array => {
    const box = open(storage.memory, logits, where);
    expectArgument(Number.isInteger(row) && row >= 0 && row < box.rows, where, `a row in 0…${box.rows - 1}`, row);
    return box.data.subarray(row * box.vocabulary, (row + 1) * box.vocabulary);
  };
  return {
    async argMax(logits) {
      const { rows } = open(storage.memory, logits, 'argMax');
      return Int32Array.from({ length: rows }, (_, row) => argMaxOf(rowOf('argMax', logits, row)));
    },
    async logSumExp(logits, row, inverseTemperature) {
      const fine = Number.isFinite(inverseTemperature) && inverseTemperature > 0;
      expectArgument(fine, 'logSumExp', 'an inverse temperature above 0', inverseTemperature);
      return logSumExpOf(rowOf('logSumExp', logits, row), inverseTemperature);
    },
    async at(logits, rows, tokens) {
      const box = open(storage.memory, logits, 'at');
      expectShape('at', 'tokens.length', rows.length, tokens.length);
      expectIndices('at', 'rows', rows, box.rows);
      expectIndices('at', 'tokens', tokens, box.vocabulary);
      return Float32Array.from(rows, (row, i) => box.data[row * box.vocabulary + tokens[i]]);
    },
    async topK(logits, row, k) {
      const values = rowOf('topK', logits, row);
      expectArgument(Number.isInteger(k) && k >= 1 && k <= values.length, 'topK', `k in 1…${values.length}`, k);
      return topKOf(values, k);
    },
    readLogits: async (logits, row) => rowOf('readLogits', logits, row).slice(),
  };
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
