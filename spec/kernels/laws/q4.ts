import fc from 'fast-check';
import { packQ4, Q4_BYTES, type Q4Rows, q4Values, q8Blocks } from '../../../common';
import { type Backend, type Dtype, quantizeRowsQ4 } from '../../../kernels';
import { matrix, seed, shuffled, size, uniform } from './arbitraries';
import { contents } from './storage';
import { type Boxes, expectNear, expectSameBits, type Matrix, type Subject, using } from './subject';

/** A block of 32 inputs in q4, beside the numbers that it stands for. */
function expectSearched(block: Float32Array, wanted: Float32Array): void {
  expect(new Set(block).size).toBeLessThanOrEqual(16);
  const largest = wanted.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  if (largest === 0) {
    expect(block.every((value) => value === 0)).toBe(true);
    return;
  }
  const step = shortStep(largest / -8);
  const errorOf = (kept: (i: number) => number): number =>
    wanted.reduce((sum, value, i) => sum + ((value - kept(i)) / largest) ** 2, 0);
  const plain = errorOf((i) => step * Math.max(-8, Math.min(7, Math.round(wanted[i] / step))));
  expect(errorOf((i) => block[i])).toBeLessThanOrEqual(plain * (1 + 1e-5) + 1e-8);
}

/** The nearest number of 8 significant bits, as a scale in q4 has. */
function shortStep(value: number): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
  return Math.round(value / unit) * unit;
}

/** Stored rows of any codes, with scales of either sign, zeros and NaN among them. */
function anyRows(from: number, rows: number, cols: number, power: number): Q4Rows {
  const next = uniform(from);
  const blocks = rows * q8Blocks(cols);
  const scaleOf = (kind: number, value: number) => (kind < 0.1 ? 0 : kind < 0.15 ? Number.NaN : shortStep(value) || 0);
  return {
    codes: Uint8Array.from({ length: blocks * Q4_BYTES }, () => next() * 256),
    scales: Float32Array.from({ length: blocks }, () => scaleOf(next(), (next() * 2 - 1) * 2 ** power)),
  };
}

/** A matrix as `tandem quantize` stores it, but for the codes past the end of its rows, which mean nothing. */
function storedRows(from: number, { rows, cols, values }: Matrix): Q4Rows {
  const next = uniform(from);
  const blocks = q8Blocks(cols);
  const [codes, scales] = [new Uint8Array(rows * blocks * Q4_BYTES), new Float32Array(rows * blocks)];
  quantizeRowsQ4(values, cols, codes, scales);
  for (let at = 0; at < codes.length; at++) {
    const input = (Math.floor(at / Q4_BYTES) % blocks) * 32 + (at % Q4_BYTES);
    const past = (input < cols ? 0 : 15) | (input + 16 < cols ? 0 : 240);
    codes[at] ^= past & (next() * 256);
  }
  return { codes, scales };
}

/** Fills a weight in steps of 64 rows, in any order, from bytes that start at an odd address. */
function filled(boxes: Boxes, from: number, [stored, cols]: readonly [Q4Rows, number], type: Dtype) {
  const packed = packQ4(stored, cols);
  const width = packed.length / (stored.scales.length / q8Blocks(cols));
  const rows = packed.length / width;
  const weight = boxes.keep(boxes.backend.weight(rows, cols, type));
  for (const step of shuffled(from, Math.ceil(rows / 64))) {
    const some = packed.subarray(step * 64 * width, (step + 1) * 64 * width);
    const shifted = new Uint8Array(some.length + 1);
    shifted.set(some, 1);
    boxes.backend.fill(weight, step * 64, shifted.subarray(1), 'q4');
  }
  return weight;
}

/** What a weight keeps of rows that are stored in q4. */
function storedLaws({ backend, judge, types, runs, tolerance }: Subject): void {
  const shape = fc.record({ from: seed, rows: size(70), cols: size(129), power: fc.integer({ min: -20, max: 20 }) });
  test.each(types)('stored q4 rows become %s: code · scale, as the reference has it', async (type) => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ from, rows, cols, power }) => {
        const any = anyRows(from, rows, cols, power);
        // Of q8 a device multiplies codes and scales itself, and need not keep a NaN.
        const stored = { ...any, scales: type === 'q8' ? any.scales.map((scale) => scale || 0) : any.scales };
        const read = (of: Backend) =>
          using(of, async (boxes) => contents(boxes, filled(boxes, from, [stored, cols], type)));
        const found = await read(backend());
        const room = type === 'q8' ? tolerance.elementwise : 0; // of the product in embed, not of what is stored
        expectNear(found, await read(judge()), room, (i) => Math.abs(found[i]));
        if (type === 'f32' || type === 'q4') expectSameBits(found, q4Values(stored, cols));
      }),
      { numRuns: runs },
    );
  });
}

/** What a q4 weight keeps. */
export function q4Laws(subject: Subject): void {
  const { backend, judge, types, runs } = subject;
  storedLaws(subject);
  if (!types.includes('q4')) {
    test('q4 is refused by name', () => {
      expect(() => backend().weight(1, 1, 'q4')).toThrow(/expected type f32, bf16 or q8, found q4/);
    });
    return;
  }
  test('q4 has the reference’s values, 16 of them in each block of 32, and no more error than max / −8 as the step', async () => {
    const shape = fc.record({
      from: seed,
      rows: size(70),
      cols: size(129),
      power: fc.integer({ min: -60, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, fc.boolean(), async ({ from, rows, cols, power }, isBroken) => {
        const source = matrix(from, rows, cols, 2 ** power);
        if (isBroken) source.values[from % source.values.length] = [Number.NaN, Infinity, -Infinity][from % 3];
        const read = (of: ReturnType<typeof backend>) =>
          using(of, async (boxes) => contents(boxes, boxes.weight(source, 'q4')));
        const found = await read(backend());
        expectSameBits(found, await read(judge()));
        for (let row = 0; row < rows; row++) {
          for (let i = 0; i < cols; i += 32) {
            const [start, end] = [row * cols + i, row * cols + Math.min(i + 32, cols)];
            const wanted = source.values.subarray(start, end);
            const block = found.subarray(start, end);
            if (!wanted.every(Number.isFinite)) expect(block.every(Number.isNaN)).toBe(true);
            else expectSearched(block, wanted);
          }
        }
      }),
      { numRuns: runs },
    );
  });

  test('rows that are stored in q4 are the weight that their original becomes: products and rows have its bits', async () => {
    const shape = fc.record({ from: seed, rows: size(130), cols: size(129), power: fc.integer({ min: -60, max: 60 }) });
    await fc.assert(
      fc.asyncProperty(shape, fc.nat(3), async ({ from, rows, cols, power }, kind) => {
        const source = matrix(from, rows, cols, 2 ** power);
        const at = from % source.values.length;
        if (kind === 0) source.values[at] = [Number.NaN, Infinity, -Infinity][from % 3];
        if (kind === 1) source.values.fill(0, at, at + 64);
        await using(backend(), async (boxes) => {
          const x = boxes.tensor(matrix(from + 1, 3, cols));
          const [own, taken] = [
            boxes.weight(source, 'q4'),
            filled(boxes, from, [storedRows(from, source), cols], 'q4'),
          ];
          expectSameBits(await contents(boxes, taken), await contents(boxes, own));
          const [expected, found] = [boxes.out(), boxes.out()];
          boxes.backend.linear(expected, x, own, null);
          boxes.backend.linear(found, x, taken, null);
          expectSameBits(await boxes.backend.read(found), await boxes.backend.read(expected));
        });
      }),
      { numRuns: runs },
    );
  });
}
