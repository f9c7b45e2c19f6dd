import type { LogitsQueries } from '../contract';
import { open, openWeight } from '../shared/boxes';
import { blocksOf, openAt, openBlocks, openLogSumExp, openRow, openTopK, pick } from '../shared/queries';
import type { WasmLogits } from './boxes';
import type { WasmInstance } from './instance';
import { LogitsParameter, Operation, Size } from './layout';
import { computePending, screenedArgMax, screenedTops, unitLogits } from './screen';
import type { WasmStorage } from './storage';

/**
 * See reference/logits.ts. logSumExp is float64 throughout; the threads sum chunks of the vocabulary, and their sums are added
 * in order.
 */
export function logitsQueries(storage: WasmStorage): LogitsQueries {
  const { first } = storage.banks;
  /** Computes the logits if their product is pending, and gives the address of a row. */
  const rowAddress = (where: string, logits: WasmLogits, row: number): number => {
    compute(where, logits);
    return logits.at + row * logits.vocabulary * 4;
  };
  const compute = (where: string, logits: WasmLogits): void => computePending(storage, withWeight(where, logits));
  /** Sees that the weight of a pending product was not freed. */
  const withWeight = (where: string, logits: WasmLogits): WasmLogits => {
    if (logits.pending !== null) openWeight(storage, logits.pending.weight, where);
    return logits;
  };
  return {
    async argMax(logits) {
      const opened = withWeight('argMax', open(storage, logits, 'argMax'));
      const found = screenedArgMax(storage, opened);
      if (found !== null) return found;
      computePending(storage, opened);
      return argMax(first, opened);
    },
    async logSumExp(logits, row, inverseTemperature) {
      const opened = openLogSumExp(storage, logits, row, inverseTemperature);
      const at = rowAddress('logSumExp', opened, row);
      return logSumExp(first, at, opened.vocabulary, inverseTemperature);
    },
    async at(logits, rows, tokens) {
      const opened = openAt(storage, logits, rows, tokens);
      compute('at', opened);
      return pick(first.memory.f32.subarray(opened.at >>> 2), opened.vocabulary, rows, tokens);
    },
    async topK(logits, row, k) {
      const opened = openTopK(storage, logits, row, k);
      const at = rowAddress('topK', opened, row);
      const list = first.area('small', k * 4);
      first.exports.topK(at, opened.vocabulary, k, list);
      const { i32, f32 } = first.memory;
      const ids = i32.slice(list >>> 2, (list >>> 2) + k);
      return { ids, values: Float32Array.from(ids, (id) => f32[(at >>> 2) + id]) };
    },
    async readLogits(logits, row) {
      const opened = openRow(storage, 'readLogits', logits, row);
      const at = rowAddress('readLogits', opened, row) >>> 2;
      return first.memory.f32.slice(at, at + opened.vocabulary);
    },
    async tops(logits, row) {
      return screenedTops(storage, withWeight('tops', openRow(storage, 'tops', logits, row)), row);
    },
    async blocks(logits, row, blocks) {
      const { pending, vocabulary, ...opened } = withWeight('blocks', openBlocks(storage, logits, row, blocks));
      if (pending !== null) return unitLogits(storage, pending, row, blocks);
      const at = (opened.at >>> 2) + row * vocabulary;
      return blocksOf(first.memory.f32.subarray(at, at + vocabulary), blocks);
    },
    isWhole: (logits) => open(storage, logits, 'isWhole').pending === null,
  };
}

function setParameters(i32: Int32Array, at: number, vocabulary: number, answers: number): void {
  i32[LogitsParameter.logits] = at;
  i32[LogitsParameter.vocabulary] = vocabulary;
  i32[LogitsParameter.answers] = answers;
}

function argMax(instance: WasmInstance, { at, rows, vocabulary }: WasmLogits): Int32Array {
  const answers = instance.area('small', rows * 4);
  setParameters(instance.memory.parameters.i32, at, vocabulary, answers);
  instance.run(Operation.argMax, rows, rows * vocabulary);
  const best = instance.memory.i32.slice(answers >>> 2, (answers >>> 2) + rows);
  const { f32 } = instance.memory;
  return best.map((id, row) => (hasArgMax(f32, (at >>> 2) + row * vocabulary, vocabulary, id) ? id : -1));
}

/** Whether a row holds neither NaN nor +∞, and something above −∞. The sum of finite values times 0 is 0, whatever they are. */
function hasArgMax(f32: Float32Array, from: number, count: number, best: number): boolean {
  let [even, odd] = [0, 0];
  const last = from + count - 1;
  for (let i = from; i < last; i += 2) {
    even += f32[i] * 0;
    odd += f32[i + 1] * 0;
  }
  if (even + odd + f32[last] * 0 === 0) return true;
  if (f32[from + best] === -Infinity) return false;
  for (let i = from; i <= last; i++) if (!(f32[i] < Infinity)) return false;
  return true;
}

function logSumExp(instance: WasmInstance, at: number, vocabulary: number, inverseTemperature: number): number {
  const chunks = Math.ceil(vocabulary / Size.chunkEntries);
  const partials = instance.area('small', chunks * Size.partialAnswer);
  const { parameters, f32, f64 } = instance.memory;
  setParameters(parameters.i32, at, vocabulary, partials);
  instance.run(Operation.largest, chunks, vocabulary);
  let largest = -Infinity;
  for (let i = 0; i < chunks; i++) largest = Math.max(largest, f32[(partials + i * Size.partialAnswer) >>> 2]);
  if (!Number.isFinite(largest)) return largest;
  parameters.f64[LogitsParameter.largest >> 1] = largest;
  parameters.f64[LogitsParameter.inverseTemperature >> 1] = inverseTemperature;
  instance.run(Operation.exponentials, chunks, vocabulary * 16);
  let total = 0;
  for (let i = 0; i < chunks; i++) total += f64[(partials + i * Size.partialAnswer) >>> 3];
  return largest * inverseTemperature + Math.log(total);
}
