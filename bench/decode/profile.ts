import type { Backend, Tensor, Weight } from '../../kernels';

/** What one kernel cost over the calls since the last reset. */
export interface KernelCost {
  readonly kernel: string;
  calls: number;
  seconds: number;
  /** Bytes of weights read, as resident. */
  bytes: number;
  /** Multiply-adds counted as two operations. */
  operations: number;
}

export interface Profile {
  readonly backend: Backend;
  costs(): KernelCost[];
  reset(): void;
}

const KERNELS = [
  'embed',
  'rmsNorm',
  'normLinear',
  'linear',
  'activation',
  'append',
  'attention',
  'head',
  'arrange',
] as const;
const QUERIES = ['argMax', 'logSumExp', 'at', 'topK', 'readLogits'] as const;

/**
 * Wraps a backend so that every kernel's time is added up by name. A backend is a record, so wrapping is spreading it.
 * Times are the caller's: right for backends whose kernels finish before they return (reference, cpu, wasm).
 */
export function profiled(inner: Backend): Profile {
  const costs = new Map<string, KernelCost>();
  const costOf = (kernel: string): KernelCost => {
    let cost = costs.get(kernel);
    if (!cost) {
      cost = { kernel, calls: 0, seconds: 0, bytes: 0, operations: 0 };
      costs.set(kernel, cost);
    }
    return cost;
  };
  const backend: Record<string, unknown> = { ...inner };
  for (const kernel of [...KERNELS, ...QUERIES]) {
    const run = inner[kernel] as (...args: unknown[]) => unknown;
    backend[kernel] = (...args: unknown[]) => {
      const start = performance.now();
      const result = run(...args);
      const cost = costOf(kernel);
      cost.calls++;
      cost.seconds += (performance.now() - start) / 1000;
      for (const weight of weightsOf(kernel, args)) {
        cost.bytes += inner.facts.weightBytes(weight.rows, weight.cols, weight.type);
        cost.operations += 2 * weight.rows * weight.cols * (args[1] as Tensor).rows;
      }
      return result;
    };
  }
  return {
    backend: backend as unknown as Backend,
    costs: () => [...costs.values()].sort((a, b) => b.seconds - a.seconds),
    reset: () => costs.clear(),
  };
}

/** The matrices that a kernel call multiplies by. */
function weightsOf(kernel: string, args: readonly unknown[]): readonly Weight[] {
  if (kernel === 'normLinear') return args[3] as Weight[];
  if (kernel === 'linear') return [args[2] as Weight];
  if (kernel === 'head') return [args[3] as Weight];
  return [];
}
