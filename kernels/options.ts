import { anyOf, checkOptions, flagged, type OptionRule, type OptionTable, oneOf, TandemError, whole } from '../common';
import type { BackendFacts } from './contract';
import { KernelError } from './errors';

export type BackendName = BackendFacts['name'];

/** What may be asked of a backend. */
export interface BackendOptions {
  /**
   * Threads to compute with. Default: the cores that are free, at most 8, on wasm; 1 on the others, which take no other number. In
   * Node on Linux a core is free where no other process computes on it; elsewhere all are. `facts.reason` says what was found.
   */
  readonly threads?: number;
  /** Feature level, such as `simd` where `relaxed-simd` would be taken. Default, and `auto`: the best that works. */
  readonly level?: string;
  /**
   * Whether V8 may join pairs of 128-bit operations of the wasm backend into 256-bit ones: true turns it on or refuses, `auto`
   * turns it on where it works. Default: false, which leaves the process as it is.
   */
  readonly wide?: boolean | 'auto';
  /** The most bytes of boxes to allocate. Default: the memory of the machine. */
  readonly capacityBytes?: number;
}

/** The levels of each backend. `auto` takes the best that works. */
const LEVELS: Readonly<Record<BackendName, readonly string[]>> = {
  reference: ['scalar'],
  cpu: ['scalar'],
  wasm: ['relaxed-simd', 'simd'],
  gpu: ['webgpu', 'webgl2', 'headlessgl', 'cpu'],
};

/** The most threads of a wasm backend: its control block has tickets for so many (`wasm/layout.ts`). */
const MOST_THREADS = 64;

const NOT_WIDE: OptionRule = {
  expected: 'false or auto, as the wasm backend alone computes wide',
  holds: (value) => value === false || value === 'auto',
};

/** What `auto` may take, best first. A software gpu would be slower than both; the reference is for comparisons. */
export const AUTO_BACKENDS: readonly BackendName[] = ['wasm', 'cpu'];

/** The options that any of these backends accepts. */
function backendOptions(...names: readonly BackendName[]): OptionTable<keyof BackendOptions> {
  const levels = [...new Set(['auto', ...names.flatMap((name) => LEVELS[name])])];
  return {
    threads: {
      ...whole(1, names.includes('wasm') ? MOST_THREADS : 1),
      about: 'threads to compute with (default: the cores that are free, at most 8)',
      flag: '--threads <n>',
    },
    level: {
      ...oneOf(...levels),
      about: 'feature level of the backend (default: the best that works)',
      flag: '--level <name>',
    },
    wide: {
      ...(names.includes('wasm') ? anyOf(flagged, oneOf('auto')) : NOT_WIDE),
      about: 'true computes in 256 bits where V8 can and refuses elsewhere; auto does not refuse (default: false)',
      flag: '--wide <when>',
    },
    capacityBytes: { ...whole(1), about: 'the most bytes to allocate (default: the memory of the machine)' },
  };
}

/**
 * Refuses options that a backend does not accept: unknown names, and values outside the rule of their row.
 *
 * @param extra - options besides those of every backend
 * @throws KernelError `option-invalid`
 */
export function checkBackendOptions(where: BackendName | 'auto', options: object, extra: OptionTable = {}): void {
  const names: readonly BackendName[] = where === 'auto' ? AUTO_BACKENDS : [where];
  try {
    checkOptions(options, { ...backendOptions(...names), ...extra }, where);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const message = error.message.startsWith(`${where}:`) ? error.message : `${where}: ${error.message}`;
    throw new KernelError('option-invalid', message);
  }
}
