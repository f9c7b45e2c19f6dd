import { type Argument, type Content, type GpuCounters, type GpuDevice, MAX_VALUES, type Program } from './device';
import type { GpuJs } from './gpujs';
import { type Dialect, ProgramPool, ResultContent } from './programs';

/** Results are plain arrays, fresh ones each call; rows of a view are subarrays. */
const DIALECT: Dialect = {
  mode: 'cpu',
  settings: { immutable: true },
  arrayType: 'Array',
  view: (result, dimensions) => nested(result as Float32Array, dimensions),
};

/** [length], [rows][width] or [layers][height][width] over the same memory. */
function nested(values: Float32Array, dimensions: readonly number[]): unknown {
  const count = dimensions[dimensions.length - 1];
  if (dimensions.length === 1) return values;
  const inner = dimensions.slice(0, -1);
  const size = inner.reduce((product, n) => product * n, 1);
  return Array.from({ length: count }, (_, i) => nested(values.subarray(i * size, (i + 1) * size), inner));
}

/** gpu.js as JavaScript on the processor: the same kernels where there is no device, so that tests can run them. */
export function createCpuDevice(gpujs: GpuJs, counters: GpuCounters, maxValues = MAX_VALUES): GpuDevice {
  const gpu = new gpujs.GPU({ mode: 'cpu' });
  const pool = new ProgramPool(gpu, DIALECT, counters);
  return {
    level: 'cpu',
    description: 'gpu.js in JavaScript, no device',
    maxValues,
    counters,
    upload(values): Content {
      counters.uploads++;
      counters.uploadedBytes += values.byteLength;
      return new ResultContent(values.length, values.slice(), () => undefined);
    },
    launch: (program: Program, length: number, args: readonly Argument[]) => pool.launch(program, length, args),
    async read(content) {
      counters.readbacks++;
      counters.readbackBytes += content.length * 4;
      return ((content as ResultContent).result as Float32Array).slice(0, content.length);
    },
    takeFailure: () => null,
    dispose: async () => {
      await gpu.destroy();
    },
  };
}
