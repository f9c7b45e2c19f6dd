import type { Logits, LogitsQueries } from '../contract';
import { expectArgument, expectIndices, expectShape } from '../shared/checks';
import { VOCABULARY_CHUNK } from '../shared/logits';
import { open, openWeight, type WasmLogits } from './boxes';
import { type Machine, Operation, PARAMETER } from './machine';
import { screenedArgMax, settle } from './screen';
import type { WasmStorage } from './storage';

/** See reference/logits.ts. logSumExp is float64 throughout: chunks in parallel, their sums joined in order. */
export function logitsQueries(storage: WasmStorage): LogitsQueries {
  const { machine, ledger } = storage;
  /** The box, its logits computed. */
  const settled = (where: string, logits: Logits): WasmLogits => {
    const box = open(ledger, logits, where);
    if (box.pending) openWeight(ledger, box.pending.weight, where);
    settle(storage, box);
    return box;
  };
  const rowOf = (where: string, logits: Logits, index: number): { at: number; vocabulary: number } => {
    const box = settled(where, logits);
    const inside = Number.isInteger(index) && index >= 0 && index < box.rows;
    expectArgument(inside, where, `a row in 0…${box.rows - 1}`, index);
    return { at: box.at + index * box.vocabulary * 4, vocabulary: box.vocabulary };
  };
  return {
    async argMax(logits) {
      const box = open(ledger, logits, 'argMax');
      if (box.pending) openWeight(ledger, box.pending.weight, 'argMax');
      const found = screenedArgMax(storage, box);
      if (found) return found;
      settle(storage, box);
      const { rows, vocabulary } = box;
      const answers = machine.area('small', rows * 4);
      machine.memory.i32.set([box.at, vocabulary, answers], PARAMETER);
      machine.run(Operation.argMax, rows, rows * vocabulary);
      return machine.memory.i32.slice(answers >>> 2, (answers >>> 2) + rows);
    },
    async logSumExp(logits, index, inverseTemperature) {
      const fine = Number.isFinite(inverseTemperature) && inverseTemperature > 0;
      expectArgument(fine, 'logSumExp', 'an inverse temperature above 0', inverseTemperature);
      return logSumExp(machine, rowOf('logSumExp', logits, index), inverseTemperature);
    },
    async at(logits, rows, tokens) {
      const box = settled('at', logits);
      expectShape('at', 'tokens.length', rows.length, tokens.length);
      expectIndices('at', 'rows', rows, box.rows);
      expectIndices('at', 'tokens', tokens, box.vocabulary);
      const { f32 } = machine.memory;
      return Float32Array.from(rows, (r, i) => f32[(box.at >>> 2) + r * box.vocabulary + tokens[i]]);
    },
    async topK(logits, index, k) {
      const row = rowOf('topK', logits, index);
      const fine = Number.isInteger(k) && k >= 1 && k <= row.vocabulary;
      expectArgument(fine, 'topK', `k in 1…${row.vocabulary}`, k);
      const list = machine.area('small', k * 4);
      machine.exports.topK(row.at, row.vocabulary, k, list);
      const { i32, f32 } = machine.memory;
      const ids = i32.slice(list >>> 2, (list >>> 2) + k);
      return { ids, values: Float32Array.from(ids, (id) => f32[(row.at >>> 2) + id]) };
    },
    async readLogits(logits, index) {
      const { at, vocabulary } = rowOf('readLogits', logits, index);
      return machine.memory.f32.slice(at >>> 2, (at >>> 2) + vocabulary);
    },
  };
}

/** Sixteen bytes of partial answer a chunk. */
const PARTIAL = 16;

function logSumExp(machine: Machine, row: { at: number; vocabulary: number }, inverse: number): number {
  const chunks = Math.ceil(row.vocabulary / VOCABULARY_CHUNK);
  const partials = machine.area('small', chunks * PARTIAL);
  const { i32, f32, f64 } = machine.memory;
  i32.set([row.at, row.vocabulary, partials], PARAMETER);
  machine.run(Operation.largest, chunks, row.vocabulary);
  let largest = -Infinity;
  for (let i = 0; i < chunks; i++) largest = Math.max(largest, f32[(partials >>> 2) + i * 4]);
  if (!Number.isFinite(largest)) return largest;
  f64[(PARAMETER + 4) >> 1] = largest;
  f64[(PARAMETER + 6) >> 1] = inverse;
  machine.run(Operation.exponentials, chunks, row.vocabulary * 16);
  let total = 0;
  for (let i = 0; i < chunks; i++) total += f64[(partials >>> 3) + i * 2];
  return largest * inverse + Math.log(total);
}
