import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
import { product } from './linear';
import { normalizeInto } from './rmsNorm';
import type { HostStorage, Scratch } from './storage';

/** See reference/normLinear.ts: same formula, same bits. The norm and its widening are done once for all weights. */
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
  normalizeInto(normed, call.x, call.gain, norm.epsilon);
  const inputs = scratch.widen(normed, rows * cols);
  call.weights.forEach((weight, i) => {
    product(scratch, call.outs[i].data, inputs, rows, weight);
  });
}
