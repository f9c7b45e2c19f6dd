import type { Norm, Tensor } from '../contract';
import { type HostTensor, open } from '../shared/boxes';
import { expectApart, expectFilled, expectShape } from '../shared/checks';
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
  const input = open(storage.memory, x, 'rmsNorm');
  const box = open(storage.memory, out, 'rmsNorm');
  expectApart('rmsNorm', box, [input]);
  const values = normalized(storage, 'rmsNorm', input, norm);
  storage.resize(box, input.rows, input.cols);
  box.data.set(values);
}

/** The normed rows, [x.rows, x.cols], rounded to float32: what every kernel that norms first goes on with. */
export function normalized(storage: HostStorage, where: string, x: HostTensor, norm: Norm): Float32Array {
  expectFilled(where, 'x', x);
  const gain = open(storage.memory, norm.gain, where).data; // [cols]
  expectShape(where, 'gain.length', x.cols, gain.length);
  const { rows, cols, data } = x;
  const out = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let i = 0; i < cols; i++) squares += data[r * cols + i] ** 2;
    const root = Math.sqrt(squares / cols + norm.epsilon);
    for (let i = 0; i < cols; i++) out[r * cols + i] = (data[r * cols + i] / root) * gain[i];
  }
  return out;
}
