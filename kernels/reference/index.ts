import type { Backend } from '../contract';
import { hostWeightBytes } from '../shared/boxes';
import { memoryBytes } from '../shared/memory.node';
import { activation } from './activation';
import { append } from './append';
import { attention } from './attention';
import { embed } from './embed';
import { head } from './head';
import { linear } from './linear';
import { logitsQueries } from './logits';
import { normLinear } from './normLinear';
import { rmsNorm } from './rmsNorm';
import { createReferenceStorage } from './storage';

/** Options of the backends in ordinary memory. */
export interface HostBackendOptions {
  /** The most bytes of boxes to hold; default: the machine's memory. */
  readonly capacityBytes?: number;
}

/**
 * The judge: scalar kernels with float64 accumulators, each formula written as its doc comment states it. Use it to
 * check other backends, not to decode anything long.
 */
export function createReferenceBackend(options: HostBackendOptions = {}): Backend {
  const storage = createReferenceStorage('reference', options.capacityBytes ?? memoryBytes());
  const { memory } = storage;
  return {
    ...storage,
    ...logitsQueries(storage),
    embed: (out, table, ids) => embed(storage, out, table, ids),
    rmsNorm: (out, x, norm) => rmsNorm(storage, out, x, norm),
    normLinear: (outs, x, norm, weights) => normLinear(storage, outs, x, norm, weights),
    linear: (out, x, weight, residual) => linear(storage, out, x, weight, residual),
    activation: (out, x, kind, gated) => activation(storage, out, x, kind, gated),
    append: (cache, keys, values, slots) => append(storage, cache, keys, values, slots),
    attention: (out, query, fresh, cache, plan, bias) => attention(storage, out, query, fresh, cache, plan, bias),
    head: (out, x, norm, weight, scale) => head(storage, out, x, norm, weight, scale),
    facts: {
      name: 'reference',
      threads: 1,
      level: 'scalar',
      weightTypes: ['f32', 'bf16', 'q8'],
      weightBytes: hostWeightBytes,
      capacityBytes: memory.capacityBytes,
      allocatedBytes: () => memory.allocatedBytes,
    },
  };
}
