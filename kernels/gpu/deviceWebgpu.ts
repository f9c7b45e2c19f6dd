import { KernelError } from '../errors';
import { type Content, type GpuCounters, type GpuDevice, MAX_VALUES } from './device';
import type { BufferResult, GpuJs, WebGpuBuffer, WebGpuContext } from './gpujs';
import { type Dialect, ProgramPool, ResultContent } from './programs';

// Pinned by the WebGPU standard; the named constants are globals that only browsers have.
const STORAGE = 0x80;
const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const MAP_READ = 0x01;
/** Buffers up to this size are kept for the next upload of their size: ids and plans come every step. */
const SMALL_BYTES = 1 << 16;

/** Backends that use gpu.js's one shared WebGPU device; the last one to go destroys it. */
let users = 0;

const DIALECT: Dialect = {
  mode: 'webgpu',
  settings: {},
  arrayType: 'Array',
  view(result, dimensions) {
    if (dimensions.length === 1) return result;
    const flat = result as BufferResult;
    // The same handle under another shape: gpu.js takes an array's strides from `output`.
    return Object.assign(Object.create(Object.getPrototypeOf(flat)), flat, { output: [...dimensions] });
  },
};

/** gpu.js on WebGPU: compute shaders over storage buffers. */
export async function createWebgpuDevice(
  gpujs: GpuJs,
  counters: GpuCounters,
  maxValues = MAX_VALUES,
): Promise<GpuDevice> {
  const context = await gpujs.WebGPUContext.acquire();
  users++;
  const gpu = new gpujs.GPU({ mode: 'webgpu' });
  const pool = new ProgramPool(gpu, DIALECT, counters);
  const buffers = new Buffers(gpujs, context);
  const { limits } = context.device;
  const { info } = context.adapter;
  let disposed = false;
  return {
    level: 'webgpu',
    description: [info?.vendor, info?.description].filter(Boolean).join(', ') || 'WebGPU',
    maxValues: Math.min(maxValues, Math.floor(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 4)),
    counters,
    upload(values) {
      counters.uploads++;
      counters.uploadedBytes += values.byteLength;
      return buffers.upload(values);
    },
    launch: (program, length, args) => pool.launch(program, length, args).catch((error) => buffers.explain(error)),
    read(content) {
      counters.readbacks++;
      counters.readbackBytes += content.length * 4;
      return buffers.read(content as ResultContent);
    },
    takeFailure: () => buffers.takeFailure(),
    async dispose() {
      if (disposed) return;
      disposed = true;
      await gpu.destroy();
      buffers.destroy();
      if (--users === 0) await gpujs.WebGPUContext.destroy();
    },
  };
}

class Buffers {
  private failure: KernelError | null = null;
  private readonly small = new Map<number, WebGpuBuffer[]>();
  private readonly staging: WebGpuBuffer[] = [];

  constructor(
    private readonly gpujs: GpuJs,
    private readonly context: WebGpuContext,
  ) {
    const { device } = context;
    // Errors of WebGPU come on their own time: kept until the next read asks for them.
    device.onuncapturederror = ({ error }) => {
      if (/CreateShaderModule/.test(error.message)) return; // gpu.js throws that one itself
      const full = /OutOfMemory/.test(error.constructor.name);
      this.failure ??= new KernelError(full ? 'out-of-memory' : 'compile-failed', `gpu (webgpu): ${error.message}`);
    };
    device.lost.then(({ reason, message }) => {
      if (reason !== 'destroyed') this.failure = new KernelError('device-lost', `gpu (webgpu): ${message}`);
    });
  }

  takeFailure(): KernelError | null {
    const { failure } = this;
    if (failure?.code !== 'device-lost') this.failure = null;
    return failure;
  }

  /** Throws what is behind an error: a lost device fails in many ways, some before it is known to be lost. */
  async explain(error: unknown): Promise<never> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!this.context.isLost) throw error;
    throw this.failure ?? new KernelError('device-lost', `gpu (webgpu): the device was lost: ${String(error)}`);
  }

  upload(values: Float32Array): Content {
    const { device } = this.context;
    const size = Math.max(256, 2 ** Math.ceil(Math.log2(values.byteLength)));
    const isSmall = size <= SMALL_BYTES;
    const kept = isSmall ? this.small.get(size)?.pop() : undefined;
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const buffer = kept ?? device.createBuffer({ size: isSmall ? size : values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    const handle = new this.gpujs.WebGPUBufferResult({
      buffer,
      output: [values.length],
      context: this.context,
      kernel: null,
    });
    return new ResultContent(values.length, handle, () => {
      if (!isSmall) buffer.destroy();
      else if (this.small.has(size)) this.small.get(size)?.push(buffer);
      else this.small.set(size, [buffer]);
    });
  }

  async read(content: ResultContent): Promise<Float32Array> {
    const { device } = this.context;
    const bytes = content.length * 4;
    const found = this.staging.findIndex((buffer) => buffer.size >= bytes);
    const staging =
      found >= 0 ? this.staging.splice(found, 1)[0] : device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer((content.result as BufferResult).buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ, 0, bytes).catch((error) => this.explain(error));
    const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
    staging.unmap();
    if (this.staging.length < 4) this.staging.push(staging);
    else staging.destroy();
    return values;
  }

  destroy(): void {
    for (const buffer of [...this.staging, ...[...this.small.values()].flat()]) buffer.destroy();
    this.staging.length = 0;
    this.small.clear();
  }
}
