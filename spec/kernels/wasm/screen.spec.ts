import fc from 'fast-check';
import { type Backend, createWasmBackend, type Dtype } from '../../../kernels';
import type { WasmLogits } from '../../../kernels/wasm/boxes';
import { boundFactors } from '../../../kernels/wasm/screen';
import { seeded } from '../../support/random-checkpoint';

import { bytesOf, expectSameBits, type Matrix, using } from '../laws/subject';

/** At least as many outputs as screening begins with, and not a whole number of units. */
const OUTPUTS = 16384 + 45;

/** Approximately normal numbers. */
function normal(seed: number, rows: number, cols: number, size = 1): Matrix {
  const random = seeded(seed);
  const values = Float32Array.from({ length: rows * cols }, () => size * (random() + random() + random() - 1.5));
  return { rows, cols, values };
}

/** 7-bit codes as `quantizeBlock` in assembly/prepare.ts has them, written anew: each block's least value and a 127th of its range. */
function coded(x: Float32Array): Float64Array {
  const { fround } = Math;
  const nearest = (value: number) => value + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
  return Float64Array.from(x, (value, i) => {
    const block = x.subarray(i & ~31, (i & ~31) + 32);
    const least = Math.min(...block);
    const step = fround(fround(Math.max(...block) - least) / 127);
    const inverse = step > 0 ? fround(1 / step) : 0;
    const code = nearest(fround(fround(value - least) * inverse));
    return least + step * Math.min(127, Math.max(0, code));
  });
}

/** Values with a longer tail the larger the power: a few that dwarf the rest. */
function tailed(matrix: Matrix, power: number): Matrix {
  return { ...matrix, values: matrix.values.map((value) => value * Math.abs(value) ** power) };
}

/** Makes a hundred rows, in as many units, whose products with x differ by far less than their codes can tell. */
function rivals(table: Matrix, x: Float32Array, seed: number): void {
  const { cols, values } = table;
  const random = normal(seed, 100, cols, 2).values;
  const square = x.reduce((sum, value) => sum + value * value, 0);
  for (let i = 0; i < 100; i++) {
    const row = random.subarray(i * cols, (i + 1) * cols);
    const along = row.reduce((sum, value, j) => sum + value * x[j], 0) / square;
    const wanted = 12 + 1e-5 * ((i * 37) % 100);
    row.forEach((value, j) => {
      values[i * 160 * cols + j] = value + (wanted - along) * x[j];
    });
  }
}

interface Case {
  readonly table: Matrix;
  readonly x: Matrix;
  readonly type: Dtype;
  readonly scale?: number;
  readonly gain?: Float32Array;
}

