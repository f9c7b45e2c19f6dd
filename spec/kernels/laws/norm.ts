import fc from 'fast-check';
import type { Backend } from '../../../kernels';
import { matrix, seed, size } from './arbitraries';
import { expectNear, expectSameBits, type Matrix, pickRows, type Subject, using } from './subject';

async function normed(backend: Backend, x: Matrix, gain: Float32Array, epsilon: number): Promise<Float32Array> {
  return using(backend, async (boxes) => {
    const out = boxes.out();
    backend.rmsNorm(out, boxes.tensor(x), boxes.norm(gain, epsilon));
    return backend.read(out);
  });
}

/** RMS norm, and its fusion with the product. */
export function normLaws({ backend, judge, types, runs, tolerance }: Subject): void {
  const powers = fc.integer({ min: -20, max: 12 });

  test('rmsNorm is the reference within the tolerance of each element, for activations of any size', async () => {
    await fc.assert(
      fc.asyncProperty(seed, size(18), size(300), powers, async (from, rows, cols, power) => {
        const x = matrix(from, rows, cols, 2 ** power);
        const gain = matrix(from + 1, 1, cols).values;
        const expected = await normed(judge(), x, gain, 1e-6);
        const found = await normed(backend(), x, gain, 1e-6);
        expectNear(found, expected, tolerance.elementwise, (i) => Math.abs(expected[i]));
      }),
      { numRuns: runs },
    );
  });

  test('rmsNorm of a row of zeros is zeros, by the epsilon', async () => {
    const x = { rows: 2, cols: 9, values: new Float32Array(18) };
    expectSameBits(await normed(backend(), x, new Float32Array(9).fill(1), 1e-6), new Float32Array(18));
  });

  test('rmsNorm gives a row the same bits among others as alone', async () => {
    await fc.assert(
      fc.asyncProperty(seed, size(200), fc.integer({ min: 0, max: 16 }), async (from, cols, row) => {
        const x = matrix(from, 17, cols);
        const gain = matrix(from + 1, 1, cols).values;
        const all = await normed(backend(), x, gain, 1e-6);
        const alone = await normed(backend(), pickRows(x, [row]), gain, 1e-6);
        expectSameBits(alone, all.slice(row * cols, (row + 1) * cols));
      }),
      { numRuns: runs },
    );
  });

  test.each(types)('%s: normLinear has the bits of rmsNorm, then linear, for one to three weights', async (type) => {
    const outputs = fc.array(size(100), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(seed, size(18), size(160), outputs, async (from, rows, cols, widths) => {
        await using(backend(), async (boxes) => {
          const x = boxes.tensor(matrix(from, rows, cols));
          const norm = boxes.norm(matrix(from + 1, 1, cols).values);
          const weights = widths.map((width, i) => boxes.weight(matrix(from + 2 + i, width, cols), type));
          const outs = weights.map(() => boxes.out());
          backend().normLinear(outs, x, norm, weights);
          const between = boxes.out();
          backend().rmsNorm(between, x, norm);
          for (const [i, weight] of weights.entries()) {
            const out = boxes.out();
            backend().linear(out, between, weight, null);
            expect([outs[i].rows, outs[i].cols]).toEqual([rows, widths[i]]);
            expectSameBits(await backend().read(outs[i]), await backend().read(out));
          }
        });
      }),
      { numRuns: runs },
    );
  });

  test('normLinear takes weights of different types in one call', async () => {
    await using(backend(), async (boxes) => {
      const x = boxes.tensor(matrix(1, 3, 64));
      const norm = boxes.norm(matrix(2, 1, 64).values);
      const weights = types.map((type) => boxes.weight(matrix(3, 40, 64), type));
      const outs = weights.map(() => boxes.out());
      backend().normLinear(outs, x, norm, weights);
      for (const [i, weight] of weights.entries()) {
        const alone = boxes.out();
        backend().normLinear([alone], x, norm, [weight]);
        expectSameBits(await backend().read(outs[i]), await backend().read(alone));
      }
    });
  });
}
