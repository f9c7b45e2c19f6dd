import { Address, type Operation } from './layout';
import type { LinearMemory } from './linearMemory';
import { spinShift } from './spinning.node';

/** What a compiled module exports: the functions of `assembly/index.ts`. */
export interface Exports {
  setThread(thread: number, threads: number, mayBlock: number): void;
  run(operation: number, chunks: number, shared: number): void;
  serve(known: number): number;
  helpHere(): number;
  notIdle(): void;
  callThreads(bank: number): void;
  setBankCount(banks: number): void;
  stopThreads(): void;
  topK(row: number, vocabulary: number, k: number, ids: number): void;
  /** Marks the units that may hold the largest output of a row. */
  screen: Screening;
  /** Writes the largest value that an output of each unit could have. */
  screenTops: Screening;
  largest32(values: number, count: number): number;
  largest64(values: number, count: number): number;
  softmax(values: number, count: number, best: number, temperature: number): void;
  widen(values: number, count: number, out: number): void;
  blockTops(values: number, count: number, out: number): number;
  uniforms(out: number, count: number, first: number, third: number, fourth: number, key0: number, key1: number): void;
  /** Whether each float32 weight is 0, or finite and not tiny; the scales of q8 weights. */
  arePlain(values: number, count: number): number;
  areScalesPlain(weight: number, blocks: number): number;
  probeMadd(rounds: number): number;
  probeDot(rounds: number): number;
}

/** Bounds of the outputs of a row, told for each unit of them at `out`; 0 where a number was not finite. */
type Screening = (
  values: number,
  count: number,
  errors: number,
  sizes: number,
  byError: number,
  bySize: number,
  out: number,
) => number;

/** How a compiled module packs rows: the most rows in a block, and the bytes of one activation code. */
export interface RowBlocks {
  readonly floatRows: number;
  readonly codeRows: number;
  readonly codeBytes: number;
}

/** A part of the memory that kernels use for a short time. It only grows. */
interface Area {
  at: number;
  bytes: number;
}

/**
 * What the work areas hold: packed float rows; lists of their inputs; packed codes; steps and least values of codes; small lists; bytes to pack into
 * a weight; results of a product in another memory; what the screening of logits computes.
 */
export type AreaName = 'rows' | 'kept' | 'codes' | 'steps' | 'small' | 'staging' | 'results' | 'screened';

/** Multiply-adds below which one thread is done before another would have noticed the job. */
const SHARED_WORK = 100_000;

/** An instance of the compiled module with its memory. Jobs started here run on all threads of the backend. */
export class WasmInstance {
  readonly #areas: Record<AreaName, Area> = {
    rows: emptyArea(),
    kept: emptyArea(),
    codes: emptyArea(),
    steps: emptyArea(),
    small: emptyArea(),
    staging: emptyArea(),
    results: emptyArea(),
    screened: emptyArea(),
  };
  readonly #scratch = emptyArea();

  /**
   * @param wide - whether V8 joins pairs of 128-bit operations
   * @param callThreads - tells the helping threads that the next job is in this memory; null for the first memory, where they
   * look by themselves
   */
  constructor(
    readonly memory: LinearMemory,
    readonly exports: Exports,
    readonly threads: number,
    readonly blocks: RowBlocks,
    readonly wide: boolean,
    private readonly callThreads: (() => void) | null = null,
  ) {
    exports.setThread(0, threads, mayBlock() ? 1 : 0);
  }

  /**
   * Runs a job whose parameters were written to the memory.
   *
   * @param work - multiply-adds of the whole job; from them follows whether other threads are worth calling
   */
  run(operation: Operation, chunks: number, work: number): void {
    const shared = this.threads > 1 && work >= SHARED_WORK;
    if (shared) {
      this.memory.i32[Address.spinShift >> 2] = spinShift(this.threads);
      this.callThreads?.();
    }
    this.exports.run(operation, chunks, shared ? 1 : 0);
  }

  /** Address of a work area of at least so many bytes. Its content is lost when it grows. */
  area(name: AreaName, bytes: number): number {
    return this.#grow(this.#areas[name], bytes, `a work area of ${bytes} bytes`).at;
  }

  /** Frees a work area until it is asked for again. */
  release(name: AreaName): void {
    this.memory.free(this.#areas[name].at);
    this.#areas[name] = emptyArea();
  }

  /** Makes sure that every thread has so many bytes of scratch memory. */
  scratch(bytes: number): void {
    const stride = Math.ceil(bytes / 128) * 128;
    if (this.#scratch.bytes >= stride * this.threads) return;
    const { at } = this.#grow(this.#scratch, stride * this.threads, `scratch memory of ${this.threads} threads`);
    const { i32 } = this.memory;
    i32[Address.scratch >> 2] = at;
    i32[Address.scratchStride >> 2] = stride;
  }

  #grow(area: Area, bytes: number, what: string): Area {
    if (area.bytes < bytes) {
      this.memory.free(area.at);
      area.bytes = 0;
      area.at = this.memory.allocate(bytes, what);
      area.bytes = bytes;
    }
    return area;
  }
}

function emptyArea(): Area {
  return { at: 0, bytes: 0 };
}

/** Whether this thread may sleep on shared memory. The main thread of a page may not. */
function mayBlock(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
