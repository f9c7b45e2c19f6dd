import type { Norm, Tensor, Weight } from '../contract';
import { open, openWeight } from '../shared/boxes';
import { expectApart, expectCount, expectProduct, expectShape } from '../shared/checks';
import { product } from './linear';
import { normalized } from './rmsNorm';
import type { HostStorage } from './storage';

/**
 * outs[w] = rmsNorm(x) · weights[w]ᵀ: a pre-norm layer's query, key and value in one call, or its gate and up.
 *
 * Shapes: x [rows, inputs], weights[w] [outputs_w, inputs], outs[w] [rows, outputs_w]; as many outputs as weights, at
 * least one.
 * Precision: the norm is rounded to float32 first: the same bits as `rmsNorm`, then `linear` without a residual.
 * Aliasing: no output is `x`, and no box is an output twice.
 * Source: modeling_t5.py, `T5LayerSelfAttention`, `T5LayerFF`.
 */
export function normLinear(
  storage: HostStorage,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): void {
  const where = 'normLinear';
  const input = open(storage.memory, x, where);
  expectNormLinear(outs, weights);
  const matrices = weights.map((weight) => openWeight(storage.memory, weight, where));
  const boxes = outs.map((out) => open(storage.memory, out, where));
  for (const matrix of matrices) expectProduct(where, input, matrix, null);
  boxes.forEach((box, i) => {
    expectApart(where, box, [input, ...boxes.slice(0, i)]);
  });
  const normed = normalized(storage, where, input, norm); // [rows, inputs]
  matrices.forEach((matrix, i) => {
    storage.resize(boxes[i], input.rows, matrix.rows);
    product(boxes[i].data, normed, input.rows, matrix);
  });
}

function expectNormLinear(outs: readonly Tensor[], weights: readonly Weight[]): void {
  expectCount('normLinear', 'weights.length', weights.length);
  expectShape('normLinear', 'outs.length', weights.length, outs.length);
}
