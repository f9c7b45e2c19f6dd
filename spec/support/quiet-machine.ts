import { availableParallelism } from 'node:os';
import type { Cores } from '../../kernels/wasm/cores';

/**
 * Threads follow what else runs on the machine where nobody says how many. No spec may, so in every spec all cores are free;
 * spec/kernels/wasm/cores.spec.ts holds what is really found.
 */
jest.mock('../../kernels/wasm/cores.node', () => ({
  ...jest.requireActual('../../kernels/wasm/cores.node'),
  findCores: async (): Promise<Cores> => {
    const cores = availableParallelism();
    return { machine: cores, allowed: cores, quota: null, busy: 0 };
  },
}));
