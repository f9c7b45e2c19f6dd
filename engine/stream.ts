import { EngineError } from './errors';
import type { SlotPool } from './slots';
import type { DecoderStream, Encoded } from './types';

/** Rows of the last forward call that a stream has not settled yet. */
interface Pending {
  /** Index in the call of each row. */
  readonly rows: readonly number[];
  /** Index in `rows` of each row's parent, −1 for the settled end. */
  readonly parents: readonly number[];
  readonly slots: Int32Array;
  readonly chain: boolean;
}

/** Slots of pending rows along a path from the settled end. */
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

/** Decoder state of one sequence: a list of slots, oldest first, and the rows still pending. */
export class Stream implements DecoderStream {
  private slots: Int32Array; // capacity; [0, settled) is in use
  private settled = 0;
  private pending: Pending | null = null;
  private disposed = false;

  constructor(
    readonly encoded: Encoded,
    readonly pool: SlotPool,
  ) {
    this.slots = new Int32Array(64);
  }

  get length(): number {
    return this.settled + (this.pending?.chain ? this.pending.slots.length : 0);
  }

  truncate(length: number): void {
    this.alive();
    if (this.pending?.chain) this.settleChain();
    this.dropPending();
    if (!Number.isInteger(length) || length < 0 || length > this.settled) {
      throw new EngineError('stream-invalid', `truncate: expected a length from 0 to ${this.settled}, found ${length}`);
    }
    this.pool.drop(this.slots.slice(length, this.settled));
    this.settled = length;
  }

  keep(path: readonly number[]): void {
    this.alive();
    const pending = this.pending;
    if (!pending) {
      if (path.length === 0) return;
      throw new EngineError('stream-invalid', `keep: expected no rows (none are pending), found [${path}]`);
    }
    const chosen = slotsAlong(pending, path, 'keep');
    const kept = new Set(chosen);
    this.pool.drop(pending.slots.filter((slot) => !kept.has(slot)));
    this.pending = null;
    this.append(chosen);
  }

  fork(path?: readonly number[]): Stream {
    this.alive();
    if (path === undefined) {
      if (this.pending?.chain) this.settleChain();
      if (this.pending)
        throw new EngineError('stream-invalid', 'fork: expected a path of the pending tree, found none');
    }
    const grown = slotsAlong(this.pending, path ?? [], 'fork');
    const copy = new Stream(this.encoded, this.pool);
    for (const slots of [this.settledSlots(), grown]) {
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

  /** Slots of the settled tokens, oldest first; a view. */
  settledSlots(): Int32Array {
    return this.slots.subarray(0, this.settled);
  }

  /** Makes ready for a forward call: a pending chain is settled, a pending tree is an error. */
  beginCall(): void {
    this.alive();
    if (this.pending?.chain) this.settleChain();
    if (this.pending) {
      throw new EngineError(
        'stream-invalid',
        'forward: expected keep() or truncate() after a tree, found it still pending',
      );
    }
  }

  /** Notes the rows that a call has appended. */
  setPending(rows: readonly number[], parents: readonly number[], slots: Int32Array): void {
    const chain = parents.every((parent, i) => parent === i - 1);
    this.pending = { rows, parents, slots, chain };
  }

  /** Forgets the rows of a call that failed. */
  abandon(): void {
    this.dropPending();
  }

  private settleChain(): void {
    const slots = (this.pending as Pending).slots;
    this.pending = null;
    this.append(slots);
  }

  private dropPending(): void {
    if (this.pending) this.pool.drop(this.pending.slots);
    this.pending = null;
  }

  private append(slots: Int32Array): void {
    const needed = this.settled + slots.length;
    if (needed > this.slots.length) {
      const bigger = new Int32Array(Math.max(needed, 2 * this.slots.length));
      bigger.set(this.settledSlots());
      this.slots = bigger;
    }
    this.slots.set(slots, this.settled);
    this.settled = needed;
  }

  private alive(): void {
    if (this.disposed) throw new EngineError('disposed', 'stream: expected a live stream, found one already disposed');
  }
}
