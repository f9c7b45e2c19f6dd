import type { LogitsQueries, TopK } from '../contract';
import type { HostStorage } from '../shared/hostStorage';
import { createHostQueries, type RowQueries, VOCABULARY_CHUNK } from '../shared/queries';

/** The queries about one row. The gpu backend uses them too, on rows that it has read back. */
export const ROW_QUERIES: RowQueries = { argMax: argMaxOf, logSumExp: logSumExpOf, topK: topKOf };

/** See reference/logits.ts: the same answers and the same bits. */
export function logitsQueries(storage: HostStorage): LogitsQueries {
  return createHostQueries(storage, ROW_QUERIES, (logits) => logits.data);
}

function argMaxOf(values: Float32Array): number {
  let best = -1;
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(value < Infinity)) return -1;
    if (value > largest) {
      largest = value;
      best = i;
    }
  }
  return best;
}

function logSumExpOf(values: Float32Array, t: number): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  if (!Number.isFinite(largest)) return largest;
  let total = 0;
  for (let from = 0; from < values.length; from += VOCABULARY_CHUNK) {
    const to = Math.min(from + VOCABULARY_CHUNK, values.length);
    let sum = 0;
    for (let i = from; i < to; i++) sum += Math.exp((values[i] - largest) * t);
    total += sum;
  }
  return largest * t + Math.log(total);
}

/** Whether entry a ranks below entry b: it is smaller, or it is as large and has the higher id. NaN ranks below everything. */
function ranksBelow(values: Float32Array, a: number, b: number): boolean {
  const left = values[a];
  const right = values[b];
  if (left < right) return true;
  if (left > right) return false;
  const leftIsNaN = Number.isNaN(left);
  return leftIsNaN === Number.isNaN(right) ? a > b : leftIsNaN;
}

/**
 * Keeps a heap of the k best entries so far, with the lowest of them on top. Most entries are compared once, with the top; at
 * worst the cost is vocabulary · log k.
 */
function topKOf(values: Float32Array, k: number): TopK {
  const heap = new Int32Array(k);
  for (let i = 0; i < k; i++) heap[i] = i;
  for (let i = (k >> 1) - 1; i >= 0; i--) sink(values, heap, i, k);
  for (let i = k; i < values.length; i++) {
    if (values[i] <= values[heap[0]] || !ranksBelow(values, heap[0], i)) continue;
    heap[0] = i;
    sink(values, heap, 0, k);
  }
  for (let size = k - 1; size > 0; size--) {
    const top = heap[0];
    heap[0] = heap[size];
    heap[size] = top;
    sink(values, heap, 0, size);
  }
  return { ids: heap, values: Float32Array.from(heap, (id) => values[id]) };
}

/** Moves entry `at` of the heap down until neither child ranks below it. */
function sink(values: Float32Array, heap: Int32Array, at: number, size: number): void {
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && ranksBelow(values, heap[child + 1], heap[child])) child++;
    if (!ranksBelow(values, heap[child], heap[at])) return;
    const moved = heap[at];
    heap[at] = heap[child];
    heap[child] = moved;
    at = child;
  }
}
