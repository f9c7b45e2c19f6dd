import { counted, quoted } from '../common';
import type { Backend } from './contract';
import { createCpuBackend } from './cpu';
import { KernelError } from './errors';
import { createGpuBackend } from './gpu';
import { AUTO_BACKENDS, type BackendName, type BackendOptions, checkBackendOptions } from './options';
import { createReferenceBackend } from './reference';
import { createWasmBackend, type WasmLevel } from './wasm';

/** Whether a backend works here, with the level that it reaches or the reason why it does not. */
export interface BackendProbe {
  readonly name: BackendName;
  readonly available: boolean;
  readonly reason: string;
}

type Create = (options: BackendOptions) => Promise<Backend>;

const BACKENDS: Readonly<Record<BackendName, Create>> = {
  wasm: ({ level, ...options }) => createWasmBackend({ ...options, level: level as WasmLevel | 'auto' | undefined }),
  cpu: async ({ capacityBytes }) => createCpuBackend({ capacityBytes }),
  gpu: ({ level, capacityBytes }) => createGpuBackend({ level, capacityBytes }),
  reference: async ({ capacityBytes }) => createReferenceBackend({ capacityBytes }),
};

/**
 * Creates a backend. `auto` takes the fastest one that works here with these options, and says why in `facts.reason`.
 *
 * @throws KernelError `option-invalid` for an option that the backend does not accept; `unavailable` when there is no such
 * backend, or it does not work here
 */
export async function createBackend(name: BackendName | 'auto', options: BackendOptions = {}): Promise<Backend> {
  const create = Object.hasOwn(BACKENDS, name) ? BACKENDS[name as BackendName] : undefined;
  if (create === undefined && name !== 'auto') {
    const known = ['auto', ...Object.keys(BACKENDS)].join(', ');
    throw new KernelError('unavailable', `backend: expected one of ${known}, found ${quoted(name)}`);
  }
  checkBackendOptions(name, options);
  return create === undefined ? createAuto(options) : create(options);
}

async function createAuto(options: BackendOptions): Promise<Backend> {
  const refused: string[] = [];
  for (const name of AUTO_BACKENDS) {
    try {
      const backend = await createBackend(name, options);
      const { facts } = backend;
      const choice = refused.length === 0 ? 'the fastest there is' : `since ${refused.join('; ')}`;
      const notes = [`${name} (${facts.level}): ${choice}`, facts.reason].filter((note) => note !== undefined);
      return { ...backend, facts: { ...facts, reason: notes.join('; ') } };
    } catch (error) {
      const reason = messageOf(error);
      refused.push(reason.startsWith(name) ? reason : `${name}: ${reason}`);
    }
  }
  throw new KernelError('unavailable', `backend: expected one that works here, found none (${refused.join('; ')})`);
}

/** Creates every backend once, with default options, and disposes of it again. Says what each reaches here. */
export async function probeBackends(): Promise<BackendProbe[]> {
  const probes: BackendProbe[] = [];
  for (const name of Object.keys(BACKENDS) as BackendName[]) {
    try {
      const backend = await createBackend(name);
      const { level, threads, reason } = backend.facts;
      await backend.dispose();
      const reached = `${level}, ${counted(threads, 'thread')}`;
      probes.push({ name, available: true, reason: reason === undefined ? reached : `${reached}; ${reason}` });
    } catch (error) {
      probes.push({ name, available: false, reason: messageOf(error) });
    }
  }
  return probes;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
