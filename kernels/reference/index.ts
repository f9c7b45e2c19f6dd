import type { Backend } from '../contract';
import { hostWeightBytes } from '../shared/hostBoxes';
import { HostStorage } from '../shared/hostStorage';
import { memoryBytes } from '../shared/memory.node';
import { createStorage, WEIGHT_TYPES } from '../shared/storage';
import { activation } from './activation';
import { append } from './append';
import { attention } from './attention';
import { embed } from './embed';
import { head } from './head';
import { linear } from './linear';
import { logitsQueries } from './logits';
import { normLinear } from './normLinear';
import { rmsNorm } from './rmsNorm';

/** Options of the backends that compute on typed arrays. */
export interface HostBackendOptions {
  /** The most bytes of boxes to allocate. Default: the memory of the machine. */
  readonly capacityBytes?: number;
}

/**
 * The reference: scalar kernels with float64 accumulators, each formula written as its comment states it. Other backends are
 * compared with it. It is too slow to decode long texts.
 */
export function createReferenceBackend(options: HostBackendOptions = {}): Backend {
  const storage = new HostStorage('reference', options.capacityBytes ?? memoryBytes());
  const { budget } = storage;
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
    facts: {
      name: 'reference',
      threads: 1,
      level: 'scalar',
      weightTypes: WEIGHT_TYPES,
      weightBytes: hostWeightBytes,
      capacityBytes: budget.capacityBytes,
      allocatedBytes: () => budget.allocatedBytes,
    },
  };
}
