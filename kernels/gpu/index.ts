import { type OptionTable, whole } from '../../common';
import type { Backend, Dtype } from '../contract';
import { KernelError } from '../errors';
import { checkBackendOptions } from '../options';
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
import { loadGpuJs } from './gpujs';
import { head } from './head';
import { linear } from './linear';
import { logitsQueries } from './logits';
import { normLinear } from './normLinear';
import { AUTO_LEVELS, missingAfterLoad, missingBeforeLoad } from './platform.node';
import { probeAnswers } from './probe';
import { GpuQueue, kernelError } from './queue';
import { rmsNorm } from './rmsNorm';
import { GpuStorage, gpuWeightBytes } from './storage';

export type { GpuCounters, GpuLevel } from './device';

export interface GpuOptions {
  /**
   * The device to compute on: `webgpu`, `webgl2` (browsers), `headlessgl` (Node), or `cpu`, which is gpu.js in JavaScript and for
   * tests. `auto` (the default) takes the first of them that works, and never `cpu`.
   */
  readonly level?: string;
  /** The most bytes of boxes to allocate. No interface says how much memory a device has. Default: the memory of the machine. */
  readonly capacityBytes?: number;
  /** The most values in a buffer, where that should be less than the device allows. For tests. */
  readonly maxValues?: number;
}

const OWN_OPTIONS: OptionTable = { maxValues: { ...whole(1), about: 'the most values in a buffer' } };

const countersOf = new WeakMap<object, GpuCounters>();

/**
 * The gpu backend: every kernel is written for gpu.js, and weights, activations and caches stay on the device. gpu.js is loaded
 * here, on first use. `facts.reason` names the device, and says so when its driver gives a row different bits among other rows.
 *
 * @throws KernelError `unavailable` when no device works, with what each one is missing; `option-invalid` for an unknown level
 */
export async function createGpuBackend(options: GpuOptions = {}): Promise<Backend> {
  checkBackendOptions('gpu', options, OWN_OPTIONS);
  const { level = 'auto' } = options;
  if (level !== 'auto') return createOn(level as GpuLevel, options);
  const refused: string[] = [];
  for (const one of AUTO_LEVELS) {
    try {
      return await createOn(one, options);
    } catch (error) {
      refused.push(kernelError(error, one).message);
    }
  }
  throw new KernelError('unavailable', `gpu: expected a device that works here, found none: ${refused.join('; ')}`);
}

/** What the device of a gpu backend has done so far. The record changes as it goes on. Undefined for other backends. */
export function gpuCounters(backend: Backend): Readonly<GpuCounters> | undefined {
  return countersOf.get(backend.facts);
}

async function createOn(level: GpuLevel, options: GpuOptions): Promise<Backend> {
  const device = await createDevice(level, options.maxValues);
  const backend = backendOn(device, options.capacityBytes ?? memoryBytes());
  try {
    const isInvariant = await probeAnswers(backend);
    const note = isInvariant ? '' : '; this driver does not give a row the same bits among other rows as alone';
    Object.assign(backend.facts, { reason: `gpu (${level}): ${device.description}${note}` });
    return backend;
  } catch (error) {
    await backend.dispose();
    throw kernelError(error, level);
  }
}

/**
 * A device without boxes, to measure kernels.
 *
 * @throws KernelError `unavailable`, with what is missing and how to get it, in one line
 */
export async function createDevice(level: GpuLevel, maxValues?: number): Promise<GpuDevice> {
  const refuse = (why: string): KernelError => new KernelError('unavailable', `gpu (${level}): ${why}`);
  const before = await missingBeforeLoad(level);
  if (before !== null) throw refuse(before);
  const counters = { uploads: 0, uploadedBytes: 0, readbacks: 0, readbackBytes: 0, launches: 0, compiled: 0 };
  try {
    const gpujs = await loadGpuJs();
    const after = await missingAfterLoad(level, gpujs);
    if (after !== null) throw refuse(after);
    if (level === 'webgpu') return await createWebgpuDevice(gpujs, counters, maxValues);
    if (level === 'cpu') return createCpuDevice(gpujs, counters, maxValues);
    return await createGlDevice(gpujs, level, counters, maxValues);
  } catch (error) {
    if (error instanceof KernelError) throw error;
    throw refuse(error instanceof Error ? error.message.split('\n', 1)[0] : String(error));
  }
}

/** q4 is for drafts, and the device would keep it as other numbers: three codes of 8 bits fill a float32 here. */
const TYPES: readonly Dtype[] = ['f32', 'bf16', 'q8'];

function backendOn(device: GpuDevice, capacityBytes: number): Backend {
  const storage = new GpuStorage(new GpuQueue(device), capacityBytes);
  const facts: Backend['facts'] = {
    name: 'gpu',
    threads: 1,
    level: device.level,
    weightTypes: TYPES,
    weightBytes: gpuWeightBytes,
    capacityBytes,
    allocatedBytes: () => storage.budget.allocatedBytes,
  };
  countersOf.set(facts, device.counters);
  return {
    ...createStorage(storage, TYPES),
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
