/**
 * Plans of attention: for every row of a call, which cache slots hold its keys, in which order, and which slot its own keys and
 * values go to. Attention adds up in the order of the list, so a row's bits depend on its own list and on nothing else in the call.
 */
import type { PlanSpec } from '../kernels';
import { EngineError } from './errors';
import type { SlotPool } from './slots';
import type { SourceRows } from './source';
import { Stream } from './stream';
import type { DecoderRow, Encoded } from './types';

/** Lists of keys, one for each row, in one array. Rows that see the same keys share their part of it. */
class KeyLists {
  private keys: Int32Array = new Int32Array(256);
  private used = 0;
  readonly start: Int32Array;
  readonly count: Int32Array;

  constructor(readonly rows: number) {
    this.start = new Int32Array(rows);
    this.count = new Int32Array(rows);
  }

  /** Starts the list of `row` with these slots. */
  begin(row: number, slots: Int32Array): void {
    this.start[row] = this.used;
    this.count[row] = slots.length;
    this.reserve(slots.length);
    this.keys.set(slots, this.used);
    this.used += slots.length;
  }

  /** Starts the list of `row` with the whole list of `parent`. Copies it only when another list has been written after it. */
  extend(row: number, parent: number): void {
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

  /** Gives `row` the same list as `other`. */
  share(row: number, other: number): void {
    this.start[row] = this.start[other];
    this.count[row] = this.count[other];
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

/**
 * Encoder self-attention of a call over several sources: a row sees every row of its source. Row r of the call has slot r.
 *
 * @param writes whether the rows write their keys and values
 */
export function sourcesPlan(sources: readonly SourceRows[], writes: boolean): PlanSpec {
  const rows = sources.reduce((sum, { ids }) => sum + ids.length, 0);
  const [start, count, position] = [new Int32Array(rows), new Int32Array(rows), new Int32Array(rows)];
  let first = 0; // number of the source's first row
  for (const { ids, places } of sources) {
    const end = first + ids.length;
    start.fill(first, first, end);
    count.fill(ids.length, first, end);
    if (places) position.set(places, first);
    else for (let i = 0; i < ids.length; i++) position[first + i] = i;
    first = end;
  }
  const keys = new Int32Array(rows);
  for (let row = 0; row < rows; row++) keys[row] = row;
  const spec = { rows, write: writes ? keys : new Int32Array(0), start, count, keys, position };
  // Without holes the position of a key is its ordinal, which backends know by themselves. The keys are the rows themselves.
  return sources.some(({ places }) => places) ? { ...spec, places: position } : spec;
}

/** Cross-attention: a row sees every slot of its stream's source. Nothing is written. */
export function crossPlan(rows: readonly DecoderRow[], slotsOf: (encoded: Encoded) => Int32Array): PlanSpec {
  const lists = new KeyLists(rows.length);
  const firstRow = new Map<Encoded, number>();
  rows.forEach((row, r) => {
    const { encoded } = row.stream;
    const other = firstRow.get(encoded);
    if (other === undefined) {
      firstRow.set(encoded, r);
      lists.begin(r, slotsOf(encoded));
    } else {
      lists.share(r, other);
    }
  });
  return lists.finish(new Int32Array(0), new Int32Array(rows.length));
}

/** The rows of one stream in a call. */
interface StreamRows {
  /** Index in the call of each row. */
  readonly rows: number[];
  /** Index in `rows` of each row's parent, or −1. */
  readonly parents: number[];
}

/**
 * Decoder self-attention: a row sees its stream's kept tokens, then its ancestors in this call, then itself. Takes a slot of
 * `pool` for each row; the rows become pending on their streams. After an error nothing is taken or pending.
 *
 * @throws EngineError `row-invalid` or `stream-invalid`; what the pool throws when it cannot grow
 */
export function selfPlan(rows: readonly DecoderRow[], pool: SlotPool): PlanSpec {
  const streams = groupByStream(rows, pool);
  const write = takeSlots(streams, pool, rows.length);
  const lists = new KeyLists(rows.length);
  const position = new Int32Array(rows.length);
  rows.forEach((row, r) => {
    if (row.parent < 0) lists.begin(r, (row.stream as Stream).keptSlots());
    else lists.extend(r, row.parent);
    lists.push(r, write[r]);
    position[r] = row.position;
  });
  return lists.finish(write, position);
}

/** Takes a slot for each row; returns the slots by row. */
function takeSlots(streams: ReadonlyMap<Stream, StreamRows>, pool: SlotPool, rows: number): Int32Array {
  const write = new Int32Array(rows);
  const pending: Stream[] = [];
  try {
    for (const [stream, { rows, parents }] of streams) {
      const slots = pool.take(rows.length);
      rows.forEach((row, i) => {
        write[row] = slots[i];
      });
      stream.setPending(rows, parents, slots);
      pending.push(stream);
    }
  } catch (error) {
    for (const stream of pending) stream.dropPending();
    throw error;
  }
  return write;
}

function groupByStream(rows: readonly DecoderRow[], pool: SlotPool): Map<Stream, StreamRows> {
  const streams = new Map<Stream, StreamRows>();
  const indexInStream = new Int32Array(rows.length);
  rows.forEach((row, r) => {
    const { stream } = row;
    if (!(stream instanceof Stream) || stream.pool !== pool) throw badRow(r, 'a stream of this model', 'another');
    let group = streams.get(stream);
    if (!group) {
      stream.beginCall();
      group = { rows: [], parents: [] };
      streams.set(stream, group);
    }
    checkRow(rows, r, stream.length);
    indexInStream[r] = group.rows.length;
    group.parents.push(row.parent < 0 ? -1 : indexInStream[row.parent]);
    group.rows.push(r);
  });
  return streams;
}

function checkRow(rows: readonly DecoderRow[], r: number, kept: number): void {
  const { parent, position, stream } = rows[r];
  if (!Number.isInteger(parent) || parent < -1 || parent >= r) {
    throw badRow(r, `a parent from -1 to ${r - 1}`, `${parent}`);
  }
  if (parent >= 0 && rows[parent].stream !== stream) throw badRow(r, 'a parent in the same stream', `row ${parent}`);
  const expected = parent < 0 ? kept : rows[parent].position + 1;
  if (position !== expected) throw badRow(r, `position ${expected}`, `${position}`);
}

function badRow(row: number, expected: string, found: string): EngineError {
  return new EngineError('row-invalid', `forward: row ${row}: expected ${expected}, found ${found}`);
}
