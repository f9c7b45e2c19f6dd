import fc from 'fast-check';
import { matrix, seed, shuffled, size } from './arbitraries';
import { attentionPartLaws } from './attentionParts';
import { attend, dataOf, lineage, planOf, rowsOf, type Scenario, scenario, slotsFor } from './scenario';
import { expectNear, expectSameBits, type Matrix, type Subject, using } from './subject';

/** Attention over slots, and the caches it reads. */
export function attentionLaws(subject: Subject): void {
  const { backend, judge, runs, tolerance } = subject;
  const whole = (s: Scenario) => ({ rows: rowsOf(s).map((_, i) => i), slotSeed: s.seed, slots: slotsFor(s) });

  test('attention is the reference within the tolerance of the largest value, for any streams, chains and trees', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (s) => {
        const data = dataOf(s);
        const largest = [data.values, ...data.settled.map(({ values }) => values)]
          .flatMap(({ values }) => Array.from(values))
          .reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const expected = await attend(judge(), s, whole(s));
        expectNear(await attend(backend(), s, whole(s)), expected, tolerance.attention, () => largest);
      }),
      { numRuns: runs },
    );
  });

  test('a row has the same bits alone with its ancestors, on other slots and in another order', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(), seed, async (s, pick, other) => {
        const width = s.heads * s.dKv;
        const count = rowsOf(s).length;
        const row = pick % count;
        const all = await attend(backend(), s, whole(s));
        const wanted = all.slice(row * width, (row + 1) * width);
        const rows = lineage(s, row);
        const alone = await attend(backend(), s, { rows, slotSeed: other, slots: slotsFor(s) + 7 });
        expectSameBits(alone.slice((rows.length - 1) * width), wanted);
        const order = shuffled(other, count);
        const moved = await attend(backend(), s, { rows: order, slotSeed: other, slots: slotsFor(s) + 64 });
        const at = order.indexOf(row);
        expectSameBits(moved.slice(at * width, (at + 1) * width), wanted);
      }),
      { numRuns: runs },
    );
  });

  test('a chain verified in one call has the bits of decoding it one row at a time, with lists that share storage', async () => {
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 1, max: 17 }), size(4), fc.constantFrom(4, 16, 64), chainLaw(subject)),
      { numRuns: Math.ceil(runs / 2) },
    );
  });

  test('rows at any position over any keys (encoder, cross-attention) are the reference; the cache stays as it was', async () => {
    const positions = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(seed, size(40), positions, fc.boolean(), async (from, keys, places, biased) => {
        const rows = places.length;
        const held = { keys: matrix(from, keys, 12), values: matrix(from + 1, keys, 12) };
        const lists = Array.from({ length: rows }, (_, r) => shuffled(from + r, keys).slice(0, 1 + (r % keys)));
        const own = planOf(lists, new Int32Array(0));
        const spec = {
          ...own,
          position: Int32Array.from(places),
          places: from % 2 === 0 ? undefined : own.keys.map((_, i) => (i * 7 + from) % 60),
        };
        const run = (of: ReturnType<typeof backend>) =>
          using(of, async (boxes) => {
            const cache = boxes.keep(of.cache(3, 4, keys));
            const slots = Int32Array.from({ length: keys }, (_, i) => i);
            of.append(cache, boxes.tensor(held.keys), boxes.tensor(held.values), slots);
            const plan = boxes.keep(of.plan());
            of.arrange(plan, spec);
            const out = boxes.out();
            const bias = biased ? boxes.keep(of.bias(3, 20, matrix(from + 3, 3, 41).values)) : null;
            of.attention(out, boxes.tensor(matrix(from + 2, rows, 12)), null, cache, plan, bias);
            const after = await of.readCache(cache, slots);
            expectSameBits(after.keys, held.keys.values);
            expectSameBits(after.values, held.values.values);
            return of.read(out);
          });
        expectNear(await run(backend()), await run(judge()), tolerance.attention, () => 8);
      }),
      { numRuns: runs },
    );
  });

  test('a key has the bias of its own position: twice every distance with a table that is twice as wide is the same', async () => {
    const keys = 9;
    const table = matrix(9, 2, 21, 3).values; // [heads, span]
    const wide = new Float32Array(2 * 41); // column 2d + 20 is column d + 10 of the table
    for (let h = 0; h < 2; h++) for (let i = 0; i < 41; i += 2) wide[h * 41 + i] = table[h * 21 + i / 2];
    const run = (stretch: number, offset: number, values: Float32Array, placed: boolean) =>
      using(backend(), async (boxes) => {
        const cache = boxes.keep(backend().cache(2, 4, keys));
        const slots = Int32Array.from({ length: keys }, (_, i) => i);
        backend().append(cache, boxes.tensor(matrix(3, keys, 8)), boxes.tensor(matrix(4, keys, 8)), slots);
        const plan = boxes.keep(backend().plan());
        const spec = planOf([Array.from(slots), Array.from(slots)], new Int32Array(0));
        const places = placed ? Int32Array.from(spec.keys, (_, i) => stretch * (i % keys)) : undefined;
        backend().arrange(plan, { ...spec, position: Int32Array.of(2 * stretch, 5 * stretch), places });
        const out = boxes.out();
        const bias = boxes.keep(backend().bias(2, offset, values));
        backend().attention(out, boxes.tensor(matrix(5, 2, 8)), null, cache, plan, bias);
        return backend().read(out);
      });
    const expected = await run(1, 10, table, false);
    expectSameBits(await run(1, 10, table, true), expected);
    expectSameBits(await run(2, 20, wide, true), expected);
  });

  test('beyond its span a bias is that of its first or last column, at any position', async () => {
    const keys = 20;
    const table = matrix(9, 2, 5, 3).values; // [heads, span]
    const wide = new Float32Array(2 * 81); // the same, written out for distances −40 … 40
    for (let h = 0; h < 2; h++) {
      for (let i = 0; i < 81; i++) wide[h * 81 + i] = table[h * 5 + Math.min(Math.max(i - 40 + 2, 0), 4)];
    }
    for (const position of [0, 1, 10, 19, 35]) {
      const run = (offset: number, values: Float32Array) =>
        using(backend(), async (boxes) => {
          const cache = boxes.keep(backend().cache(2, 4, keys));
          const slots = Int32Array.from({ length: keys }, (_, i) => i);
          backend().append(cache, boxes.tensor(matrix(3, keys, 8)), boxes.tensor(matrix(4, keys, 8)), slots);
          const plan = boxes.keep(backend().plan());
          const spec = planOf([Array.from(slots)], new Int32Array(0));
          backend().arrange(plan, { ...spec, position: Int32Array.of(position) });
          const out = boxes.out();
          const bias = boxes.keep(backend().bias(2, offset, values));
          backend().attention(out, boxes.tensor(matrix(5, 1, 8)), null, cache, plan, bias);
          return backend().read(out);
        });
      expectSameBits(await run(2, table), await run(40, wide));
    }
  });

  test('attention to one key is that key’s value, however large the scores', async () => {
    for (const factor of [0, 1, 1e4]) {
      const values = matrix(8, 1, 8);
      await using(backend(), async (boxes) => {
        const cache = boxes.keep(backend().cache(2, 4, 5));
        const plan = boxes.keep(backend().plan());
        backend().arrange(plan, planOf([[3]], Int32Array.of(3)));
        const out = boxes.out();
        const fresh = { keys: boxes.tensor(matrix(7, 1, 8, factor)), values: boxes.tensor(values) };
        backend().attention(out, boxes.tensor(matrix(6, 1, 8, factor)), fresh, cache, plan, null);
        expectSameBits(await backend().read(out), values.values);
      });
    }
  });

  attentionPartLaws(subject);
  cacheLaws(subject);
}

