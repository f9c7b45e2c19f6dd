import fc from 'fast-check';
import { createWasmBackend } from '../../../kernels';
import type { WasmLogits } from '../../../kernels/wasm/boxes';
import { boundFactors } from '../../../kernels/wasm/screen';
import { using } from '../laws/subject';
import { coded, normal, tailed } from './screened';

/** A little more than what rounding to float32 could take away, and the most that bounds may be larger for it. */
const MOST_ENLARGED = 1 + 1e-4;

function expectJustAbove(found: number, exact: number): void {
  expect(Math.fround(found)).toBeGreaterThanOrEqual(exact);
  expect(found).toBeLessThanOrEqual(exact * MOST_ENLARGED);
}

describe('factors of the bounds of a certified head', () => {
  it('are |x| and |x − x̂| + ρ · |x| with the stated ρ, never less in float32, and little more', () => {
    const row = fc.record({ cols: fc.integer({ min: 1, max: 1100 }), seed: fc.nat(9999), power: fc.nat(3) });
    fc.assert(
      fc.property(row, fc.boolean(), ({ cols, seed, power }, isExact) => {
        const { values } = tailed(normal(seed, 1, cols), power);
        const stands = isExact ? Float64Array.from(values) : coded(values);
        const { norm, byError, bySize } = boundFactors(values, stands);
        const length = Math.hypot(...values);
        const distance = Math.hypot(...Array.from(values, (value, i) => value - stands[i]));
        const rho = (2 * (cols + 8) + 20 * (Math.ceil(cols / 32) + 16)) * 2 ** -24;
        expect(norm).toBeCloseTo(length, 9);
        expectJustAbove(byError, length * (1 - 1e-12));
        expectJustAbove(bySize, (distance + rho * length) * (1 - 1e-12));
      }),
    );
  });

  it.each(['simd', 'auto'] as const)(
    'are those of each row alone, whatever rows stand beside it (%s)',
    async (level) => {
      const one = await createWasmBackend({ threads: 1, level });
      await using(one, async (boxes) => {
        const weight = boxes.weight(normal(1, 16384, 70), 'f32');
        for (let rows = 1; rows <= 17; rows++) {
          const x = tailed(normal(rows, rows, 70), 1);
          const logits = boxes.logits() as WasmLogits;
          one.head(logits, boxes.tensor(x), null, weight, 1);
          await one.tops?.(logits, 0);
          const expected = Array.from({ length: rows }, (_, row) => {
            const own = x.values.slice(row * 70, (row + 1) * 70);
            return boundFactors(own, coded(own));
          });
          expect([rows, logits.pending?.factors]).toEqual([rows, expected]);
        }
      });
      await one.dispose();
    },
  );
});
