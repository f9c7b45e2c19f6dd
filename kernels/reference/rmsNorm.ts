import type { Norm, Tensor } from '../contract';
import { type OpenedNorm, openRmsNorm } from '../shared/calls';
import type { HostBoxes, HostTensor } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';

/**
 * out[r][i] = x[r][i] / sqrt(mean_j x[r][j]² + ε) · gain[i]. Unlike a layer norm it subtracts no mean and has no bias.
 *
 * Shapes: x [rows, cols], gain [cols], out [rows, cols].
 * Precision: the whole formula in float64, rounded once to float32.
 * Aliasing: `out` is not `x`.
 * Source: Zhang & Sennrich 2019 (arXiv 1910.07467) eq. 4; modeling_t5.py, `T5LayerNorm`.
 */
export function rmsNorm(storage: HostStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  call.out.data.set(normalized(call.x, call.norm));
}

/** The normed rows, [x.rows, x.cols], rounded to float32. Every kernel that starts with a norm continues from these. */
export function normalized(x: HostTensor, { gain, epsilon }: OpenedNorm<HostBoxes>): Float32Array {
  const { rows, cols, data } = x;
  const out = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += data[r * cols + i] ** 2;
    const root = Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) out[r * cols + i] = (data[r * cols + i] / root) * gain.data[i];
  }
  return out;
}
