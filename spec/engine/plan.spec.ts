import fc from 'fast-check';
import type { DecoderRow, Encoded } from '../../engine';
import { crossPlan, selfPlan, sourcesPlan } from '../../engine/plan';
import { SlotPool } from '../../engine/slots';
import { Stream } from '../../engine/stream';
import type { PlanSpec } from '../../kernels';

const keysOf = ({ start, count, keys }: PlanSpec, row: number) => [
  ...keys.subarray(start[row], start[row] + count[row]),
];

/** A call of several streams: how many tokens each has kept, and for every row its stream and a pick of its parent. */
const calls = fc
  .record({
    kept: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
    picks: fc.array(fc.tuple(fc.nat(2), fc.nat(1000)), { minLength: 1, maxLength: 10 }),
  })
  .map(({ kept, picks }) => {
    const rows: { stream: number; parent: number }[] = [];
    for (const [s, pick] of picks) {
      const stream = s % kept.length;
      const earlier = rows.flatMap((row, r) => (row.stream === stream ? [r] : []));
      rows.push({ stream, parent: [-1, ...earlier][pick % (earlier.length + 1)] });
    }
    return { kept, rows };
  });

function openStreams(pool: SlotPool, kept: readonly number[]): Stream[] {
  return kept.map((count) => {
    const stream = new Stream({} as Encoded, pool);
    const rows = Array.from({ length: count }, (_, i) => i);
    stream.setPending(rows, [-1, ...rows].slice(0, count), pool.take(count));
    stream.keep(rows);
    return stream;
  });
}

function rowsOf(streams: readonly Stream[], shape: readonly { stream: number; parent: number }[]): DecoderRow[] {
  const rows: DecoderRow[] = [];
  for (const { stream: s, parent } of shape) {
    const stream = streams[s];
    rows.push({ stream, token: 0, parent, position: parent < 0 ? stream.length : rows[parent].position + 1 });
  }
  return rows;
}

const sourcesOf = (lengths: readonly number[]) =>
  lengths.map((length) => ({ ids: new Array<number>(length).fill(5), places: null }));

describe('a plan of the encoder', () => {
  it('has no slots to write to where the rows were written before, and is otherwise the same', () => {
    const { write, ...lists } = sourcesPlan(sourcesOf([3, 1, 4]), true);
    expect(write.length).toBe(8);
    expect(sourcesPlan(sourcesOf([3, 1, 4]), false)).toEqual({ ...lists, write: new Int32Array(0) });
  });

  it('has the places of ids that are seen, for rows and keys alike', () => {
    const holes = { ids: [5, 6, 7], places: Int32Array.of(0, 2, 9) };
    const plan = sourcesPlan([{ ids: [1, 2], places: null }, holes], true);
    expect([...plan.position]).toEqual([0, 1, 0, 2, 9]);
    expect([...(plan.places as Int32Array)]).toEqual([0, 1, 0, 2, 9]);
  });

  it('lets every row see the rows of its source, in order, and write to a slot of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (lengths) => {
        const plan = sourcesPlan(sourcesOf(lengths), true);
        const sources = lengths.flatMap((length, source) => Array.from({ length }, () => source));
        expect(plan.rows).toBe(sources.length);
        expect([...plan.write]).toEqual(sources.map((_, row) => row));
        sources.forEach((source, row) => {
          const sameSource = sources.flatMap((other, r) => (other === source ? [r] : []));
          expect(keysOf(plan, row)).toEqual(sameSource);
          expect(plan.position[row]).toBe(sameSource.indexOf(row));
        });
      }),
    );
  });
});

