import type { Logits, Norm, Tensor, Weight } from '../contract';
import { expectArgument, expectProduct } from '../shared/checks';
import { open, openWeight } from './boxes';
import { multiply, normRows, openGain } from './rows';
import { mayWait } from './screen';
import type { WasmStorage } from './storage';

/**
 * See reference/head.ts: norm and scale while packing, then a product as `linear` has it. The logits stay here. Those of a large
 * vocabulary wait for the first query: an arg-max needs only few of them (`screen.ts`).
 */
export function head(
  storage: WasmStorage,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): void {
  const where = 'head';
  const input = open(storage.ledger, x, where);
  const matrix = openWeight(storage.ledger, weight, where);
  const box = open(storage.ledger, out, where);
  expectProduct(where, input, matrix, null);
  expectArgument(Number.isFinite(scale), where, 'a finite scale', scale);
  const gain = norm === null ? 0 : openGain(storage, where, input, norm);
  storage.resizeLogits(box, input.rows, matrix.rows);
  const preparation = { x: input, gain, epsilon: norm?.epsilon ?? 0, scale };
  if (mayWait(storage, matrix, input.rows)) {
    storage.resize(box.input, input.rows, input.cols);
    normRows(storage.machine, preparation, box.input);
    box.pending = { input: box.input, weight: matrix };
    return;
  }
  multiply(storage.banks, preparation, [{ weight: matrix, out: box.at, residual: 0 }]);
}
