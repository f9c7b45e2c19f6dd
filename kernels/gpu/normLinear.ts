import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
import type { GpuTensor, GpuWeight } from './boxes';
import { product } from './linear';
import { holder } from './queue';
import { normInto } from './rmsNorm';
import type { GpuStorage } from './storage';

/** See reference/normLinear.ts. One launch for the norm, one for each weight. */
export function normLinear(
  storage: GpuStorage,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): void {
  const call = openNormLinear(storage, outs, x, norm, weights);
  const input = call.x as GpuTensor;
  const { queue } = storage;
  const normed = holder(); // [rows, inputs]
  normInto(queue, normed, input, norm);
  call.weights.forEach((weight, i) => {
    product(queue, call.outs[i] as GpuTensor, { x: normed, rows: input.rows }, weight as GpuWeight, null);
  });
  queue.drop(normed);
}
