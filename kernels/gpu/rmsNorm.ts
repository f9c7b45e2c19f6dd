import type { Norm, Tensor } from '../contract';
import { type OpenedNorm, openRmsNorm } from '../shared/calls';
import { blockedSum } from './blockedSum';
import type { GpuBoxes, GpuTensor } from './boxes';
import type { Program } from './device';
import { type GpuQueue, type Holder, view } from './queue';
import type { GpuStorage } from './storage';

/** Every thread computes the sum of squares of its row anew. A launch costs more than the sum, and the row stays in the cache. */
function normProgram(cols: number, scaled: boolean): Program {
  return {
    key: `rmsNorm ${cols}${scaled ? ' scaled' : ''}`,
    args: ['array', 'array', 'float', 'float'],
    constants: { cols },
    source: `function (x, gain, epsilon, scale) {
    const row = quotient(this.thread.x, this.constants.cols);
    const at = this.thread.x - row * this.constants.cols;
    ${blockedSum(cols, (k) => `x[row][${k}] * x[row][${k}]`)}
    const root = Math.sqrt(sum / this.constants.cols + epsilon);
    const normed = Math.fround(x[row][at] / root * gain[at]);
    return ${scaled ? 'normed * scale' : 'normed'};
  }`,
  };
}

/** See reference/rmsNorm.ts. Float32 throughout: sums of blocks of 32, then the sum of those. */
export function rmsNorm(storage: GpuStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  normInto(storage.queue, call.out, call.x, call.norm);
}

/** Norms x into a holder, and multiplies the result by `scale` if there is one. */
export function normInto(
  queue: GpuQueue,
  out: Holder,
  x: GpuTensor,
  { gain, epsilon }: OpenedNorm<GpuBoxes>,
  scale?: number,
): void {
  const { rows, cols } = x;
  const program = normProgram(cols, scale !== undefined);
  queue.produce(out, () => queue.device.launch(program, rows * cols, [view(x, cols), view(gain), epsilon, scale ?? 1]));
}
