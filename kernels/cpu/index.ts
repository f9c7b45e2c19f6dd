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
import { createCpuStorage, Scratch } from './storage';

/**
 * Blocked typed arrays, one thread: runs wherever JavaScript does. Sums are float64 in the reference's own order, so
 * its results are the reference's, bit for bit; bf16 and q8 weights stay what they are in memory.
 */
export function createCpuBackend(options: { readonly capacityBytes?: number } = {}): Backend {
  const storage = createCpuStorage('cpu', options.capacityBytes ?? memoryBytes());
  const scratch = new Scratch();
  const { memory } = storage;
  return {
    ...storage,
    ...logitsQueries(storage),
    embed: (out, table, ids) => embed(storage, scratch, out, table, ids),
    rmsNorm: (out, x, norm) => rmsNorm(storage, out, x, norm),
    normLinear: (outs, x, norm, weights) => normLinear(storage, scratch, outs, x, norm, weights),
    linear: (out, x, weight, residual) => linear(storage, scratch, out, x, weight, residual),
    activation: (out, x, kind, gated) => activation(storage, out, x, kind, gated),
    append: (cache, keys, values, slots) => append(storage, cache, keys, values, slots),
    attention: (out, query, fresh, cache, plan, bias) => attention(storage, out, query, fresh, cache, plan, bias),
    head: (out, x, norm, weight, scale) => head(storage, scratch, out, x, norm, weight, scale),
    facts: {
      name: 'cpu',
      threads: 1,
      level: 'scalar',
      weightTypes: ['f32', 'bf16', 'q8'],
      weightBytes: hostWeightBytes,
      capacityBytes: memory.capacityBytes,
      allocatedBytes: () => memory.allocatedBytes,
    },
  };
}
