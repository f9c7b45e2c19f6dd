import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
import type { HostStorage } from '../shared/hostStorage';
import { product } from './linear';
import { normalized } from './rmsNorm';

/**
 * outs[w] = rmsNorm(x) · weights[w]ᵀ. One call computes query, key and value of a layer, or the two inputs of a gated
 * feed-forward.
 *
 * Shapes: x [rows, inputs], weights[w] [outputs_w, inputs], outs[w] [rows, outputs_w]; as many outputs as weights, at
 * least one.
 * Precision: the norm is rounded to float32 first, so the bits are those of `rmsNorm` followed by `linear`.
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
  const normed = normalized(call.x, call.norm); // [rows, inputs]
  for (const { weight, out } of call.products) product(out.data, normed, call.x.rows, weight);
}
