import type { PlanSpec } from '../kernels';
import { EngineError } from './errors';
import { Stream } from './stream';
import type { DecoderRow, Encoded } from './types';

/** Key lists under construction: rows whose list continues the list before it share storage. */
class KeyLists {
  private keys: Int32Array = new Int32Array(256);
  private used = 0;
  readonly start: Int32Array;
  readonly count: Int32Array;

  constructor(readonly rows: number) {
    this.start = new Int32Array(rows);
    this.count = new Int32Array(rows);
  }

  /** Starts a list for `row` with these slots. */
  begin(row: number, slots: Int32Array): void {
    this.start[row] = this.used;
    this.count[row] = slots.length;
    this.reserve(slots.length);
    this.keys.set(slots, this.used);
    this.used += slots.length;
  }

  /** Gives `row` the list of `parent`, in place when nothing has been written after it. */
  follow(row: number, parent: number): void {
    const end = this.start[parent] + this.count[parent];
    if (end === this.used) {
      this.start[row] = this.start[parent];
      this.count[row] = this.count[parent];
    } else {
      this.begin(row, this.keys.slice(this.start[parent], end));
    }
  }

  push(row: number, slot: number): void {
    this.reserve(1);
    this.keys[this.used++] = slot;
    this.count[row]++;
  }

  share(row: number, like: number): void {
    this.start[row] = this.start[like];
    this.count[row] = this.count[like];
  }

  finish(write: Int32Array, position: Int32Array): PlanSpec {
    const { rows, start, count } = this;
    return { rows, write, start, count, keys: this.keys.subarray(0, this.used), position };
  }

  private reserve(extra: number): void {
    if (this.used + extra <= this.keys.length) return;
    const bigger = new Int32Array(Math.max(this.used + extra, 2 * this.keys.length));
    bigger.set(this.keys.subarray(0, this.used));
    this.keys = bigger;
  }
}

/** Encoder self-attention over several sources in one call: each row sees every row of its own source. */
export function encoderPlan(lengths: readonly number[]): PlanSpec {
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const lists = new KeyLists(rows);
  const write = new Int32Array(rows);
  const position = new Int32Array(rows);
  let first = 0;
  for (const length of lengths) {
    const slots = Int32Array.from({ length }, (_, i) => first + i);
    lists.begin(first, slots);
    for (let i = 0; i < length; i++) {
      lists.share(first + i, first);
      write[first + i] = first + i;
      position[first + i] = i;
    }
    first += length;
  }
  return lists.finish(write, position);
}

/** Cross-attention: each row sees every slot of its stream's source; nothing is appended. */
export function crossPlan(rows: readonly DecoderRow[], slotsOf: (encoded: Encoded) => Int32Array): PlanSpec {
  const lists = new KeyLists(rows.length);
  const firstRow = new Map<Encoded, number>();
  rows.forEach((row, r) => {
    const encoded = row.stream.encoded;
    const like = firstRow.get(encoded);
    if (like === undefined) {
      firstRow.set(encoded, r);
      lists.begin(r, slotsOf(encoded));
    } else {
      lists.share(r, like);
    }
  });
  return lists.finish(new Int32Array(0), new Int32Array(rows.length));
}

/** The rows of one stream within a call. */
interface StreamRows {
  readonly rows: number[];
  readonly parents: number[];
}

/**
 * Decoder self-attention: each row sees its stream's settled prefix, then its ancestors in this call, then itself.
 * Takes the new rows' slots from the streams' pool and leaves them pending.
 */
export function selfPlan(rows: readonly DecoderRow[]): PlanSpec {
  const streams = groupByStream(rows);
  const write = new Int32Array(rows.length);
  for (const [stream, own] of streams) {
    const slots = stream.pool.take(own.rows.length);
    own.rows.forEach((row, i) => {
      write[row] = slots[i];
    });
    stream.setPending(own.rows, own.parents, slots);
  }
  const lists = new KeyLists(rows.length);
  const position = new Int32Array(rows.length);
  rows.forEach((row, r) => {
    if (row.parent < 0) lists.begin(r, (row.stream as Stream).settledSlots());
    else lists.follow(r, row.parent);
    lists.push(r, write[r]);
    position[r] = row.position;
  });
  return lists.finish(write, position);
}

function groupByStream(rows: readonly DecoderRow[]): Map<Stream, StreamRows> {
  const streams = new Map<Stream, StreamRows>();
  const indexInStream = new Int32Array(rows.length);
  rows.forEach((row, r) => {
    const { stream } = row;
    if (!(stream instanceof Stream)) throw badRow(r, 'a stream of this model', typeof stream);
    let own = streams.get(stream);
    if (!own) {
      stream.beginCall();
      own = { rows: [], parents: [] };
      streams.set(stream, own);
    }
    checkRow(rows, r, stream.length);
    indexInStream[r] = own.rows.length;
    own.parents.push(row.parent < 0 ? -1 : indexInStream[row.parent]);
    own.rows.push(r);
  });
  return streams;
}

function checkRow(rows: readonly DecoderRow[], r: number, settled: number): void {
  const { parent, position, stream } = rows[r];
  if (!Number.isInteger(parent) || parent < -1 || parent >= r) {
    throw badRow(r, `a parent from −1 to ${r - 1}`, `${parent}`);
  }
  if (parent >= 0 && rows[parent].stream !== stream) throw badRow(r, 'a parent in the same stream', `row ${parent}`);
  const expected = parent < 0 ? settled : rows[parent].position + 1;
  if (position !== expected) throw badRow(r, `position ${expected}`, `${position}`);
}

function badRow(row: number, expected: string, found: string): EngineError {
  return new EngineError('row-invalid', `forward: row ${row}: expected ${expected}, found ${found}`);
}
