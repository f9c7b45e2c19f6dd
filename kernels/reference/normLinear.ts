import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
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
  const call = openNormLinear(storage, outs, x, norm, weights);
  const normed = normalized(call.x, call.gain, norm.epsilon); // [rows, inputs]
  call.weights.forEach((weight, i) => {
    product(call.outs[i].data, normed, call.x.rows, weight);
  });
}
