import fc from 'fast-check';
import type { Logits } from '../../../kernels';
import { matrix, seed, size } from './arbitraries';
import { type Boxes, expectSameBits, type Subject, using } from './subject';

/** Logits with exactly these values, [rows, values.length / rows]: a head of one input, x = 1, a row each. */
function exactly(boxes: Boxes, values: Float32Array): Logits {
  const out = boxes.logits();
  const x = boxes.tensor({ rows: 1, cols: 1, values: Float32Array.of(1) });
  boxes.backend.head(out, x, null, boxes.weight({ rows: values.length, cols: 1, values }, 'f32'), 1);
  return out;
}

/** Ids by value, largest first, NaN last, ties by lowest id: written as a sort of pairs. */
function ranking(values: Float32Array): number[] {
  const keyed = Array.from(values, (value, id) => ({ id, key: Number.isNaN(value) ? -Infinity : value, value }));
  keyed.sort((a, b) => {
    if (a.key !== b.key) return a.key > b.key ? -1 : 1;
    return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || a.id - b.id;
  });
  return keyed.map(({ id }) => id);
}

/** log Σ exp(v · t) in float64 with compensated summation over sorted terms: as good as float64 gets. */
function logSumExp(values: Float32Array, t: number): number {
  const terms = Array.from(values, (value) => value * t).sort((a, b) => a - b);
  const largest = terms[terms.length - 1];
  let sum = 0;
  let lost = 0;
  for (const term of terms) {
    const add = Math.exp(term - largest) - lost;
    const next = sum + add;
    lost = next - sum - add;
    sum = next;
  }
  return largest + Math.log(sum);
}

