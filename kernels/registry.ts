import type { Backend, BackendFacts } from './contract';
import { createCpuBackend } from './cpu';
import { KernelError } from './errors';
import { createGpuBackend } from './gpu';
import { createReferenceBackend } from './reference';
import { createWasmBackend, type WasmLevel } from './wasm';

export type BackendName = BackendFacts['name'];

/** What a caller may ask of any backend; each takes what applies to it. */
export interface BackendOptions {
  /** Threads to compute with (wasm); default: what the machine has. */
  readonly threads?: number;
  /** Feature level to stay at, e.g. `simd` where `relaxed-simd` would be taken; default: the best that works. */
  readonly level?: string;
  /** The most bytes of boxes to hold; default: what the backend can. */
  readonly capacityBytes?: number;
}

/** Whether a backend works here, and the level it reaches or why not. */
export interface BackendProbe {
  readonly name: BackendName;
  readonly available: boolean;
  readonly reason: string;
}

type Create = (options: BackendOptions) => Promise<Backend>;

/** One line a backend, loaded only when asked for; best first as `auto` tries them. */
const BACKENDS: Readonly<Partial<Record<BackendName, Create>>> = {
  wasm: async ({ level, ...options }) => createWasmBackend({ ...options, level: level as WasmLevel | undefined }),
  cpu: async (options) => createCpuBackend(options),
  gpu: (options) => createGpuBackend(options),
  reference: async (options) => createReferenceBackend(options),
};

/** What `auto` may take, best first. gpu only on request: a software device would be slower; reference is a judge. */
const AUTO: readonly BackendName[] = ['wasm', 'cpu'];

/**
 * Creates a backend by name; `auto` takes the fastest that works here and says why in `facts.reason`.
 *
 * @throws KernelError `unavailable` when there is no such backend or it does not work here.
 */
export async function createBackend(name: BackendName | 'auto', options: BackendOptions = {}): Promise<Backend> {
  if (name === 'auto') return createAuto(options);
  const create = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (create === undefined) {
    const known = ['auto', ...Object.keys(BACKENDS)].join(', ');
    throw new KernelError('unavailable', `backend: expected one of ${known}, found ${String(name)}`);
  }
  return create(options);
}

async function createAuto(options: BackendOptions): Promise<Backend> {
  const refused: string[] = [];
  for (const name of AUTO) {
    try {
      const backend = await createBackend(name, options);
      const { facts } = backend;
      const others = refused.length === 0 ? 'the fastest there is' : `since ${refused.join('; ')}`;
      return { ...backend, facts: { ...facts, reason: `${name} (${facts.level}): ${others}` } };
    } catch (error) {
      refused.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new KernelError('unavailable', `backend: expected one that works here, found none (${refused.join('; ')})`);
}

/** Tries every backend once and says what it reaches here; each is disposed of again. */
export async function probeBackends(options: BackendOptions = {}): Promise<BackendProbe[]> {
  const probes: BackendProbe[] = [];
  for (const name of Object.keys(BACKENDS) as BackendName[]) {
    try {
      const backend = await createBackend(name, options);
      const { level, threads } = backend.facts;
      await backend.dispose();
      probes.push({ name, available: true, reason: `${level}, ${threads} thread${threads === 1 ? '' : 's'}` });
    } catch (error) {
      probes.push({ name, available: false, reason: reasonOf(error) });
    }
  }
  return probes;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
