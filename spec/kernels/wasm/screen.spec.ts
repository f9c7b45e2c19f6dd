import fc from 'fast-check';
import { type Backend, BLOCK, createWasmBackend, type Dtype } from '../../../kernels';
import type { WasmLogits } from '../../../kernels/wasm/boxes';
import { boundFactors } from '../../../kernels/wasm/screen';
import { bytesOf, expectSameBits, type Matrix, using } from '../laws/subject';
import { coded, normal, rivals, tailed } from './screened';

/** At least as many outputs as screening begins with, and not a whole number of units. */
const OUTPUTS = 16384 + 45;

interface Case {
  readonly table: Matrix;
  readonly x: Matrix;
  readonly type: Dtype;
  readonly scale?: number;
  readonly gain?: Float32Array;
}

interface Found {
  readonly best: Int32Array;
  readonly rows: Float32Array[];
  readonly tops: (Float32Array | null)[];
  /** Whether all logits were there after the arg-max. */
  readonly isWhole: boolean | undefined;
  readonly blocks: Float32Array[];
}

describe('the certified head: arg-max by a coarse copy and bounds is that of the whole product', () => {
  const backends = new Map<string, Backend>();
  let bounded = 0;
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

  /** Blocks that are asked for: the first, the last, which is not full, and some between them, not in order. */
  const BLOCKS = [0, 77, Math.floor(OUTPUTS / BLOCK), 300, 41];

  /** Arg-max and bounds first, then the logits themselves. */
  async function asked(one: Backend, { table, x, type, scale = 1, gain }: Case) {
    let found: Found = { best: new Int32Array(0), rows: [], tops: [], blocks: [], isWhole: undefined };
    await using(one, async (boxes) => {
      const weight = boxes.weight(table, type);
      const logits = boxes.logits();
      one.head(logits, boxes.tensor(x), gain ? boxes.norm(gain) : null, weight, scale);
      const best = await one.argMax(logits);
      const isWhole = one.isWhole?.(logits);
      const tops: (Float32Array | null)[] = [];
      const blocks: Float32Array[] = [];
      const askBlocks = async (row: number) => (await one.blocks?.(logits, row, BLOCKS)) as Float32Array;
      for (let row = 0; row < x.rows; row++) {
        tops.push((await one.tops?.(logits, row)) ?? null);
        blocks.push(await askBlocks(row));
      }
      expect(await one.argMax(logits)).toEqual(best);
      const rows: Float32Array[] = [];
      for (let row = 0; row < x.rows; row++) {
        rows.push(await one.readLogits(logits, row));
        expectSameBits(await askBlocks(row), blocks[row]);
      }
      expect(one.isWhole?.(logits)).toBe(true); // after rows were read
      found = { best, rows, tops, blocks, isWhole };
    });
    return found;
  }

  async function same(test: Case, threads = 1, bankBytes?: number): Promise<void> {
    const whole = await asked(await backend(false, threads, bankBytes), test);
    const screened = await asked(await backend(true, threads, bankBytes), test);
    expect(screened.best).toEqual(whole.best);
    expect(whole.isWhole).toBe(true);
    screened.rows.forEach((row, i) => {
      expectSameBits(row, whole.rows[i]);
      expect(whole.tops[i]).toBeNull();
      expectSameBits(screened.blocks[i], whole.blocks[i]);
      const blockOf = (block: number) => row.subarray(block * BLOCK, (block + 1) * BLOCK);
      for (const [k, block] of BLOCKS.entries()) {
        expectSameBits(screened.blocks[i].subarray(k * BLOCK, k * BLOCK + blockOf(block).length), blockOf(block));
      }
      const tops = screened.tops[i];
      if (tops === null) return;
      bounded++;
      expect(tops.length).toBe(Math.ceil(OUTPUTS / BLOCK));
      tops.forEach((top, block) => {
        const most = Math.max(...blockOf(block));
        if (!(top >= most)) throw new Error(`row ${i}, block ${block}: expected at least ${most}, found ${top}`);
      });
    });
  }

  it('bounds are there, and near enough to leave out most blocks', async () => {
    const { table, x } = { table: normal(5, OUTPUTS, 64), x: normal(6, 3, 64) };
    bounded = 0;
    await same({ table, x, type: 'f32' });
    expect(bounded).toBe(3);
    const { rows, tops, isWhole } = await asked(await backend(true), { table, x, type: 'f32' });
    expect(isWhole).toBe(false);
    rows.forEach((row, i) => {
      const largest = Math.max(...row);
      const left = tops[i]?.filter((top) => top >= largest) ?? [];
      expect(left.length).toBeLessThan(20);
    });
  });

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

  it('does without where there is no room for the copy', async () => {
    const table = normal(1, OUTPUTS, 40);
    const room = OUTPUTS * 40 * 4 + OUTPUTS * 4 + 100_000;
    const one = await createWasmBackend({ threads: 1, capacityBytes: room });
    const test = { table, x: normal(2, 1, 40), type: 'f32' as const };
    expect((await asked(one, test)).best).toEqual((await asked(await backend(false), test)).best);
    await one.dispose();
  });
});
