import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
import { product } from './linear';
import { createHolder } from './queue';
import { normInto } from './rmsNorm';
import type { GpuStorage } from './storage';

/** See reference/normLinear.ts. One launch for the norm and one for each weight. */
export function normLinear(
  storage: GpuStorage,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): void {
  const call = openNormLinear(storage, outs, x, norm, weights);
  const { queue } = storage;
  const normed = createHolder(); // [rows, inputs]
  normInto(queue, normed, call.x, call.norm);
  for (const { weight, out } of call.products) product(queue, out, { x: normed, rows: call.x.rows }, weight, null);
  queue.drop(normed);
}
