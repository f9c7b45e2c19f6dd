import type { Backend } from '../contract';
import { KernelError } from '../errors';
import { memoryBytes } from '../shared/memory.node';
import { createStorage } from '../shared/storage';
import { activation } from './activation';
import { append } from './append';
import { attention } from './attention';
import type { GpuCounters, GpuDevice, GpuLevel } from './device';
import { createCpuDevice } from './deviceCpu';
import { createGlDevice } from './deviceGl';
import { createWebgpuDevice } from './deviceWebgpu';
import { embed } from './embed';
import { type GpuJs, loadGpuJs } from './gpujs';
import { head } from './head';
import { linear } from './linear';
import { logitsQueries } from './logits';
import { normLinear } from './normLinear';
import { probeAnswers } from './probe';
import { provideWebgpu } from './provider.node';
import { GpuQueue, kernelError } from './queue';
import { rmsNorm } from './rmsNorm';
import { GpuStorage, gpuWeightBytes } from './storage';

export type { GpuCounters, GpuLevel } from './device';

export interface GpuOptions {
  /** Device to compute on; `auto` (the default) takes the first of webgpu, webgl2 and headlessgl that works. */
  readonly device?: GpuLevel | 'auto';
  /** The same, as `createBackend` passes it. */
  readonly level?: string;
  /** The most bytes to hold. No interface tells what a device has; the default is the host's memory. */
  readonly capacityBytes?: number;
  /** The most values a buffer may hold, where it should be less than the device allows (for tests of splitting). */
  readonly maxValues?: number;
}

/** Whether a device works here, and what it is or why not. */
export interface GpuProbe {
  readonly device: GpuLevel;
  readonly available: boolean;
  readonly reason: string;
}

const LEVELS: readonly GpuLevel[] = ['webgpu', 'webgl2', 'headlessgl', 'cpu'];
/** `cpu` is gpu.js's JavaScript fallback: never taken unasked. */
const AUTO: readonly GpuLevel[] = ['webgpu', 'webgl2', 'headlessgl'];

const countersOf = new WeakMap<object, GpuCounters>();

/**
 * The gpu backend: every kernel written for gpu.js, weights and caches resident on the device. gpu.js is loaded here, on
 * first use. Batch-invariant where the driver is; `facts.reason` says so when the known-answer probe finds it is not.
 *
 * @throws KernelError `unavailable` when no device works, with each one's reason; `argument-invalid` for an unknown device
 */
export async function createGpuBackend(options: GpuOptions = {}): Promise<Backend> {
  const wanted = options.device ?? options.level ?? 'auto';
  if (wanted !== 'auto') return createOn(levelOf(wanted), options);
  const refused: string[] = [];
  for (const level of AUTO) {
    try {
      return await createOn(level, options);
    } catch (error) {
      refused.push(`${level}: ${kernelError(error, level).message}`);
    }
  }
  throw new KernelError('unavailable', `gpu: expected a device that works here, found none (${refused.join('; ')})`);
}

/** Tries every device once; the answer is what `tandem doctor` shows. */
export async function probeGpuDevices(): Promise<GpuProbe[]> {
  const probes: GpuProbe[] = [];
  for (const device of LEVELS) {
    try {
      const backend = await createGpuBackend({ device });
      probes.push({ device, available: true, reason: backend.facts.reason ?? '' });
      await backend.dispose();
    } catch (error) {
      probes.push({ device, available: false, reason: kernelError(error, device).message });
    }
  }
  return probes;
}

/** What a gpu backend's device did so far; a live record. Undefined for other backends. */
export function gpuCounters(backend: Backend): Readonly<GpuCounters> | undefined {
  return countersOf.get(backend.facts);
}

function levelOf(name: string): GpuLevel {
  const level = LEVELS.find((one) => one === name);
  if (level !== undefined) return level;
  throw new KernelError('argument-invalid', `gpu: expected device auto, ${LEVELS.join(', ')}, found ${name}`);
}

async function createOn(level: GpuLevel, options: GpuOptions): Promise<Backend> {
  const device = await createDevice(level, options.maxValues);
  const backend = backendOn(device, options.capacityBytes ?? memoryBytes());
  try {
    const isInvariant = await probeAnswers(backend);
    const note = isInvariant ? '' : '; this driver does not give a row the same bits among others as alone';
    Object.assign(backend.facts, { reason: `gpu (${level}): ${device.description}${note}` });
    return backend;
  } catch (error) {
    await backend.dispose();
    throw kernelError(error, level);
  }
}

/** A device alone, for measuring kernels without boxes. */
export async function createDevice(level: GpuLevel, maxValues?: number): Promise<GpuDevice> {
  const missing = level === 'webgpu' ? await provideWebgpu() : null;
  if (missing !== null) throw unavailable(level, missing);
  const gpujs = await loadGpuJs();
  const counters = { uploads: 0, uploadedBytes: 0, readbacks: 0, readbackBytes: 0, launches: 0, compiled: 0 };
  try {
    if (level === 'webgpu') return await createWebgpuDevice(gpujs, counters, maxValues);
    if (level === 'cpu') return createCpuDevice(gpujs, counters, maxValues);
    expectGl(gpujs, level);
    return await createGlDevice(gpujs, level, counters, maxValues);
  } catch (error) {
    throw unavailable(level, error instanceof Error ? error.message : String(error));
  }
}

function expectGl(gpujs: GpuJs, level: 'webgl2' | 'headlessgl'): void {
  if (level === 'webgl2' && !gpujs.GPU.isWebGL2Supported)
    throw new Error('there is no WebGL 2 here (a browser has it)');
  if (level === 'headlessgl' && !gpujs.GPU.isHeadlessGLSupported) {
    throw new Error('the optional package gl does not load, or has no display to open (run under xvfb)');
  }
}

function unavailable(level: GpuLevel, why: string): KernelError {
  return new KernelError('unavailable', `gpu (${level}): ${why}`);
}

function backendOn(device: GpuDevice, capacityBytes: number): Backend {
  const storage = new GpuStorage(new GpuQueue(device), capacityBytes);
  const facts: Backend['facts'] = {
    name: 'gpu',
    threads: 1,
    level: device.level,
    weightTypes: ['f32', 'bf16', 'q8'],
    weightBytes: gpuWeightBytes,
    capacityBytes,
    allocatedBytes: () => storage.budget.allocatedBytes,
  };
  countersOf.set(facts, device.counters);
  return {
    ...createStorage(storage),
    ...logitsQueries(storage),
    embed: (...args) => embed(storage, ...args),
    rmsNorm: (...args) => rmsNorm(storage, ...args),
    normLinear: (...args) => normLinear(storage, ...args),
    linear: (...args) => linear(storage, ...args),
    activation: (...args) => activation(storage, ...args),
    append: (...args) => append(storage, ...args),
    attention: (...args) => attention(storage, ...args),
    head: (...args) => head(storage, ...args),
    facts,
  };
}
