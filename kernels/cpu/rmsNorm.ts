import type { Norm, Tensor } from '../contract';
import { type OpenedNorm, openRmsNorm } from '../shared/calls';
import type { HostBoxes, HostTensor } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';

/** See reference/rmsNorm.ts: the same formula and the same bits. */
export function rmsNorm(storage: HostStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  normalizeInto(call.out.data, call.x, call.norm);
}

/** Writes the normed rows, [x.rows, x.cols], to the start of `out`. */
export function normalizeInto(out: Float32Array, x: HostTensor, { gain, epsilon }: OpenedNorm<HostBoxes>): void {
  const { rows, cols, data } = x;
  const factors = gain.data;
  for (let r = 0; r < rows; r++) {
    const from = r * cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) {
      const value = data[from + i];
      squares += value * value;
    }
    const root = Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) out[from + i] = (data[from + i] / root) * factors[i];
  }
}