describe('the certified head: arg-max by a coarse copy and bounds is that of the whole product', () => {
  const backends = new Map<string, Backend>();
  const keyOf = (certifiedHead: boolean, threads: number, bankBytes?: number) =>
    `${certifiedHead} ${threads} ${bankBytes ?? ''}`;

  async function backend(certifiedHead: boolean, threads = 1, bankBytes?: number): Promise<Backend> {
    const key = keyOf(certifiedHead, threads, bankBytes);
    const known = backends.get(key) ?? (await createWasmBackend({ certifiedHead, threads, bankBytes }));
    backends.set(key, known);
    return known;
  }

  afterAll(async () => {
    for (const one of backends.values()) await one.dispose();
  });

  /** Arg-max first, then the logits themselves. */
  async function asked(one: Backend, { table, x, type, scale = 1, gain }: Case) {
    let found: { best: Int32Array; rows: Float32Array[] } = { best: new Int32Array(0), rows: [] };
    await using(one, async (boxes) => {
      const weight = boxes.weight(table, type);
      const logits = boxes.logits();
      one.head(logits, boxes.tensor(x), gain ? boxes.norm(gain) : null, weight, scale);
      const best = await one.argMax(logits);
      expect(await one.argMax(logits)).toEqual(best);
      const rows: Float32Array[] = [];
      for (let row = 0; row < x.rows; row++) rows.push(await one.readLogits(logits, row));
      found = { best, rows };
    });
    return found;
  }

  async function same(test: Case, threads = 1, bankBytes?: number): Promise<void> {
    const whole = await asked(await backend(false, threads, bankBytes), test);
    const screened = await asked(await backend(true, threads, bankBytes), test);
    expect(screened.best).toEqual(whole.best);
    screened.rows.forEach((row, i) => {
      expectSameBits(row, whole.rows[i]);
    });
  }

  it.each(['f32', 'bf16'] as const)(
    'of %s weights, 1 to 17 rows, normed and scaled, inputs of any number',
    async (type) => {
      const shape = fc.record({
        rows: fc.integer({ min: 1, max: 17 }),
        cols: fc.integer({ min: 5, max: 70 }),
        seed: fc.nat(9999),
      });
      await fc.assert(
        fc.asyncProperty(shape, fc.boolean(), async ({ rows, cols, seed }, normed) => {
          const table = normal(seed, OUTPUTS, cols);
          const gain = normed ? normal(seed + 2, 1, cols).values : undefined;
          await same({ table, x: normal(seed + 1, rows, cols, 3), type, gain, scale: normed ? 0.37 : 1 });
        }),
        { numRuns: 4 },
      );
    },
  );

  it('with the weights in another memory, on several threads', async () => {
    const test = { table: normal(1, OUTPUTS, 64), x: normal(2, 4, 64), type: 'f32' as const };
    await same(test, 2, 1);
    await same(test, 3);
  });

  it('when rivals differ by the last bit, or not at all: the lowest id of the largest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(OUTPUTS - 1), { minLength: 2, maxLength: 40 }),
        fc.nat(999),
        async (ids, seed) => {
          const cols = 40;
          const table = normal(seed, OUTPUTS, cols);
          const x = normal(seed + 1, 2, cols);
          const winner = x.values.subarray(0, cols).map((value) => 4 * value); // far above the rest for the first row
          ids.forEach((id, i) => {
            table.values.set(winner, id * cols);
            if (i % 3 === 1) table.values[id * cols] *= 1 + 2 ** -23; // the next float32
          });
          await same({ table, x, type: 'f32' });
        },
      ),
      { numRuns: 5 },
    );
  });

  it('where the coarse copy alone has another arg-max: only the bounds keep the right one', async () => {
    const cols = 64;
    const misled: number[] = [];
    for (let seed = 0; seed < 6; seed++) {
      const x = normal(seed, 1, cols);
      const table = normal(seed + 100, OUTPUTS, cols);
      rivals(table, x.values, 200 + seed);
      await same({ table, x, type: 'f32' });
      const exact = await asked(await backend(true), { table, x, type: 'f32' });
      const coarse = await asked(await backend(true), { table, x, type: 'q8' });
      if (coarse.best[0] !== exact.best[0]) misled.push(seed);
    }
    expect(misled.length).toBeGreaterThanOrEqual(4);
  });

  it('bounds hold: every coarse logit is within them of the exact one, whatever the size and spread of rows', async () => {
    const one = await backend(false);
    const ids = Int32Array.from({ length: 96 }, (_, i) => i);
    let tightest = 0;
    const spread = fc.record({
      cols: fc.integer({ min: 1, max: 300 }),
      seed: fc.nat(9999),
      power: fc.double({ min: 0, max: 3, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(spread, async ({ cols, seed, power }) => {
        const table = tailed(normal(seed, ids.length, cols), power);
        const x = tailed(normal(seed + 1, 1, cols), power);
        await using(one, async (boxes) => {
          const [exact, coarse] = [boxes.logits(), boxes.logits()];
          const [weight, copy] = [boxes.weight(table, 'f32'), boxes.weight(table, 'q8')];
          one.head(exact, boxes.tensor(x), null, weight, 1);
          one.head(coarse, boxes.tensor(x), null, copy, 1);
          const own = boxes.out();
          one.embed(own, copy, ids);
          const stands = await one.read(own);
          const [a, b] = [await one.readLogits(exact, 0), await one.readLogits(coarse, 0)];
          const { byError, bySize } = boundFactors(x.values, coded(x.values));
          for (const row of ids) {
            const [w, v] = [table.values, stands].map((values) => values.subarray(row * cols, (row + 1) * cols));
            const bound = byError * Math.hypot(...w.map((value, i) => value - v[i])) + bySize * Math.hypot(...v);
            expect(Math.abs(a[row] - b[row])).toBeLessThanOrEqual(bound);
            if (bound > 0) tightest = Math.max(tightest, Math.abs(a[row] - b[row]) / bound);
          }
        });
      }),
    );
    expect(tightest).toBeGreaterThan(0.1); // not so wide that they would hold for anything
  });

  it('leaves the product of a usual row undone, and does it when a query needs it', async () => {
    const one = await backend(true);
    await using(one, async (boxes) => {
      const logits = boxes.logits() as WasmLogits;
      const weight = boxes.weight(normal(1, OUTPUTS, 64), 'f32');
      one.head(logits, boxes.tensor(normal(2, 3, 64)), null, weight, 1);
      await one.argMax(logits);
      expect(logits.pending).not.toBeNull();
      await one.logSumExp(logits, 0, 1);
      expect(logits.pending).toBeNull();
    });
  });

  it.each([
    ['all equal', (table: Float32Array) => table.fill(0.5)],
    ['all zero', (table: Float32Array) => table.fill(0)],
    ['NaN in one row', (table: Float32Array) => table.fill(Number.NaN, 400, 401)],
    ['infinite in one row', (table: Float32Array) => table.fill(Number.POSITIVE_INFINITY, 400, 401)],
    ['of 1e38', (table: Float32Array) => table.fill(1e38, 4000, 4040)],
    [
      'of 1e-40',
      (table: Float32Array) =>
        table
          .map((value) => value * 1e-40)
          .forEach((value, i) => {
            table[i] = value;
          }),
    ],
    ['of one huge row', (table: Float32Array) => table.fill(1e6, 40 * 777, 40 * 778)],
  ])('when weights are %s', async (_, change) => {
    const table = normal(3, OUTPUTS, 40);
    change(table.values);
    await same({ table, x: normal(4, 3, 40), type: 'f32' });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e38, 0])('when a row holds %p', async (value) => {
    const x = normal(5, 3, 40);
    x.values.fill(value, 40, 50);
    await same({ table: normal(3, OUTPUTS, 40), x, type: 'f32' });
  });

  it('follows a weight that is filled again', async () => {
    const one = await backend(true);
    await using(one, async (boxes) => {
      const [first, second] = [normal(1, OUTPUTS, 40), normal(2, OUTPUTS, 40)];
      const weight = boxes.weight(first, 'f32');
      const x = boxes.tensor(normal(3, 1, 40));
      const logits = boxes.logits();
      const answers: number[] = [];
      for (const table of [first, second, first]) {
        one.fill(weight, 0, bytesOf(table.values), 'f32');
        one.head(logits, x, null, weight, 1);
        answers.push((await one.argMax(logits))[0]);
      }
      const whole = await backend(false);
      const expected = [];
      for (const table of [first, second])
        expected.push((await asked(whole, { table, x: normal(3, 1, 40), type: 'f32' })).best[0]);
      expect(answers).toEqual([expected[0], expected[1], expected[0]]);
    });
  });

  it('gives back the copy with the weight, and refuses logits whose weight is gone', async () => {
    const one = await createWasmBackend({ threads: 1 });
    const { facts } = one;
    const before = facts.allocatedBytes();
    const table = normal(1, OUTPUTS, 40);
    await using(one, async (boxes) => {
      const logits = boxes.logits();
      const weight = one.weight(table.rows, table.cols, 'f32');
      one.fill(weight, 0, bytesOf(table.values), 'f32');
      one.head(logits, boxes.tensor(normal(2, 1, 40)), null, weight, 1);
      await one.argMax(logits);
      expect(facts.allocatedBytes()).toBeGreaterThan(
        facts.weightBytes(OUTPUTS, 40, 'f32') + facts.weightBytes(OUTPUTS, 40, 'q8'),
      );
      one.free(weight);
      await expect(one.argMax(logits)).rejects.toMatchObject({ code: 'argument-invalid' });
      await expect(one.readLogits(logits, 0)).rejects.toMatchObject({ code: 'argument-invalid' });
    });
    expect(facts.allocatedBytes()).toBe(before);
    await one.dispose();
  });

  it('does without where there is no room for the copy', async () => {
    const table = normal(1, OUTPUTS, 40);
    const room = OUTPUTS * 40 * 4 + OUTPUTS * 4 + 100_000;
    const one = await createWasmBackend({ threads: 1, capacityBytes: room });
    const test = { table, x: normal(2, 1, 40), type: 'f32' as const };
    expect((await asked(one, test)).best).toEqual((await asked(await backend(false), test)).best);
    await one.dispose();
  });
});
