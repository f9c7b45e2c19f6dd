import fc from 'fast-check';
import { type DecoderRow, type DecoderStream, type Encoded, loadModel, type T5Model } from '../../engine';
import { SlotPool } from '../../engine/slots';
import { Stream } from '../../engine/stream';
import { type Backend, createBackend } from '../../kernels';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

/** Parents of a random tree: row i follows an earlier row, or the kept tokens (−1). */
const tree = fc
  .array(fc.nat(1000), { minLength: 1, maxLength: 9 })
  .map((picks) => picks.map((pick, i) => (pick % (i + 1)) - 1));

/** Rows from the root to `row`. */
function pathTo(parents: readonly number[], row: number): number[] {
  return row < 0 ? [] : [...pathTo(parents, parents[row]), row];
}

describe('stream', () => {
  it('can be forked along any path of a pending tree: the copy shares slots, the tree stays pending, and dispose gives all slots back', () => {
    const round = fc.record({
      parents: tree,
      ends: fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }),
      end: fc.constantFrom('keep' as const, 'truncate' as const, 'dispose' as const),
      first: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 5 }), (rounds) => {
        const pool = new SlotPool(() => undefined);
        let open: { stream: Stream; slots: number[] }[] = [{ stream: new Stream({} as Encoded, pool), slots: [] }];
        const distinct = (extra: Iterable<number> = []) => new Set([...open.flatMap(({ slots }) => slots), ...extra]);
        for (const { parents, ends, end, first } of rounds) {
          const { stream, slots } = open[0];
          const taken = pool.take(parents.length);
          const rows = parents.map((_, i) => first + i); // rows of other streams come before these in the call
          stream.setPending(rows, parents, taken);
          for (const pick of ends) {
            const path = pathTo(parents, (pick % (parents.length + 1)) - 1);
            const copy = stream.fork(path.map((row) => first + row));
            open.push({ stream: copy, slots: [...slots, ...path.map((row) => taken[row])] });
            expect([...copy.keptSlots()]).toEqual(open[open.length - 1].slots);
            expect(pool.inUse).toBe(distinct(taken).size); // the tree is still there
          }
          const keptRows = end === 'keep' ? pathTo(parents, parents.length - 1) : [];
          if (end === 'keep') stream.keep(keptRows.map((row) => first + row));
          else if (end === 'truncate') stream.truncate(slots.length);
          else stream.dispose();
          open[0].slots.push(...keptRows.map((row) => taken[row]));
          if (end === 'dispose') open = open.slice(1);
          for (const one of open) expect([...one.stream.keptSlots()]).toEqual(one.slots);
          expect(pool.inUse).toBe(distinct().size);
        }
        for (const { stream } of open) stream.dispose();
        expect(pool.inUse).toBe(0);
      }),
    );
  });

  it('refuses a fork of a pending tree without a path, along rows that are not a path, and along rows when nothing is pending', () => {
    const pool = new SlotPool(() => undefined);
    const stream = new Stream({} as Encoded, pool);
    expect(() => stream.fork([0])).toThrow(/fork: expected a path of pending rows, root first, found \[0\]/);
    stream.setPending([4, 5, 6], [-1, -1, 0], pool.take(3));
    expect(() => stream.fork()).toThrow(/fork: expected a path of the pending tree, found none/);
    for (const path of [[5, 6], [6], [7], [4, 5]]) expect(() => stream.fork(path)).toThrow(/root first/);
    expect(pool.inUse).toBe(3);
    stream.dispose();
    expect(pool.inUse).toBe(0);
  });
});

describe.each(['reference', 'cpu'] as const)('a stream forked along a path of a pending tree on %s', (name) => {
  let backend: Backend;
  let model: T5Model;

  beforeAll(async () => {
    backend = await createBackend(name);
    model = await loadModel(randomCheckpoint(tinyConfig(), 3), backend);
  });

  afterAll(async () => {
    model.dispose();
    await backend.dispose();
  });

  async function logitsOf(rows: readonly DecoderRow[]): Promise<number[][]> {
    const view = await model.forward(rows);
    const out = await Promise.all(rows.map(async (_, r) => Array.from(await view.read(r))));
    view.dispose();
    return out;
  }

  const chain = (stream: DecoderStream, tokens: readonly number[]): DecoderRow[] =>
    tokens.map((token, i) => ({ stream, token, position: stream.length + i, parent: i - 1 }));

  it('gives the bits of its path decoded as a chain, while other forks are in the same call', async () => {
    const token = fc.integer({ min: 0, max: 36 });
    const prefix = fc.array(token, { maxLength: 4 });
    const ends = fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        prefix,
        tree,
        fc.array(token, { minLength: 9, maxLength: 9 }),
        ends,
        async (before, parents, ids, ends) => {
          const [encoded] = await model.encode([[5, 9, 2, 30, 1]]);
          const stream = encoded.open();
          if (before.length > 0) await logitsOf(chain(stream, before));
          const depth = (row: number) => pathTo(parents, row).length;
          await logitsOf(
            parents.map((parent, i) => ({ stream, token: ids[i], position: before.length + depth(i) - 1, parent })),
          );
          const paths = ends.map((end) => pathTo(parents, (end % (parents.length + 1)) - 1));
          const forks = paths.map((path) => stream.fork(path));
          stream.dispose();
          const together = await logitsOf(
            forks.map((fork, i) => ({ stream: fork, token: 7, position: before.length + paths[i].length, parent: -1 })),
          );
          for (const fork of forks) fork.dispose();
          for (const [i, path] of paths.entries()) {
            const alone = encoded.open();
            const rows = await logitsOf(chain(alone, [...before, ...path.map((row) => ids[row]), 7]));
            expect(together[i]).toEqual(rows[rows.length - 1]);
            alone.dispose();
          }
          encoded.dispose();
        },
      ),
      { numRuns: 20 },
    );
  });
});
