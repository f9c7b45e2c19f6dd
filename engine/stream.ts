import { EngineError } from './errors';
import type { SlotPool } from './slots';
import type { DecoderStream, Encoded } from './types';

/** The rows of the last forward call on a stream, until they are kept or dropped. */
interface Pending {
  /** Index in the call of each row. */
  readonly rows: readonly number[];
  /** Index in `rows` of each row's parent; −1 for a row that follows the stream's kept tokens. */
  readonly parents: readonly number[];
  /** Slot of each row. */
  readonly slots: Int32Array;
  /** Whether each row is the parent of the next. */
  readonly isChain: boolean;
}

/** Slots of pending rows along a path that starts after the kept tokens. */
function slotsAlong(pending: Pending | null, path: readonly number[], call: string): Int32Array {
  let parent = -1;
  return Int32Array.from(path, (row) => {
    const at = pending ? pending.rows.indexOf(row) : -1;
    if (!pending || at < 0 || pending.parents[at] !== parent) {
      throw new EngineError('stream-invalid', `${call}: expected a path of pending rows, root first, found [${path}]`);
    }
    parent = at;
    return pending.slots[at];
  });
}

/** Decoder state of one sequence: the slots of its kept tokens, oldest first, and its pending rows. */
export class Stream implements DecoderStream {
  private slots: Int32Array = new Int32Array(64); // the first `kept` are in use
  private kept = 0;
  private pending: Pending | null = null;
  private disposed = false;

  constructor(
    readonly encoded: Encoded,
    readonly pool: SlotPool,
  ) {}

  get length(): number {
    return this.kept + (this.pending?.isChain ? this.pending.slots.length : 0);
  }

  truncate(length: number): void {
    this.checkInUse();
    if (this.pending?.isChain) this.keepAllPending();
    this.dropPending();
    if (!Number.isInteger(length) || length < 0 || length > this.kept) {
      throw new EngineError('stream-invalid', `truncate: expected a length from 0 to ${this.kept}, found ${length}`);
    }
    this.pool.drop(this.slots.slice(length, this.kept));
    this.kept = length;
  }

  keep(path: readonly number[]): void {
    this.checkInUse();
    const pending = this.pending;
    if (!pending) {
      if (path.length === 0) return;
      throw new EngineError('stream-invalid', `keep: expected no rows (none are pending), found [${path}]`);
    }
    const chosen = slotsAlong(pending, path, 'keep');
    const isChosen = new Set(chosen);
    this.pool.drop(pending.slots.filter((slot) => !isChosen.has(slot)));
    this.pending = null;
    this.append(chosen);
  }

  fork(path?: readonly number[]): Stream {
    this.checkInUse();
    if (path === undefined) {
      if (this.pending?.isChain) this.keepAllPending();
      if (this.pending)
        throw new EngineError('stream-invalid', 'fork: expected a path of the pending tree, found none');
    }
    const pathSlots = slotsAlong(this.pending, path ?? [], 'fork');
    const copy = new Stream(this.encoded, this.pool);
    for (const slots of [this.keptSlots(), pathSlots]) {
      this.pool.share(slots);
      copy.append(slots);
    }
    return copy;
  }

  dispose(): void {
    if (this.disposed) return;
    this.truncate(0);
    this.disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Slots of the kept tokens, oldest first. A view: it changes with the stream. */
  keptSlots(): Int32Array {
    return this.slots.subarray(0, this.kept);
  }

  /** Prepares for a forward call: keeps a pending chain, refuses a pending tree. */
  beginCall(): void {
    this.checkInUse();
    if (this.pending?.isChain) this.keepAllPending();
    if (this.pending) {
      throw new EngineError(
        'stream-invalid',
        'forward: expected keep() or truncate() after a tree, found it still pending',
      );
    }
  }

  /** Records the rows that a call appends. */
  setPending(rows: readonly number[], parents: readonly number[], slots: Int32Array): void {
    const isChain = parents.every((parent, i) => parent === i - 1);
    this.pending = { rows, parents, slots, isChain };
  }

  /** Forgets the rows of a call that failed. */
  dropPending(): void {
    if (this.pending) this.pool.drop(this.pending.slots);
    this.pending = null;
  }

  private keepAllPending(): void {
    const { slots } = this.pending as Pending;
    this.pending = null;
    this.append(slots);
  }

  private append(slots: Int32Array): void {
    const needed = this.kept + slots.length;
    if (needed > this.slots.length) {
      const bigger = new Int32Array(Math.max(needed, 2 * this.slots.length));
      bigger.set(this.keptSlots());
      this.slots = bigger;
    }
    this.slots.set(slots, this.kept);
    this.kept = needed;
  }

  private checkInUse(): void {
    if (this.disposed) throw new EngineError('disposed', 'stream: expected one in use, found one that was disposed');
  }
}
