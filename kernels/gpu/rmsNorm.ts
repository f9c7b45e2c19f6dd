import type { Norm, Tensor } from '../contract';
import { openRmsNorm } from '../shared/calls';
import type { GpuTensor, GpuVector } from './boxes';
import type { Program } from './device';
import { type GpuQueue, type Holder, view } from './queue';
import type { GpuStorage } from './storage';

/** Values that are summed before the sums are: errors grow with 32 + n/32 steps instead of n. */
export const SUM_BLOCK = 32;
/** Terms written out in a row: SwiftShader takes less than half the time than over a loop a term; see docs/gpu.md. */
const UNROLLED = 8;

/** Σ of `term(k)` for k below `count`, in order: whole blocks of 32, then what is left. Text for a kernel, into `sum`. */
export function blockedSum(count: number, term: (k: string) => string): string {
  const blocks = Math.floor(count / SUM_BLOCK);
  const rest = count - blocks * SUM_BLOCK;
  const steps = Array.from(
    { length: UNROLLED },
    (_, i) => `part += ${term(`b * ${SUM_BLOCK} + k * ${UNROLLED} + ${i}`)};`,
  );
  const whole = `for (let b = 0; b < ${blocks}; b++) {
      let part = 0;
      for (let k = 0; k < ${SUM_BLOCK / UNROLLED}; k++) {
        ${steps.join('\n        ')}
      }
      sum += part;
    }`;
  const tail = `let tail = 0;
    for (let k = 0; k < ${rest}; k++) { tail += ${term(`k + ${blocks * SUM_BLOCK}`)}; }
    sum += tail;`;
  return `let sum = 0;
    ${blocks > 0 ? whole : ''}
    ${rest > 0 ? tail : ''}`;
}

/** Every thread sums its row's squares anew: a launch is dearer than the sum, and rows stay in the cache. */
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

/** See reference/rmsNorm.ts. Float32 throughout, sums by blocks of 32. */
export function rmsNorm(storage: GpuStorage, out: Tensor, x: Tensor, norm: Norm): void {
  const call = openRmsNorm(storage, out, x, norm);
  normInto(storage.queue, call.out as GpuTensor, call.x as GpuTensor, norm);
}

/** The norm of x, times `scale` when given, into any holder. */
export function normInto(queue: GpuQueue, out: Holder, x: GpuTensor, norm: Norm, scale?: number): void {
  const { rows, cols } = x;
  const gain = norm.gain as GpuVector;
  const program = normProgram(cols, scale !== undefined);
  queue.produce(out, () =>
    queue.device.launch(program, rows * cols, [view(x, cols), view(gain), norm.epsilon, scale ?? 1]),
  );
}
