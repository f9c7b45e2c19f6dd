import type { Logits, LogitsQueries, TopK } from '../contract';
import { type BoxStorage, type BoxTypes, open } from './boxes';
import { expectArgument, expectIndices, expectShape } from './checks';

/** Vocabulary entries that are summed together first. It is fixed, so that the order of a sum depends on the vocabulary alone. */
export const VOCABULARY_CHUNK = 4096;

/** Tokens of a block: what is known of many tokens at a time, as bounds of their logits and of their random numbers. */
export const BLOCK = 32;

/** Opens logits for a query about one of their rows. */
export function openRow<B extends BoxTypes>(
  storage: BoxStorage<B>,
  where: string,
  logits: Logits,
  row: number,
): B['logits'] {
  const opened = open(storage, logits, where);
  const inside = Number.isInteger(row) && row >= 0 && row < opened.rows;
  expectArgument(inside, where, `a row in 0…${opened.rows - 1}`, row);
  return opened;
}

export function openLogSumExp<B extends BoxTypes>(
  storage: BoxStorage<B>,
  logits: Logits,
  row: number,
  inverseTemperature: number,
): B['logits'] {
  const valid = Number.isFinite(inverseTemperature) && inverseTemperature > 0;
  expectArgument(valid, 'logSumExp', 'an inverse temperature above 0', inverseTemperature);
  return openRow(storage, 'logSumExp', logits, row);
}

export function openTopK<B extends BoxTypes>(
  storage: BoxStorage<B>,
  logits: Logits,
  row: number,
  k: number,
): B['logits'] {
  const opened = openRow(storage, 'topK', logits, row);
  const { vocabulary } = opened;
  expectArgument(Number.isInteger(k) && k >= 1 && k <= vocabulary, 'topK', `k in 1…${vocabulary}`, k);
  return opened;
}

export function openBlocks<B extends BoxTypes>(
  storage: BoxStorage<B>,
  logits: Logits,
  row: number,
  blocks: readonly number[],
): B['logits'] {
  const opened = openRow(storage, 'blocks', logits, row);
  expectIndices('blocks', 'blocks', Int32Array.from(blocks), Math.ceil(opened.vocabulary / BLOCK));
  return opened;
}

export function openAt<B extends BoxTypes>(
  storage: BoxStorage<B>,
  logits: Logits,
  rows: Int32Array,
  tokens: Int32Array,
): B['logits'] {
  const opened = open(storage, logits, 'at');
  expectShape('at', 'tokens.length', rows.length, tokens.length);
  expectIndices('at', 'rows', rows, opened.rows);
  expectIndices('at', 'tokens', tokens, opened.vocabulary);
  return opened;
}

/** The logits `values[rows[i]][tokens[i]]` out of [rows, vocabulary]. */
export function pick(values: Float32Array, vocabulary: number, rows: Int32Array, tokens: Int32Array): Float32Array {
  return Float32Array.from(rows, (row, i) => values[row * vocabulary + tokens[i]]);
}

/** Some blocks out of a row of logits, [blocks.length, BLOCK]; NaN past its end. */
export function blocksOf(values: Float32Array, blocks: readonly number[]): Float32Array {
  const found = new Float32Array(blocks.length * BLOCK).fill(Number.NaN);
  for (const [i, block] of blocks.entries()) found.set(values.subarray(block * BLOCK, (block + 1) * BLOCK), i * BLOCK);
  return found;
}

/** Row `row` out of [rows, vocabulary]; a view. */
export function rowAt(values: Float32Array, vocabulary: number, row: number): Float32Array {
  return values.subarray(row * vocabulary, (row + 1) * vocabulary);
}

/** What a backend computes from one row of logits in host memory, [vocabulary]. */
export interface RowQueries {
  argMax(values: Float32Array): number;
  logSumExp(values: Float32Array, inverseTemperature: number): number;
  topK(values: Float32Array, k: number): TopK;
}

/**
 * All queries over logits in host memory.
 *
 * @param valuesOf - the values of opened logits, [rows, vocabulary]
 */
export function createHostQueries<B extends BoxTypes>(
  storage: BoxStorage<B>,
  queries: RowQueries,
  valuesOf: (logits: B['logits']) => Float32Array,
): LogitsQueries {
  const rowOf = (logits: B['logits'], row: number): Float32Array => rowAt(valuesOf(logits), logits.vocabulary, row);
  return {
    async argMax(logits) {
      const opened = open(storage, logits, 'argMax');
      return Int32Array.from({ length: opened.rows }, (_, row) => queries.argMax(rowOf(opened, row)));
    },
    async logSumExp(logits, row, inverseTemperature) {
      const opened = openLogSumExp(storage, logits, row, inverseTemperature);
      return queries.logSumExp(rowOf(opened, row), inverseTemperature);
    },
    async at(logits, rows, tokens) {
      const opened = openAt(storage, logits, rows, tokens);
      return pick(valuesOf(opened), opened.vocabulary, rows, tokens);
    },
    async topK(logits, row, k) {
      return queries.topK(rowOf(openTopK(storage, logits, row, k), row), k);
    },
    async readLogits(logits, row) {
      return rowOf(openRow(storage, 'readLogits', logits, row), row).slice();
    },
    isWhole(logits) {
      open(storage, logits, 'isWhole');
      return true;
    },
  };
}
