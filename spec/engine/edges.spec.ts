import fc from 'fast-check';
import type { DecoderRow, Encoded } from '../../engine';
import { EngineError } from '../../engine';
import { selfPlan, sourcesPlan } from '../../engine/plan';
import { SlotPool } from '../../engine/slots';
import { sourceRows } from '../../engine/source';
import { Stream } from '../../engine/stream';

/** What became of a call: null, or code and message of its refusal. */
function refusalOf(call: () => unknown): { code: string; message: string } | null {
  try {
    call();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    return error as EngineError;
  }
}

const WRONG_NUMBERS = [0.5, Number.NaN, Infinity, -Infinity];

describe('a source', () => {
  it('has ids from 0 to the last of the vocabulary, and says which id and which source is another', () => {
    expect(sourceRows([0, 36], 0, 37)).toEqual({ ids: [0, 36], places: null });
    for (const id of [-1, 37, ...WRONG_NUMBERS]) {
      const refusal = refusalOf(() => sourceRows([0, id, 36], 4, 37));
      expect(refusal).toMatchObject({ code: 'source-invalid' });
      expect(refusal?.message).toMatch(/^encode: source 4: id: /);
      expect(refusal?.message.endsWith(`expected 0 to 36, found ${id}`)).toBe(true);
    }
    expect(refusalOf(() => sourceRows([], 1, 37))).toMatchObject({ code: 'source-invalid' });
  });

  it('is the ids that its mask leaves; their places are told where there is a hole between them', () => {
    const shown = fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }).filter((list) => list.includes(true));
    fc.assert(
      fc.property(shown, (list) => {
        const ids = list.map((_, i) => i + 20);
        const kept = ids.filter((_, i) => list[i]);
        const places = kept.map((id) => id - 20);
        const hasHole = places.some((place, i) => i > 0 && place !== places[i - 1] + 1);
        const found = sourceRows({ ids, mask: list.map(Number) }, 0, 40);
        expect([found.ids, found.places && [...found.places]]).toEqual([kept, hasHole ? places : null]);
      }),
    );
    for (const mask of [[1], [1, 1, 1], [1, 2], [1, -1], [1, 0.5], [0, 0], []]) {
      expect(refusalOf(() => sourceRows({ ids: [3, 4], mask }, 0, 37))).toMatchObject({ code: 'source-invalid' });
    }
  });

  it('without a hole has no places in a plan; with one, all rows of the call have theirs', () => {
    const plain = { ids: [1, 2], places: null };
    expect(sourcesPlan([plain, plain], false).places).toBeUndefined();
    const plan = sourcesPlan([plain, { ids: [3, 4], places: Int32Array.of(1, 5) }, plain], false);
    expect([...(plan.places ?? [])]).toEqual([0, 1, 1, 5, 0, 1]);
    expect([...plan.keys]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('a row of a decoder call', () => {
  const newPool = () => new SlotPool(() => undefined);
  const streamIn = (pool: SlotPool) => new Stream({} as Encoded, pool);
  const row = (stream: Stream, parent: number, position: number): DecoderRow => ({
    stream,
    token: 0,
    parent,
    position,
  });

  it('follows a row before it in the call or the kept tokens, at the next position, or is refused with nothing taken', () => {
    const pool = newPool();
    const stream = streamIn(pool);
    selfPlan([row(stream, -1, 0), row(stream, 0, 1)], pool); // two tokens, kept by the next call
    for (const [parent, position] of [
      [-2, 2],
      [1, 3],
      [2, 3],
      ...WRONG_NUMBERS.map((parent) => [parent, 3]),
      [-1, 0],
      [-1, 1],
      [-1, 3],
      [0, 2],
      [0, 4],
      ...WRONG_NUMBERS.map((position) => [0, position]),
    ]) {
      const refusal = refusalOf(() => selfPlan([row(stream, -1, 2), row(stream, parent, position)], pool));
      expect([parent, position, refusal?.code]).toEqual([parent, position, 'row-invalid']);
      expect(refusal?.message).toMatch(/^forward: row 1: expected /);
      expect([pool.inUse, stream.length]).toEqual([2, 2]);
    }
    const plan = selfPlan([row(stream, -1, 2), row(stream, 0, 3), row(stream, -1, 2)], pool);
    expect([...plan.position]).toEqual([2, 3, 2]);
    expect([...plan.count]).toEqual([3, 4, 3]);
  });

  it('is counted while it is a chain; a tree is not, until a path of it is kept', () => {
    const pool = newPool();
    const chain = streamIn(pool);
    selfPlan([row(chain, -1, 0), row(chain, 0, 1), row(chain, 1, 2)], pool);
    expect(chain.length).toBe(3);
    chain.truncate(2); // what a chain had pending is kept first
    expect([chain.length, pool.inUse]).toEqual([2, 2]);
    const tree = streamIn(pool);
    selfPlan([row(tree, -1, 0), row(tree, -1, 0)], pool);
    expect([tree.length, pool.inUse]).toEqual([0, 4]);
    tree.truncate(0); // what a tree had pending is dropped
    expect([tree.length, pool.inUse]).toEqual([0, 2]);
  });

  it('stays the same slot for the same place, however long a stream grows', () => {
    const pool = newPool();
    const stream = streamIn(pool);
    const slots: number[] = [];
    for (const count of [1, 62, 1, 1, 63, 1, 200, 3]) {
      const rows = Array.from({ length: count }, (_, i) => row(stream, i - 1, slots.length + i));
      const plan = selfPlan(rows, pool);
      slots.push(...plan.write);
      const last = count - 1;
      expect([...plan.keys.slice(plan.start[last], plan.start[last] + plan.count[last])]).toEqual(slots);
      expect(stream.length).toBe(slots.length);
    }
    expect(new Set(slots).size).toBe(slots.length);
  });
});

describe('a stream', () => {
  const filled = () => {
    const pool = new SlotPool(() => undefined);
    const stream = new Stream({} as Encoded, pool);
    stream.setPending([0, 1, 2], [-1, 0, 1], pool.take(3));
    stream.keep([0, 1, 2]);
    return { pool, stream };
  };

  it('can be cut to any length that it has, and to no other', () => {
    for (const length of [-1, 4, ...WRONG_NUMBERS]) {
      const { stream, pool } = filled();
      expect(refusalOf(() => stream.truncate(length))).toMatchObject({ code: 'stream-invalid' });
      expect([stream.length, pool.inUse]).toEqual([3, 3]);
    }
    for (const length of [0, 1, 2, 3]) {
      const { stream, pool } = filled();
      const slots = [...stream.keptSlots()];
      stream.truncate(length);
      expect([[...stream.keptSlots()], pool.inUse]).toEqual([slots.slice(0, length), length]);
    }
  });

  it('keeps no row when none is pending, and drops what is not kept', () => {
    const { stream, pool } = filled();
    stream.keep([]);
    expect(refusalOf(() => stream.keep([0]))).toMatchObject({ code: 'stream-invalid' });
    stream.setPending([0, 1], [-1, -1], pool.take(2));
    for (const path of [[2], [0, 1], [0, 0], [-1]]) {
      expect(refusalOf(() => stream.keep(path))).toMatchObject({ code: 'stream-invalid' });
    }
    expect(pool.inUse).toBe(5);
    stream.keep([]);
    expect([stream.length, pool.inUse]).toEqual([3, 3]);
  });

  it('that was forked without a path has what was kept and a chain that was pending', () => {
    const { stream, pool } = filled();
    stream.setPending([0, 1], [-1, 0], pool.take(2));
    const copy = stream.fork();
    expect([...copy.keptSlots()]).toEqual([...stream.keptSlots()]);
    expect([copy.length, stream.length, pool.inUse]).toEqual([5, 5, 5]);
    stream.dispose();
    expect(pool.inUse).toBe(5); // the copy has them
    copy.truncate(1);
    expect(pool.inUse).toBe(1);
  });

  it('that was disposed is refused by every call', () => {
    const { stream } = filled();
    stream.dispose();
    for (const call of [
      () => stream.truncate(0),
      () => stream.keep([]),
      () => stream.fork(),
      () => stream.fork([]),
      () => stream.beginCall(),
    ]) {
      expect(refusalOf(call)).toMatchObject({ code: 'disposed' });
    }
  });
});

describe('a slot pool', () => {
  it('grows to 64 slots, to twice as many, or to what is asked for, whichever is most; and not for what it has', () => {
    for (const [counts, size] of [
      [[], 0],
      [[0], 0],
      [[1], 64],
      [[64], 64],
      [[65], 65],
      [[64, 1], 128],
      [[64, 64], 128],
      [[64, 65], 129],
      [[1, 63], 64],
      [[100, 1], 200],
    ] as const) {
      const told: number[] = [];
      const pool = new SlotPool((slots) => told.push(slots));
      for (const count of counts) {
        expect(pool.sizeFor(count)).toBe(Math.max(pool.size, pool.sizeFor(count)));
        const after = pool.sizeFor(count);
        pool.take(count);
        expect(pool.size).toBe(after);
      }
      expect([counts, pool.size, told.at(-1) ?? 0]).toEqual([counts, size, size]);
    }
  });
});
