import type { Norm, Tensor } from '../contract';
import type { HostTensor } from '../shared/boxes';
import { openRmsNorm } from '../shared/calls';
import type { HostStorage } from './storage';

/** See reference/rmsNorm.ts: same formula, same bits. */
export function rmsNorm(storage: HostStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  normalizeInto(call.out.data, call.x, call.gain, norm.epsilon);
}

/** Normed rows, [x.rows, x.cols], into the start of `out`. */
export function normalizeInto(out: Float32Array, x: HostTensor, gain: Float32Array, epsilon: number): void {
  const { rows, cols, data } = x;
  for (let r = 0; r < rows; r++) {
    const from = r * cols;
    let squares = 0;
    for (let i = 0; i < cols; i++) {
      const value = data[from + i];
      squares += value * value;
    }
    const root = Math.sqrt(squares / cols + epsilon);
    for (let i = 0; i < cols; i++) out[from + i] = (data[from + i] / root) * gain[i];
  }
}
