import type { LinearMemory } from './linearMemory';

/** Operations of `assembly/index.ts`. */
export const Operation = {
  matmul: 0,
  prepare: 1,
  attend: 2,
  append: 3,
  activation: 4,
  embed: 5,
  pack: 6,
  argMax: 7,
  largest: 8,
  exponentials: 9,
} as const;

/** What a compiled module exports. */
export interface Exports {
  become(thread: number, threads: number, mayBlock: number): void;
  run(operation: number, chunks: number, shared: number): void;
  serve(known: number): number;
  assist(): number;
  busy(): void;
  ring(bank: number): void;
  announce(banks: number): void;
  stop(): void;
  topK(row: number, vocabulary: number, k: number, ids: number): void;
  screen(
    values: number,
    count: number,
    errors: number,
    sizes: number,
    inputs: number,
    rounding: number,
    units: number,
  ): number;
  probeMadd(rounds: number): number;
  probeDot(rounds: number): number;
}

/** Words of the control block (`assembly/control.ts`): where the scratch memory is, and a job's parameters. */
const SCRATCH_WORD = 576 >> 2;
export const PARAMETER = 1032 >> 2;

/** A part of the memory that kernels use in passing; it only grows. */
export interface Area {
  at: number;
  bytes: number;
}

/** Packed float rows, codes and their steps; small lists; bytes to pack; a product's results on their way home; what screening keeps. */
export type AreaName = 'rows' | 'codes' | 'steps' | 'small' | 'staging' | 'results' | 'screened';

/** One instance on its memory, with the helping threads behind it. */
export class Machine {
  readonly #areas = {
    rows: area(),
    codes: area(),
    steps: area(),
    small: area(),
    staging: area(),
    results: area(),
    screened: area(),
  };
  readonly #scratch = area();

  constructor(
    readonly memory: LinearMemory,
    readonly exports: Exports,
    readonly threads: number,
    /** How the compiled module groups rows (`assembly/matmul.ts`), and the bytes it takes for one activation code. */
    readonly blocks: { readonly floatRows: number; readonly codeRows: number; readonly codeBytes: number },
    /** Calls the helping threads to this memory; null for the first, where they wait. */
    private readonly ring: (() => void) | null = null,
  ) {
    exports.become(0, threads, mayBlock() ? 1 : 0);
  }

  /** Runs a job whose parameters are in place; `work` in multiply-adds says whether other threads are worth asking. */
  run(operation: number, chunks: number, work: number): void {
    const shared = this.threads > 1 && work >= SHARED_WORK;
    if (shared) this.ring?.();
    this.exports.run(operation, chunks, shared ? 1 : 0);
  }

  /** Address of a named part of at least so many bytes; its content is lost when it grows. */
  area(name: AreaName, bytes: number): number {
    return this.#grown(this.#areas[name], bytes, `a work area of ${bytes} bytes`).at;
  }

  /** Gives a named part back until it is asked for again. */
  release(name: 'staging'): void {
    this.memory.free(this.#areas[name].at);
    this.#areas[name] = area();
  }

  /** Makes sure that every thread has so many bytes of scratch memory. */
  scratch(bytes: number): void {
    const stride = Math.ceil(bytes / 128) * 128;
    if (this.#scratch.bytes >= stride * this.threads) return;
    const { at } = this.#grown(this.#scratch, stride * this.threads, `scratch memory of ${this.threads} threads`);
    this.memory.i32[SCRATCH_WORD] = at;
    this.memory.i32[SCRATCH_WORD + 1] = stride;
  }

  #grown(part: Area, bytes: number, what: string): Area {
    if (part.bytes < bytes) {
      this.memory.free(part.at);
      part.bytes = 0;
      part.at = this.memory.allocate(bytes, what);
      part.bytes = bytes;
    }
    return part;
  }
}

/** Multiply-adds below which one thread is done before another would have noticed. */
const SHARED_WORK = 100_000;

const area = (): Area => ({ at: 0, bytes: 0 });

/** Whether this thread may sleep on shared memory: a page's main thread may not. */
function mayBlock(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
