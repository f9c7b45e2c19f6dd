import fc from 'fast-check';
import { matrix, seed, size } from './arbitraries';
import { contents } from './storage';
import { expectSameBits, type Subject, using } from './subject';

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

/** What a q4 weight keeps. */
export function q4Laws({ backend, judge, types, runs }: Subject): void {
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
}
