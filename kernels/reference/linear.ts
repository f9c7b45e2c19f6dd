import type { Tensor, Weight } from '../contract';
import { openLinear } from '../shared/calls';
import type { HostWeight } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';
import { weightRow } from './weightRow';

/**
 * out[r][o] = Σ_i x[r][i] · weight[o][i] (+ residual[r][o]). T5's dense layers have no bias term.
 *
 * Shapes: x [rows, inputs], weight [outputs, inputs], residual and out [rows, outputs].
 * Precision: products and sum in float64, in the order of i. The sum is rounded to float32; then the residual is added and
 * the result is rounded again, so that a model which stores the product first has the same bits. Activations are never
 * quantised here. A backend that quantises them for q8 weights says so and states its tolerance.
 * Aliasing: `out` is neither `x` nor `residual`.
 * Source: modeling_t5.py, every `nn.Linear(bias=False)`.
 */
export function linear(storage: HostStorage, out: Tensor, x: Tensor, weight: Weight, residual: Tensor | null): void {
  const call = openLinear(storage, out, x, weight, residual);
  product(call.out.data, call.x.data, call.x.rows, call.weight);
  if (call.residual === null) return;
  const length = call.out.rows * call.out.cols;
  for (let i = 0; i < length; i++) call.out.data[i] += call.residual.data[i];
}

/** out[r][o] = Σ_i x[r][i] · weight[o][i]; out [rows, outputs], x [rows, inputs]. */
export function product(out: Float32Array, x: Float32Array, rows: number, weight: HostWeight): void {
  const { rows: outputs, cols: inputs } = weight;
  const row = new Float64Array(inputs);
  for (let o = 0; o < outputs; o++) {
    weightRow(weight, o, row);
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += x[r * inputs + i] * row[i];
      out[r * outputs + o] = sum;
    }
  }
}
