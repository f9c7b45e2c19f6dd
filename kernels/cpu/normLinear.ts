import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
import type { HostStorage } from '../shared/hostStorage';
import { product } from './linear';
import { normalizeInto } from './rmsNorm';
import type { Scratch } from './scratch';

/** See reference/normLinear.ts: the same formula and the same bits. The norm is computed once for all weights. */
export function normLinear(
  storage: HostStorage,
  scratch: Scratch,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): void {
  const call = openNormLinear(storage, outs, x, norm, weights);
  const { rows, cols } = call.x;
  const normed = scratch.normed(rows * cols); // [rows, inputs]
  normalizeInto(normed, call.x, call.norm);
  const inputs = scratch.widen(normed, rows * cols);
  for (const { weight, out } of call.products) product(scratch, out.data, inputs, rows, weight);
}
