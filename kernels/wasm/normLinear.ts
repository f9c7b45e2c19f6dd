import type { Norm, Tensor, Weight } from '../contract';
import { openNormLinear } from '../shared/calls';
import { multiply } from './matmul';
import type { WasmStorage } from './storage';

/** See reference/normLinear.ts. The rows are normed and packed once; then all products are one job. */
export function normLinear(
  storage: WasmStorage,
  outs: readonly Tensor[],
  x: Tensor,
  norm: Norm,
  weights: readonly Weight[],
): void {
  const call = openNormLinear(storage, outs, x, norm, weights);
  const products = call.products.map(({ weight, out }) => ({ weight, out: out.at, residual: 0 }));
  multiply(storage.banks, { x: call.x, norm: call.norm, scale: 1 }, products);
}
