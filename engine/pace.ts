/**
 * How long calls are cut: into steps of a bounded number of multiply-adds, whatever the length of a source. Between two steps a
 * cancel is heard and the event loop turns. A row's bits do not depend on the cuts, because no kernel's do.
 */
import { Turns } from '../common';
import type { AttentionPart, BackendFacts } from '../kernels';
import type { T5Config } from '../weights';

/** Multiply-adds of one step, for each thread: about 50 ms of work for each kind of backend. */
const STEP: Readonly<Record<BackendFacts['name'], number>> = {
  wasm: 5e8,
  cpu: 5e7,
  reference: 2e7,
  gpu: Number.POSITIVE_INFINITY, // it computes beside this thread
};

/** More threads than this share the memory, so that a step does not get shorter. */
const MOST_THREADS = 8;

/** Multiply-adds between two turns of the event loop. */
export function stepOperations({ name, threads }: Pick<BackendFacts, 'name' | 'threads'>): number {
  return STEP[name] * Math.min(threads, MOST_THREADS);
}

/** Rows that attention computes together over a long list of keys, which is then read once for all of them. */
const TILE_ROWS = 32;

/** An attention call that may be cut. */
export interface AttentionSize {
  readonly rows: number;
  readonly heads: number;
  readonly dKv: number;
  /** Keys of the longest list. */
  readonly longest: number;
}

/** Multiply-adds of an attention call. */
export function attentionOperations({ rows, heads, dKv, longest }: AttentionSize): number {
  return 2 * rows * heads * dKv * longest;
}

/** Cuts an attention call into parts of at most `most` multiply-adds. One head of one row is the smallest part. */
export function attentionParts(size: AttentionSize, most: number): Pick<AttentionPart, 'rows' | 'heads'>[] {
  const { rows, heads } = size;
  const one = attentionOperations({ ...size, rows: 1, heads: 1 });
  const fitting = Math.max(1, Math.floor(most / one)); // heads of rows
  if (rows * heads <= fitting) return [{ rows: [0, rows], heads: [0, heads] }];
  let tall = Math.min(rows, fitting, TILE_ROWS);
  const wide = Math.min(heads, Math.floor(fitting / tall));
  if (wide === heads) tall = Math.floor(fitting / heads);
  if (tall > 4) tall &= ~3; // four rows are computed together
  const parts: Pick<AttentionPart, 'rows' | 'heads'>[] = [];
  for (let row = 0; row < rows; row += tall) {
    for (let head = 0; head < heads; head += wide) {
      parts.push({ rows: [row, Math.min(row + tall, rows)], heads: [head, Math.min(head + wide, heads)] });
    }
  }
  return parts;
}

/** Rows of the largest chunk of an encoder call. */
const MOST_ROWS = 512;
/** Rows of the smallest chunk: with fewer, products read the weights too often. */
const LEAST_ROWS: Readonly<Record<BackendFacts['name'], number>> = { wasm: 32, cpu: 4, reference: 4, gpu: MOST_ROWS };

/** Rows that the encoder projects at a time: its products take one step. Attention is cut by itself. */
export function chunkRows(facts: Pick<BackendFacts, 'name' | 'threads'>, config: T5Config): number {
  const { dModel, dFf, inner, feedForward } = config;
  const largest = Math.max((feedForward.gated ? 3 : 2) * dModel * dFf, 3 * dModel * inner);
  const fitting = Math.floor(stepOperations(facts) / largest / 4) * 4;
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS[facts.name], fitting));
}

/** Lets the event loop turn between the steps of a call, and ends the call when it was cancelled. */
export class Pace {
  readonly most: number;
  private readonly turns = new Turns();
  private done = 0;

  /** @param check throws when the call is to end */
  constructor(
    facts: BackendFacts,
    private readonly check: () => void,
  ) {
    this.most = stepOperations(facts);
  }

  async pause(): Promise<void> {
    await this.turns.give();
    this.check();
  }

  /** Counts the multiply-adds of the next step. Says whether it is to wait for a pause, because without one it would be too much. */
  isDue(operations: number): boolean {
    const due = this.done > 0 && this.done + operations > this.most;
    this.done = due ? operations : this.done + operations;
    return due;
  }
}