describe('a plan of the decoder', () => {
  it('lets every row see its stream’s kept tokens, then its ancestors, then itself, and takes one slot for each row', () => {
    fc.assert(
      fc.property(calls, ({ kept, rows: shape }) => {
        const pool = new SlotPool(() => undefined);
        const streams = openStreams(pool, kept);
        const before = streams.map((stream) => [...stream.keptSlots()]);
        const plan = selfPlan(rowsOf(streams, shape), pool);
        const ancestors = (row: number): number[] => (row < 0 ? [] : [...ancestors(shape[row].parent), row]);
        shape.forEach(({ stream }, row) => {
          const path = ancestors(row);
          expect(keysOf(plan, row)).toEqual([...before[stream], ...path.map((r) => plan.write[r])]);
          expect(plan.position[row]).toBe(kept[stream] + path.length - 1);
        });
        const taken = new Set([...before.flat(), ...plan.write]);
        expect([taken.size, pool.inUse]).toEqual([before.flat().length + shape.length, taken.size]);
        for (const stream of streams) stream.dispose();
        expect(pool.inUse).toBe(0);
      }),
    );
  });

  it('leaves nothing taken or pending when the pool cannot grow for one of the streams', () => {
    let refused = 0;
    fc.assert(
      fc.property(calls, fc.nat(3), ({ kept, rows: shape }, after) => {
        let allowed = Number.POSITIVE_INFINITY;
        const pool = new SlotPool((slots) => {
          if (slots > allowed) throw new Error('no room');
        });
        const streams = openStreams(pool, kept);
        const before = streams.map((stream) => [...stream.keptSlots()]);
        pool.take(Math.max(0, pool.size - pool.inUse - after)); // few are left, so that a later stream has to grow the pool
        allowed = pool.size;
        const inUse = pool.inUse;
        const groups = new Set(shape.map(({ stream }) => stream)).size;
        if (pool.size - inUse >= shape.length || groups < 2) return;
        expect(() => selfPlan(rowsOf(streams, shape), pool)).toThrow('no room');
        refused++;
        expect(pool.inUse).toBe(inUse);
        expect(streams.map((stream) => [...stream.keptSlots()])).toEqual(before);
        expect(streams.map((stream) => stream.length)).toEqual(kept);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(20);
  });

  it('refuses a stream of another model, a parent in another stream, and a stream whose tree is still pending', () => {
    const [pool, other] = [new SlotPool(() => undefined), new SlotPool(() => undefined)];
    const [mine, neighbour] = openStreams(pool, [0, 0]);
    const [foreign] = openStreams(other, [0]);
    const row = (stream: Stream, parent = -1, position = 0): DecoderRow => ({ stream, token: 0, parent, position });
    expect(() => selfPlan([row(mine), row(foreign)], pool)).toThrow(/row 1: expected a stream of this model/);
    expect(() => selfPlan([row(mine), row(neighbour, 0, 1)], pool)).toThrow(
      /row 1: expected a parent in the same stream/,
    );
    selfPlan([row(mine), row(mine)], pool);
    expect(() => selfPlan([row(mine)], pool)).toThrow(/expected keep\(\) or truncate\(\) after a tree/);
    expect(pool.inUse).toBe(2);
  });
});

describe('a plan of cross-attention', () => {
  it('lets every row see the slots of its stream’s source, and writes nothing', () => {
    const sources = fc.array(fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(sources, fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }), (slots, picks) => {
        const pool = new SlotPool(() => undefined);
        const encoded = slots.map((list) => ({ slots: Int32Array.from(list) }) as unknown as Encoded);
        const rows = picks.map(
          (pick) => ({ stream: new Stream(encoded[pick % encoded.length], pool) }) as DecoderRow & object,
        );
        const plan = crossPlan(rows, (one) => (one as unknown as { slots: Int32Array }).slots);
        picks.forEach((pick, row) => {
          expect(keysOf(plan, row)).toEqual(slots[pick % encoded.length]);
        });
        expect([plan.rows, plan.write.length]).toEqual([picks.length, 0]);
        // Rows of one source have one list: a call of many rows holds the slots of a long source once.
        const used = new Set(picks.map((pick) => pick % encoded.length));
        expect(plan.keys.length).toBe([...used].reduce((sum, source) => sum + slots[source].length, 0));
      }),
    );
  });
});
