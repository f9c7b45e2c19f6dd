import { GPU, type GPUInternalMode, type GPUMode, type IKernelFunctionThis } from 'gpu.js';
import { fastest, type Limits } from './scalarProbe';

interface Sizes {
  readonly [name: string]: number;
  readonly rows: number;
}

const COLUMNS = 8192;
const ROWS = 4096;
const STEPS = 4096;

type This = IKernelFunctionThis<Sizes>;

/** gpu.js reads a kernel's source text, and takes declared functions only. */
function ones(): number {
  return 1;
}

/** Neighbouring cells read neighbouring values, as a device likes it; nothing leaves it but one row of sums. */
function columnSum(this: This, values: number[][]): number {
  let sum = 0;
  for (let i = 0; i < this.constants.rows; i++) {
    sum += values[i][this.thread.x];
  }
  return sum;
}

/** Four chains of multiply and add a cell; 8 operations a step. */
function chains(this: This, factor: number): number {
  let a = this.thread.x;
  let b = a + 1;
  let c = a + 2;
  let d = a + 3;
  for (let i = 0; i < this.constants.rows; i++) {
    a = a * factor + 1;
    b = b * factor + 1;
    c = c * factor + 1;
    d = d * factor + 1;
  }
  return a + b + c + d;
}

/** The limits of the device as gpu.js reaches it in the given mode, calls and the read of a row of results included. */
export async function gpuLimits(rounds: number, mode: string): Promise<Limits> {
  const gpu = new GPU({ mode: mode as GPUMode | GPUInternalMode });
  try {
    const fill = gpu.createKernel(ones, { output: [COLUMNS, ROWS], pipeline: true });
    const values = (await fill()) as unknown as number[][];
    const loops = { constants: { rows: ROWS }, loopMaxIterations: ROWS, output: [COLUMNS] };
    const stream = gpu.createKernel(columnSum as never, loops as never) as (values: number[][]) => unknown;
    const peakLoops = { ...loops, constants: { rows: STEPS }, output: [COLUMNS * 16] };
    const peak = gpu.createKernel(chains as never, peakLoops as never) as (factor: number) => unknown;
    await stream(values);
    await peak(0.5);
    const streamed = await fastest(rounds, async () => await stream(values));
    const computed = await fastest(rounds, async () => await peak(0.5));
    return {
      by: `gpu.js ${mode}`,
      streamGBs: (COLUMNS * ROWS * 4) / streamed / 1e9,
      peakGFlops: (COLUMNS * 16 * STEPS * 8) / computed / 1e9,
    };
  } finally {
    await gpu.destroy();
  }
}