/** One call of a chain against one call a row, both on a cache that grows on the way. */
function chainLaw({ backend }: Subject) {
  return async (from: number, rows: number, heads: number, dKv: number): Promise<void> => {
    const width = heads * dKv;
    const part = (matrix: Matrix, row: number): Matrix => ({
      rows: 1,
      cols: width,
      values: matrix.values.slice(row * width, (row + 1) * width),
    });
    const query = matrix(from, rows, width);
    const keys = matrix(from + 1, rows, width);
    const values = matrix(from + 2, rows, width);
    await using(backend(), async (boxes) => {
      const bias = boxes.keep(backend().bias(heads, 8, matrix(from + 3, heads, 9).values));
      const plan = boxes.keep(backend().plan());
      const slots = Int32Array.from({ length: rows }, (_, i) => i);
      const out = boxes.out();
      const cache = boxes.keep(backend().cache(heads, dKv, rows));
      const shared = { rows, write: slots, start: new Int32Array(rows), count: slots.map((i) => i + 1), keys: slots };
      backend().arrange(plan, { ...shared, position: slots });
      const fresh = { keys: boxes.tensor(keys), values: boxes.tensor(values) };
      backend().attention(out, boxes.tensor(query), fresh, cache, plan, bias);
      const all = await backend().read(out);
      const grown = boxes.keep(backend().cache(heads, dKv, 1));
      for (let row = 0; row < rows; row++) {
        backend().grow(grown, row + 1);
        backend().arrange(plan, planOf([Array.from(slots.subarray(0, row + 1))], Int32Array.of(row)));
        const own = { keys: boxes.tensor(part(keys, row)), values: boxes.tensor(part(values, row)) };
        backend().attention(out, boxes.tensor(part(query, row)), own, grown, plan, bias);
        expectSameBits(await backend().read(out), all.slice(row * width, (row + 1) * width));
      }
    });
  };
}

function cacheLaws({ backend, runs }: Subject): void {
  test('append puts rows into their slots and touches no other; grow keeps them all; a smaller grow does nothing', async () => {
    await fc.assert(
      fc.asyncProperty(seed, size(30), size(30), size(9), async (from, slots, more, width) => {
        await using(backend(), async (boxes) => {
          const cache = boxes.keep(backend().cache(width, 3, slots));
          const everywhere = Int32Array.from({ length: slots }, (_, i) => i);
          const keys = matrix(from, slots, width * 3);
          const values = matrix(from + 1, slots, width * 3);
          backend().append(cache, boxes.tensor(keys), boxes.tensor(values), everywhere);
          const some = Int32Array.from(shuffled(from, slots).slice(0, Math.ceil(slots / 2)));
          const fresh = matrix(from + 2, some.length, width * 3);
          backend().append(cache, boxes.tensor(fresh), boxes.tensor(fresh), some);
          some.forEach((slot, i) => {
            const row = fresh.values.subarray(i * width * 3, (i + 1) * width * 3);
            keys.values.set(row, slot * width * 3);
            values.values.set(row, slot * width * 3);
          });
          backend().grow(cache, slots + more);
          expect(cache.slots).toBeGreaterThanOrEqual(slots + more);
          const grown = cache.slots;
          backend().grow(cache, 1);
          expect(cache.slots).toBe(grown);
          const after = await backend().readCache(cache, everywhere);
          expectSameBits(after.keys, keys.values);
          expectSameBits(after.values, values.values);
        });
      }),
      { numRuns: runs },
    );
  });
}
