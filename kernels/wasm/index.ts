import type { Backend, BackendFacts } from '../contract';
import { KernelError } from '../errors';
import { memoryBytes } from '../shared/memory.node';
import { activation } from './activation';
import { append } from './append';
import { attention } from './attention';
import { weightBytes } from './boxes';
import { embed } from './embed';
import { head } from './head';
import { compileLevel, instantiate, type WasmLevel } from './level';
import { linear } from './linear';
import { LinearMemory, MOST_BYTES } from './linearMemory';
import { logitsQueries } from './logits';
import { Machine } from './machine';
import { normLinear } from './normLinear';
import { rmsNorm } from './rmsNorm';
import { createWasmStorage, type WasmStorage } from './storage';
import { coreCount, startThread, type Thread } from './threads.node';

export type { LevelFinding, WasmLevel } from './level';
export { probeLevel } from './level';

export interface WasmBackendOptions {
  /** Threads to compute with, 1 to 64; default: the cores there are, at most 8. One where memory cannot be shared. */
  readonly threads?: number;
  /** Feature level; `auto` (the default) takes the best that validates and gives its known answers. */
  readonly level?: WasmLevel | 'auto';
  /** The most bytes of boxes to hold; default: what one 32-bit memory can, or the machine's memory where that is less. */
  readonly capacityBytes?: number;
}

const MOST_THREADS = 64;
const DEFAULT_THREADS = 8;

/**
 * The fast backend: AssemblyScript kernels in SIMD, on any number of threads with the same bits.
 *
 * @throws KernelError `unavailable` where WebAssembly or the level asked for does not work; `invalid-argument` for a
 * thread count or level that is none.
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const { threads, level: wanted } = checked(options);
  const shared = threads > 1;
  const { level, module } = await compileLevel(wanted, shared);
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared });
  const relaxed = level === 'relaxed-simd';
  const blocks = { floatRows: 6, codeRows: relaxed ? 4 : 2, codeBytes: relaxed ? 1 : 2 };
  const machine = new Machine(new LinearMemory(memory), instantiate(module, memory), threads, blocks);
  const helpers: Thread[] = [];
  for (let index = 1; index < threads; index++) helpers.push(startThread({ module, memory, index, count: threads }));
  const storage = createWasmStorage(machine, options.capacityBytes ?? Math.min(memoryBytes(), MOST_BYTES));
  const facts: BackendFacts = {
    name: 'wasm',
    threads,
    level,
    weightTypes: ['f32', 'bf16', 'q8'],
    weightBytes,
    capacityBytes: storage.ledger.capacityBytes,
    allocatedBytes: () => storage.ledger.allocatedBytes,
  };
  const dispose = async (): Promise<void> => {
    machine.exports.stop();
    await Promise.all(helpers.splice(0).map((helper) => helper.end()));
  };
  return { ...storage, ...kernelsOver(storage), ...logitsQueries(storage), dispose, facts };
}

function kernelsOver(storage: WasmStorage) {
  return {
    embed: (...args) => embed(storage, ...args),
    rmsNorm: (...args) => rmsNorm(storage, ...args),
    normLinear: (...args) => normLinear(storage, ...args),
    linear: (...args) => linear(storage, ...args),
    activation: (...args) => activation(storage, ...args),
    append: (...args) => append(storage, ...args),
    attention: (...args) => attention(storage, ...args),
    head: (...args) => head(storage, ...args),
  } satisfies Partial<Backend>;
}

function checked(options: WasmBackendOptions): { threads: number; level: WasmLevel | 'auto' } {
  const { level = 'auto', threads = Math.min(coreCount(), DEFAULT_THREADS) } = options;
  if (!['simd', 'relaxed-simd', 'auto'].includes(level)) {
    throw new KernelError(
      'invalid-argument',
      `wasm: expected level simd, relaxed-simd or auto, found ${String(level)}`,
    );
  }
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new KernelError('invalid-argument', `wasm: expected threads in 1…${MOST_THREADS}, found ${String(threads)}`);
  }
  return { level, threads: typeof SharedArrayBuffer === 'undefined' ? 1 : threads };
}