/** Queries on logits that stay on the backend. */
export function logitsLaws({ backend, runs, tolerance, types }: Subject): void {
  const coarse = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 80 });

  test('arg-max and top-k follow value, then lowest id; top-k of one is the arg-max', async () => {
    await fc.assert(
      fc.asyncProperty(coarse, fc.nat(), async (levels, pick) => {
        const values = Float32Array.from(levels);
        const k = 1 + (pick % values.length);
        await using(backend(), async (boxes) => {
          const logits = exactly(boxes, values);
          const ids = ranking(values);
          expect(Array.from(await backend().argMax(logits))).toEqual([ids[0]]);
          const top = await backend().topK(logits, 0, k);
          expect(Array.from(top.ids)).toEqual(ids.slice(0, k));
          expectSameBits(
            top.values,
            Float32Array.from(top.ids, (id) => values[id]),
          );
        });
      }),
      { numRuns: runs },
    );
  });

  test('over a whole vocabulary, ties far apart still go to the lowest id', async () => {
    const values = matrix(4, 1, 9000, 0.1).values;
    for (const id of [8999, 4096, 4095, 77]) values[id] = 5;
    await using(backend(), async (boxes) => {
      const logits = exactly(boxes, values);
      expect(Array.from(await backend().argMax(logits))).toEqual([77]);
      expect(Array.from((await backend().topK(logits, 0, 300)).ids)).toEqual(ranking(values).slice(0, 300));
    });
  });

  test('a row with NaN, with +∞ or with nothing above −∞ has no arg-max; NaN sorts last, infinities as they should', async () => {
    const { NaN: none } = Number;
    const cases = [
      [none, 1, none, 3],
      [none, none],
      [-Infinity, none],
      [-Infinity, -Infinity],
      [1, Infinity, Infinity, none],
      [2, Infinity],
      [5, 3, none],
      [-Infinity, 4, -Infinity, 4],
      [-Infinity, none, 4],
      [-Infinity, 3, 7, -Infinity, 7],
    ];
    for (const values of cases.map((list) => Float32Array.from(list))) {
      await using(backend(), async (boxes) => {
        const logits = exactly(boxes, values);
        const [best] = ranking(values);
        const hasArgMax = values.every((value) => value < Infinity) && values[best] > -Infinity;
        expect(Array.from(await backend().argMax(logits))).toEqual([hasArgMax ? best : -1]);
        expect(Array.from((await backend().topK(logits, 0, values.length)).ids)).toEqual(ranking(values));
      });
    }
  });

  test('logSumExp of a row with NaN is NaN, with +∞ is +∞, of nothing but −∞ is −∞', async () => {
    const cases: [number[], number][] = [
      [[1, Number.NaN, 2], Number.NaN],
      [[Infinity, Number.NaN], Number.NaN],
      [[1, Infinity, -Infinity], Infinity],
      [[-Infinity, -Infinity], -Infinity],
    ];
    for (const [values, expected] of cases) {
      await using(backend(), async (boxes) => {
        expect(await backend().logSumExp(exactly(boxes, Float32Array.from(values)), 0, 0.5)).toBe(expected);
      });
    }
  });

  test('logSumExp is that of float64 within the tolerance, at any temperature, over more than one chunk', async () => {
    const vocabularies = fc.constantFrom(1, 7, 100, 4095, 4096, 4097, 9001);
    const inverses = fc.constantFrom(1e-3, 0.5, 1, 1.4, 10, 1e4);
    await fc.assert(
      fc.asyncProperty(seed, vocabularies, inverses, async (from, vocabulary, inverse) => {
        const { values } = matrix(from, 1, vocabulary, 10);
        const found = await using(backend(), (boxes) => backend().logSumExp(exactly(boxes, values), 0, inverse));
        const expected = logSumExp(values, inverse);
        const room = Math.max(tolerance.logSumExp, 1e-13) * Math.max(1, Math.abs(expected));
        expect(Math.abs(found - expected)).toBeLessThanOrEqual(room);
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
  });

  test('logSumExp is finite and right wherever a logit stands that is far above all others', async () => {
    for (const place of [0, 4095, 4096, 9000]) {
      const values = matrix(place, 1, 9001, 10).values.fill(2e4, place, place + 1);
      const found = await using(backend(), (boxes) => backend().logSumExp(exactly(boxes, values), 0, 1));
      const room = Math.max(tolerance.logSumExp, 1e-13) * 2e4;
      expect(Math.abs(found - 2e4)).toBeLessThanOrEqual(room);
    }
  });

  test.each(types)('%s: every query agrees with the rows read back, for any rows', async (type) => {
    await fc.assert(
      fc.asyncProperty(seed, size(17), size(40), size(200), async (from, rows, inputs, vocabulary) => {
        await using(backend(), async (boxes) => {
          const logits = boxes.logits();
          const weight = boxes.weight(matrix(from, vocabulary, inputs), type);
          backend().head(logits, boxes.tensor(matrix(from + 1, rows, inputs)), null, weight, 1);
          const best = await backend().argMax(logits);
          for (let row = 0; row < rows; row++) {
            const values = await backend().readLogits(logits, row);
            const ids = ranking(values);
            expect(best[row]).toBe(ids[0]);
            const k = Math.min(5, vocabulary);
            expect(Array.from((await backend().topK(logits, row, k)).ids)).toEqual(ids.slice(0, k));
            const tokens = Int32Array.of(vocabulary - 1, 0, from % vocabulary);
            const some = await backend().at(logits, new Int32Array(3).fill(row), tokens);
            expectSameBits(
              some,
              Float32Array.from(tokens, (token) => values[token]),
            );
          }
        });
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
  });

  test('logSumExp of n equal logits v is v · t + log n: every entry counts once, at the seams of chunks too', async () => {
    for (const n of [1, 2, 1023, 1024, 1025, 4095, 4096, 4097, 8191, 9001]) {
      const values = new Float32Array(n).fill(2.5);
      const found = await using(backend(), (boxes) => backend().logSumExp(exactly(boxes, values), 0, 2));
      expect(Math.abs(found - (5 + Math.log(n)))).toBeLessThanOrEqual(Math.max(tolerance.logSumExp, 1e-13) * 15);
    }
  });

  test('logSumExp of a row has the same bits alone as among others', async () => {
    await using(backend(), async (boxes) => {
      const weight = boxes.weight(matrix(1, 5000, 16), types[0]);
      const x = matrix(2, 9, 16);
      const many = boxes.logits();
      backend().head(many, boxes.tensor(x), null, weight, 1);
      for (const row of [0, 4, 8]) {
        const alone = boxes.logits();
        const values = x.values.slice(row * 16, (row + 1) * 16);
        backend().head(alone, boxes.tensor({ rows: 1, cols: 16, values }), null, weight, 1);
        expect(await backend().logSumExp(many, row, 0.7)).toBe(await backend().logSumExp(alone, 0, 0.7));
      }
    });
  });

  test('a logits box takes every new shape, and a row read is a copy', async () => {
    await using(backend(), async (boxes) => {
      const box = boxes.logits();
      for (const [rows, vocabulary] of [
        [2, 300],
        [1, 3],
        [9, 129],
      ]) {
        const weight = boxes.weight(matrix(vocabulary, vocabulary, 8), types[0]);
        backend().head(box, boxes.tensor(matrix(rows, rows, 8)), null, weight, 1);
        expect([box.rows, box.vocabulary]).toEqual([rows, vocabulary]);
        const first = await backend().readLogits(box, rows - 1);
        first.fill(0);
        expect((await backend().readLogits(box, rows - 1)).some((value) => value !== 0)).toBe(true);
      }
    });
  });
}
