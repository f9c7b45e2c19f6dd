import fc from 'fast-check';
import { smoothed } from '../../../decoding/gamma/smoothed';

const sumOfSquares = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, one, i) => sum + (one - b[i]) ** 2, 0);

describe('measured costs, smoothed', () => {
  test('neighbours that fall get their mean; the unit is then the cost of one row', () => {
    expect(smoothed({ c: 0.2, v: [1, 3, 2, 4] })).toEqual({ c: 0.2, v: [1, 2.5, 2.5, 4], measured: [1, 3, 2, 4] });
    expect(smoothed({ c: 0.375, v: [1, 0.5, 3] })).toEqual({ c: 0.5, v: [1, 1, 4], measured: [4 / 3, 2 / 3, 4] });
  });

  const costs = fc.record({
    c: fc.double({ min: 0.01, max: 2, noNaN: true }),
    v: fc.array(fc.double({ min: 0.1, max: 20, noNaN: true }), { minLength: 1, maxLength: 13 }),
  });

  test('v begins with 1 and never falls, and a v that does not fall stays as it is', () => {
    fc.assert(
      fc.property(costs, ({ c, v }) => {
        const smooth = smoothed({ c, v });
        expect(smooth.v[0]).toBe(1);
        for (const [i, cost] of smooth.v.entries()) expect(cost).toBeGreaterThanOrEqual(smooth.v[i - 1] ?? 0);
        expect(smoothed(smooth).v).toEqual(smooth.v);
      }),
    );
  });

  test('no other curve that does not fall is nearer to what was measured', () => {
    fc.assert(
      fc.property(
        costs,
        fc.array(fc.double({ min: 0.1, max: 20, noNaN: true }), { minLength: 13, maxLength: 13 }),
        (given, other) => {
          const { v, measured } = smoothed(given);
          const rising = other.slice(0, v.length).toSorted((a, b) => a - b);
          expect(sumOfSquares(v, measured)).toBeLessThanOrEqual(sumOfSquares(rising, measured) + 1e-9);
        },
      ),
    );
  });
});
