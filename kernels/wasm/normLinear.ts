import type { Norm, Tensor, Weight } from '../contract';
import { expectApart, expectCount, expectProduct, expectShape } from '../shared/checks';
import { open, openWeight } from './boxes';
import { multiply, openGain } from './rows';
import type { WasmStorage } from './storage';

/** See reference/normLinear.ts. The rows are normed and packed once, then all products are one job. */
export function normLinear(
  storage: WasmStorage,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): void {
  const where = 'normLinear';
  const owner = storage.ledger;
  expectCount(where, 'weights.length', weights.length);
  expectShape(where, 'outs.length', weights.length, outs.length);
  const input = open(owner, x, where);
  const matrices = weights.map((weight) => openWeight(owner, weight, where));
  const boxes = outs.map((out) => open(owner, out, where));
  const gain = openGain(storage, where, input, norm);
  for (const matrix of matrices) expectProduct(where, input, matrix, null);
  boxes.forEach((box, i) => {
    expectApart(where, box, [input, ...boxes.slice(0, i)]);
  });
  boxes.forEach((box, i) => {
    storage.resize(box, input.rows, matrices[i].rows);
  });
  const products = matrices.map((weight, i) => ({ weight, out: boxes[i].at, residual: 0 }));
  multiply(storage.banks, { x: input, gain, epsilon: norm.epsilon, scale: 1 }, products);
}
