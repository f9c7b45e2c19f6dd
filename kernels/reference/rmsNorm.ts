import type { Norm, Tensor } from '../contract';
import type { HostTensor } from '../shared/boxes';
import { openRmsNorm } from '../shared/calls';
import type { HostStorage } from './storage';

/**
 * out[r][i] = x[r][i] / sqrt(mean_j x[r][j]² + ε) · gain[i]: no mean is taken away and there is no bias term.
 *
 * Shapes: x [rows, cols], gain [cols], out [rows, cols].
 * Precision: the whole formula in float64, rounded once to float32.
 * Aliasing: `out` is not `x`.
 * Source: Zhang & Sennrich 2019 (arXiv 1910.07467) eq. 4; modeling_t5.py, `T5LayerNorm`.
 */
export function rmsNorm(storage: HostStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  call.out.data.set(normalized(call.x, call.gain, norm.epsilon));
}

/** The normed rows, [x.rows, x.cols], rounded to float32: what every kernel that norms first goes on with. */
export function normalized(x: HostTensor, gain: Float32Array, epsilon: number): Float32Array {
  const { rows, cols, data } = x;
  const out = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += data[r * cols + i] ** 2;
    const root = Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) out[r * cols + i] = (data[r * cols + i] / root) * gain[i];
  }
  return out;
}
