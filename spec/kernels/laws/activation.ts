import fc from 'fast-check';
import type { ActivationKind, Backend } from '../../../kernels';
import { matrix, seed, size } from './arbitraries';
import { expectNear, expectSameBits, type Matrix, pickRows, type Subject, using } from './subject';

const KINDS: readonly ActivationKind[] = ['relu', 'gelu', 'gelu_new', 'silu'];

async function activated(
  backend: Backend,
  kind: ActivationKind,
  x: Matrix,
  gated: Matrix | null,
): Promise<Float32Array> {
  return using(backend, async (boxes) => {
    const out = boxes.out();
    backend.activation(out, boxes.tensor(x), kind, gated === null ? null : boxes.tensor(gated));
    expect([out.rows, out.cols]).toEqual([x.rows, x.cols]);
    return backend.read(out);
  });
}

/** Activations, gated and not. */
export function activationLaws({ backend, judge, runs, tolerance }: Subject): void {
  test.each(KINDS)('%s is the reference within the tolerance of |x| (· |gated|)', async (kind) => {
    await fc.assert(
      fc.asyncProperty(seed, size(18), size(129), fc.boolean(), async (from, rows, cols, isGated) => {
        const x = matrix(from, rows, cols, 3);
        const gated = isGated ? matrix(from + 1, rows, cols) : null;
        const found = await activated(backend(), kind, x, gated);
        const expected = await activated(judge(), kind, x, gated);
        expectNear(found, expected, tolerance.elementwise, (i) => Math.abs(x.values[i] * (gated?.values[i] ?? 1)));
      }),
      { numRuns: runs },
    );
  });

  test.each(KINDS)(
    '%s goes to x on the right and to 0 on the left, without NaN, up to the largest float32',
    async (kind) => {
      const values = Float32Array.of(0, 30, 100, 1e4, 1e20, 3.4e38, -200, -1e4, -1e20, -3.4e38);
      const found = await activated(backend(), kind, { rows: 1, cols: values.length, values }, null);
      found.forEach((value, i) => {
        expect(value === 0 ? 0 : value).toBe(Math.max(values[i], 0));
      });
    },
  );

  test.each(KINDS)('%s gives a row the same bits among others as alone', async (kind) => {
    await fc.assert(
      fc.asyncProperty(seed, size(129), fc.integer({ min: 0, max: 16 }), async (from, cols, row) => {
        const x = matrix(from, 17, cols, 3);
        const gated = matrix(from + 1, 17, cols);
        const all = await activated(backend(), kind, x, gated);
        const alone = await activated(backend(), kind, pickRows(x, [row]), pickRows(gated, [row]));
        expectSameBits(alone, all.slice(row * cols, (row + 1) * cols));
      }),
      { numRuns: runs },
    );
  });
}
