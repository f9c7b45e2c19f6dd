import type { Backend, BackendFacts } from '../contract';
import { KernelError } from '../errors';
import { memoryBytes } from '../shared/memory.node';
import { createStorage } from '../shared/storage';
import { activation } from './activation';
import { append } from './append';
import { attention } from './attention';
import { Banks } from './banks';
import { weightBytes } from './boxes';
import { embed } from './embed';
import { head } from './head';
import { type RowBlocks, WasmInstance } from './instance';
import { Size } from './layout';
import { compileLevel, instantiate, type WasmLevel } from './level';
import { linear } from './linear';
import { LinearMemory } from './linearMemory';
import { logitsQueries } from './logits';
import { normLinear } from './normLinear';
import { rmsNorm } from './rmsNorm';
import { WasmStorage } from './storage';
import { coreCount, startThread, type Thread } from './threads.node';

export type { LevelFinding, WasmLevel } from './level';
export { probeLevel } from './level';

export interface WasmBackendOptions {
  /** Threads to compute with, 1 to 64; default: the cores there are, at most 8. One where memory cannot be shared. */
  readonly threads?: number;
  /** Feature level; `auto` (the default) takes the best that validates and gives its known answers. */
  readonly level?: WasmLevel | 'auto';
  /** The most bytes of boxes to hold; default: the machine's memory. */
  readonly capacityBytes?: number;
  /** Bytes of weights in the first memory before another is opened; default: 3 GiB of its 4. Of use to tests. */
  readonly bankBytes?: number;
  /**
   * Whether the arg-max over a large vocabulary is found by an int8 copy of its matrix and bounds (`screen.ts`): the same tokens from
   * a fraction of the bytes, for a quarter more memory (float32) of that one matrix. Default: true.
   */
  readonly certifiedHead?: boolean;
}

/** One WebAssembly memory has 4 GiB; a quarter of the first is left to activations, caches and logits. */
const FIRST_BANK_BYTES = 3 * 2 ** 30;
const MOST_THREADS = 64;
const DEFAULT_THREADS = 8;

/**
 * The fast backend: AssemblyScript kernels in SIMD, on any number of threads with the same bits.
 *
 * @throws KernelError `unavailable` where WebAssembly or the level asked for does not work; `argument-invalid` for a
 * thread count or level that is none.
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const { threads, level: wanted } = checked(options);
  const { level, module } = await compileLevel(wanted, threads > 1);
  const helpers: Thread[] = [];
  for (let index = 1; index < threads; index++) helpers.push(startThread({ module, index, count: threads }));
  const first = openBank(module, level, threads, helpers, null);
  const createBank = (index: number): WasmInstance => {
    const bank = openBank(module, level, threads, helpers, () => first.exports.ring(index));
    first.exports.announce(index + 1);
    return bank;
  };
  const banks = new Banks(first, createBank, options.bankBytes ?? FIRST_BANK_BYTES);
  const endThreads = async (): Promise<void> => {
    first.exports.stop();
    await Promise.all(helpers.splice(0).map((helper) => helper.end()));
  };
  const { capacityBytes = memoryBytes(), certifiedHead = true } = options;
  const storage = new WasmStorage(banks, { capacityBytes, certifiedHead, endThreads });
  const facts: BackendFacts = {
    name: 'wasm',
    threads,
    level,
    weightTypes: ['f32', 'bf16', 'q8'],
    weightBytes,
    capacityBytes,
    allocatedBytes: () => storage.budget.allocatedBytes,
  };
  return { ...createStorage(storage), ...kernelsOver(storage), ...logitsQueries(storage), facts };
}

/** Rows of a block and bytes of a code, as the compiled module of a level has them. */
const ROW_BLOCKS: Readonly<Record<WasmLevel, RowBlocks>> = {
  simd: { floatRows: Size.floatBlockRows, codeRows: Size.strictCodeBlockRows, codeBytes: Size.strictCode },
  'relaxed-simd': { floatRows: Size.floatBlockRows, codeRows: Size.relaxedCodeBlockRows, codeBytes: Size.relaxedCode },
};

/** Creates a memory and this thread's instance on it, and gives the memory to the helping threads. */
function openBank(
  module: WebAssembly.Module,
  level: WasmLevel,
  threads: number,
  helpers: readonly Thread[],
  callThreads: (() => void) | null,
): WasmInstance {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: threads > 1 });
  for (const helper of helpers) helper.give(memory);
  return new WasmInstance(
    new LinearMemory(memory),
    instantiate(module, memory),
    threads,
    ROW_BLOCKS[level],
    callThreads,
  );
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
      'argument-invalid',
      `wasm: expected level simd, relaxed-simd or auto, found ${String(level)}`,
    );
  }
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new KernelError('argument-invalid', `wasm: expected threads in 1…${MOST_THREADS}, found ${String(threads)}`);
  }
  return { level, threads: typeof SharedArrayBuffer === 'undefined' ? 1 : threads };
}
