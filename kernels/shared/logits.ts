import type { Logits, LogitsQueries, TopK } from '../contract';
import { open } from './boxes';
import { expectArgument, expectIndices, expectShape } from './checks';
import type { HostStorage } from './hostStorage';

/** Vocabulary entries that are summed together first: fixed, so that a sum's order depends on the vocabulary alone. */
export const VOCABULARY_CHUNK = 4096;

/** What a backend computes over one row of logits, [vocabulary]. */
export interface RowQueries {
  argMax(values: Float32Array): number;
  logSumExp(values: Float32Array, inverseTemperature: number): number;
  topK(values: Float32Array, k: number): TopK;
}

/** Opens boxes, checks arguments and slices rows around a backend's own row functions. */
export function logitsQueriesOver(storage: HostStorage, row: RowQueries): LogitsQueries {
  const rowOf = (where: string, logits: Logits, index: number): Float32Array => {
    const box = open(storage.memory, logits, where);
    const inside = Number.isInteger(index) && index >= 0 && index < box.rows;
    expectArgument(inside, where, `a row in 0…${box.rows - 1}`, index);
    return box.data.subarray(index * box.vocabulary, (index + 1) * box.vocabulary);
  };
  return {
    async argMax(logits) {
      const { rows } = open(storage.memory, logits, 'argMax');
      return Int32Array.from({ length: rows }, (_, index) => row.argMax(rowOf('argMax', logits, index)));
    },
    async logSumExp(logits, index, inverseTemperature) {
      const fine = Number.isFinite(inverseTemperature) && inverseTemperature > 0;
      expectArgument(fine, 'logSumExp', 'an inverse temperature above 0', inverseTemperature);
      return row.logSumExp(rowOf('logSumExp', logits, index), inverseTemperature);
    },
    async at(logits, rows, tokens) {
      const box = open(storage.memory, logits, 'at');
      expectShape('at', 'tokens.length', rows.length, tokens.length);
      expectIndices('at', 'rows', rows, box.rows);
      expectIndices('at', 'tokens', tokens, box.vocabulary);
      return Float32Array.from(rows, (r, i) => box.data[r * box.vocabulary + tokens[i]]);
    },
    async topK(logits, index, k) {
      const values = rowOf('topK', logits, index);
      expectArgument(Number.isInteger(k) && k >= 1 && k <= values.length, 'topK', `k in 1…${values.length}`, k);
      return row.topK(values, k);
    },
    readLogits: async (logits, index) => rowOf('readLogits', logits, index).slice(),
  };
}
