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
import { Scratch } from './scratch';

/**
 * Blocked typed arrays on one thread; runs wherever JavaScript runs. Sums are float64 in the order of the reference, so the
 * results have the bits of the reference. bf16 and q8 weights stay bf16 and q8 in memory.
 */
export function createCpuBackend(options: { readonly capacityBytes?: number } = {}): Backend {
  const storage = new HostStorage('cpu', options.capacityBytes ?? memoryBytes());
  const scratch = new Scratch();
  const { budget } = storage;
  return {
    ...createStorage(storage),
    ...logitsQueries(storage),
    embed: (...args) => embed(storage, scratch, ...args),
    rmsNorm: (...args) => rmsNorm(storage, ...args),
    normLinear: (...args) => normLinear(storage, scratch, ...args),
    linear: (...args) => linear(storage, scratch, ...args),
    activation: (...args) => activation(storage, ...args),
    append: (...args) => append(storage, ...args),
    attention: (...args) => attention(storage, ...args),
    head: (...args) => head(storage, scratch, ...args),
    facts: {
      name: 'cpu',
      threads: 1,
      level: 'scalar',
      weightTypes: WEIGHT_TYPES,
      weightBytes: hostWeightBytes,
      capacityBytes: budget.capacityBytes,
      allocatedBytes: () => budget.allocatedBytes,
    },
  };
}
