import { flagged, type OptionTable, whole } from '../../common';
import type { Backend, BackendFacts } from '../contract';
import { KernelError } from '../errors';
import { checkBackendOptions } from '../options';
import { memoryBytes } from '../shared/memory.node';
import { createStorage, WEIGHT_TYPES } from '../shared/storage';
import { activation } from './activation';
import { append } from './append';
import { attention } from './attention';
import { Banks } from './banks';
import { weightBytes } from './boxes';
import type { ThreadChoice } from './cores';
import { chooseThreads, findCores } from './cores.node';
import { embed } from './embed';
import { head } from './head';
import { type RowBlocks, WasmInstance } from './instance';
import { Size } from './layout';
import { chooseLevel, compileLevel, instantiate, type WasmLevel } from './level';
import { linear } from './linear';
import { LinearMemory } from './linearMemory';
import { logitsQueries } from './logits';
import { normLinear } from './normLinear';
import { rmsNorm } from './rmsNorm';
import { WasmStorage } from './storage';
import type { Thread } from './threadProgram';
import { type StartedThreads, startThreads } from './threads';
import type { WideFinding } from './wide/finding';
import { widen } from './wide/wide.node';

export { MOST_DEFAULT_THREADS } from './cores';
export type { LevelFinding, WasmLevel } from './level';
export { probeLevel } from './level';

export interface WasmBackendOptions {
  /**
   * Threads to compute with, 1 to 64. When they are asked for by number, fewer are an error. Default: the cores that are free, at
   * most 8 (`cores.ts`); then `facts.threads` says how many really run, and `facts.reason` why so many.
   */
  readonly threads?: number;
  /** Feature level; `auto` (the default) takes the best that works. */
  readonly level?: WasmLevel | 'auto';
  /**
   * Whether V8 may join pairs of 128-bit operations into 256-bit ones, which gives the same bits (Node 24 or later, AVX2). That
   * is a switch of the whole process. True turns it on or refuses; `auto` turns it on where it works; false, the default, leaves
   * the process as it is. `facts.wide` says whether it is on, and why.
   */
  readonly wide?: boolean | 'auto';
  /** The most bytes of boxes to allocate. Default: the memory of the machine. */
  readonly capacityBytes?: number;
  /** Bytes of weights in the first memory, before another one is created. Default: 3 GiB of its 4. For tests. */
  readonly bankBytes?: number;
  /**
   * Whether the arg-max over a large vocabulary is found by an int8 copy of its matrix and bounds (`screen.ts`). That gives the
   * same tokens and reads a part of the bytes; the copy takes a quarter of the memory of the (float32) matrix. Default: true.
   */
  readonly certifiedHead?: boolean;
}

const OWN_OPTIONS: OptionTable = {
  bankBytes: { ...whole(1), about: 'bytes of weights in the first memory' },
  certifiedHead: { ...flagged, about: 'whether the arg-max of a large vocabulary is found by a coarse copy' },
};

/** Bytes of weights in the first memory, which has 4 GiB. The rest is for activations, caches and logits. */
const FIRST_BANK_BYTES = 3 * 2 ** 30;

/**
 * The fast backend: AssemblyScript kernels with SIMD instructions, on any number of threads with the same bits.
 *
 * @throws KernelError `option-invalid` for an option outside its range; `unavailable` where WebAssembly, the level or the number
 * of threads that was asked for does not work
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  checkBackendOptions('wasm', options, OWN_OPTIONS);
  const choice: ThreadChoice =
    options.threads === undefined ? chooseThreads(await findCores()) : { threads: options.threads, reason: null };
  const wanted = choice.threads;
  const starting = startThreads(wanted - 1);
  let started: StartedThreads | null = null;
  try {
    const wide = await widen(options.wide ?? false);
    const level = await chooseLevel(options.level ?? 'auto');
    started = await starting;
    const { helpers, refused } = started;
    const threads = helpers.length + 1;
    if (options.threads !== undefined && threads < wanted) {
      throw new KernelError('unavailable', `wasm: expected ${wanted} threads, found ${threads}: ${refused}`);
    }
    const module = await compileLevel(level, threads > 1, wide.on);
    helpers.forEach((helper, i) => {
      helper.assign({ module, index: i + 1, count: threads });
    });
    const notes = [choice.reason, refused === null ? null : `${threads} of ${wanted} threads: ${refused}`];
    const reason = notes.filter((note) => note !== null).join('; ');
    return backendOn({ module, level, wide, helpers }, options, reason === '' ? undefined : reason);
  } catch (error) {
    for (const helper of (started ?? (await starting)).helpers) void helper.end();
    throw error;
  }
}

/** A compiled module and the helping threads that have it too. */
interface Compiled {
  readonly module: WebAssembly.Module;
  readonly level: WasmLevel;
  readonly wide: WideFinding;
  readonly helpers: readonly Thread[];
}

function backendOn(compiled: Compiled, options: WasmBackendOptions, reason: string | undefined): Backend {
  const { level, wide, helpers } = compiled;
  const first = openBank(compiled, null);
  const createBank = (index: number): WasmInstance => {
    const bank = openBank(compiled, () => first.exports.callThreads(index));
    first.exports.setBankCount(index + 1);
    return bank;
  };
  const endThreads = async (): Promise<void> => {
    first.exports.stopThreads();
    await Promise.all(helpers.map((helper) => helper.end()));
  };
  const { capacityBytes = memoryBytes(), certifiedHead = true, bankBytes = FIRST_BANK_BYTES } = options;
  const banks = new Banks(first, createBank, bankBytes);
  const storage = new WasmStorage(banks, { capacityBytes, certifiedHead, endThreads });
  const facts: BackendFacts = {
    name: 'wasm',
    threads: helpers.length + 1,
    level,
    wide,
    ...(reason === undefined ? {} : { reason }),
    weightTypes: WEIGHT_TYPES,
    weightBytes: (rows, cols, type) => weightBytes(rows, cols, type, first),
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
function openBank({ module, level, wide, helpers }: Compiled, callThreads: (() => void) | null): WasmInstance {
  const threads = helpers.length + 1;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: threads > 1 });
  for (const helper of helpers) helper.give(memory);
  const exports = instantiate(module, memory);
  return new WasmInstance(new LinearMemory(memory), exports, threads, ROW_BLOCKS[level], wide.on, callThreads);
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
