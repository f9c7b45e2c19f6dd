import { type Drafter, measureCosts } from '../../decoding';
import type { DecoderRow, SequenceModel } from '../../engine';

interface Timing {
  /** Milliseconds of the nth call of the target (from 0) with so many rows; and of one of the draft. */
  readonly target: (rows: number, call: number) => number;
  readonly draft: (call: number) => number;
  /** Tokens that the draft proposes when it is asked. */
  readonly proposed?: number;
}

/** Time that stands still but for what calls take, and what is open. */
function newLedger() {
  const open = new Set<object>();
  return {
    open,
    now: 1000,
    opened<T extends object>(one: T): T {
      open.add(one);
      return one;
    },
  };
}
type Ledger = ReturnType<typeof newLedger>;

/** A target whose calls take the time that is stated; `calls` counts, by rows, those that were read. */
function timedTarget(ledger: Ledger, target: Timing['target'], calls: Map<number, number>) {
  const { open, opened } = ledger;
  const newStream = () => {
    const stream = opened({
      length: 0,
      truncate: (length: number) => {
        stream.length = length;
      },
      dispose: () => void open.delete(stream),
    });
    return stream;
  };
  return {
    vocabularySize: 9,
    startToken: 7,
    eosTokens: [1],
    encode: async (sources: readonly number[][]) =>
      sources.map((source) => {
        const encoded = opened({ source, open: newStream, dispose: () => void open.delete(encoded) });
        return encoded;
      }),
    forward: async (rows: readonly DecoderRow[]) => {
      const [{ stream }] = rows;
      rows.forEach(({ position, parent, token }, i) => {
        expect([position, parent, token]).toEqual([stream.length + i, i - 1, 7]);
      });
      (stream as { length: number }).length += rows.length;
      const view = opened({
        argMax: async () => {
          const call = calls.get(rows.length) ?? 0;
          calls.set(rows.length, call + 1);
          ledger.now += target(rows.length, call);
        },
        dispose: () => void open.delete(view),
      });
      return view;
    },
  };
}

/** A pair whose calls take the time that is stated, by a clock of its own. */
function timedPair({ target, draft, proposed = 4 }: Timing) {
  const ledger = newLedger();
  const { open, opened } = ledger;
  const log: string[] = [];
  const calls = new Map<number, number>();
  let drafted = 0;
  const drafter = {
    name: 'timed',
    vocabularySize: 9,
    open: async (source: readonly number[]) => {
      log.push(`draft of ${source}`);
      const session = opened({
        propose: async ({ ids, gamma }: { ids: readonly number[]; gamma: number }) => {
          expect([ids, gamma]).toEqual([[7], 4]);
          ledger.now += draft(drafted++);
          return new Array(proposed).fill({});
        },
        rewind: (length: number, path: readonly number[]) => expect([length, path]).toEqual([0, []]),
        dispose: () => void open.delete(session),
      });
      return session;
    },
  };
  const model = timedTarget(ledger, target, calls);
  const pair = { target: model as unknown as SequenceModel, drafter: drafter as unknown as Drafter };
  return { ...pair, clock: () => ledger.now, open, calls, drafted: () => drafted, log };
}

describe('costs of a pair', () => {
  it('are those of calls of 1 to `rows` rows and of a draft token, in calls of one row', async () => {
    const pair = timedPair({ target: (rows) => 10 + 3 * rows, draft: () => 26 });
    const found = await measureCosts(pair.target, pair.drafter, { source: [3, 1], rows: 5, clock: pair.clock });
    expect(found.c).toBeCloseTo(26 / 4 / 13, 12);
    expect(found.v).toHaveLength(5);
    for (const [i, cost] of found.v.entries()) expect(cost).toBeCloseTo((10 + 3 * (i + 1)) / 13, 12);
    expect(found.v[0]).toBe(1);
    expect([pair.open.size, pair.log]).toEqual([0, ['draft of 3,1']]);
  });

  it('are measured for 8 rows, three times each after a first call that does not count; the fastest counts', async () => {
    const times = [1, 50, 20, 30];
    const pair = timedPair({ target: (rows, call) => rows * times[call], draft: (call) => 4 * times[call] });
    const found = await measureCosts(pair.target, pair.drafter, { source: [3, 1], clock: pair.clock });
    expect(found).toEqual({ c: 1, v: [1, 2, 3, 4, 5, 6, 7, 8] });
    expect([...pair.calls.values(), pair.drafted()]).toEqual(new Array(9).fill(4));
    const more = timedPair({ target: (rows, call) => rows * (call === 0 ? 1 : 9 - call), draft: () => 4 });
    const often = await measureCosts(more.target, more.drafter, {
      source: [3],
      rows: 2,
      repeats: 5,
      clock: more.clock,
    });
    expect(often).toEqual({ c: 1 / 4, v: [1, 2] });
    expect([...more.calls]).toEqual([
      [1, 6],
      [2, 6],
    ]);
  });

  it('are finite for a clock that does not move and for a draft that proposes nothing', async () => {
    const still = timedPair({ target: () => 0, draft: () => 0 });
    const found = await measureCosts(still.target, still.drafter, { source: [3], rows: 2, clock: still.clock });
    expect(found).toEqual({ c: 0, v: [0, 0] });
    const silent = timedPair({ target: () => 2, draft: () => 6, proposed: 0 });
    expect(await measureCosts(silent.target, silent.drafter, { source: [3], rows: 1, clock: silent.clock })).toEqual({
      c: 3,
      v: [1],
    });
  });

  it('can be cancelled before every call, and pause before every call; everything is given back', async () => {
    const count = 3 * 4; // two counts of rows and the draft, four calls each
    for (let at = 0; at <= count; at++) {
      const pair = timedPair({ target: () => 1, draft: () => 1 });
      const controller = new AbortController();
      let pauses = 0;
      const betweenCalls = async () => {
        if (pauses++ === at) controller.abort();
      };
      const options = { source: [3], rows: 2, clock: pair.clock, signal: controller.signal, betweenCalls };
      const found = await measureCosts(pair.target, pair.drafter, options).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      expect([at, found, pauses]).toEqual([at, at < count ? 'aborted' : 'done', Math.min(at + 1, count)]);
      expect(pair.open.size).toBe(0);
    }
  });
});
