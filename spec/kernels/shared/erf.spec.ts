import fc from 'fast-check';
import { erf, erfc } from '../../../kernels/shared/erf';

/** 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! (DLMF 7.6.2): all terms of one sign, so nothing cancels. */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** The continued fraction of erfc (DLMF 7.9.1), from far out inwards. */
function fraction(x: number): number {
  let tail = x;
  for (let n = 400; n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}

describe('erf', () => {
  test('is its own series within 1e-14 of the result for |x| ≤ 3', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (x) => {
        expect(Math.abs(erf(x) - series(x))).toBeLessThanOrEqual(1e-14 * Math.abs(series(x)));
      }),
      { numRuns: 500 },
    );
  });

  test('erfc is its continued fraction within 1e-13 of the result for 2 ≤ x ≤ 20', () => {
    fc.assert(
      fc.property(fc.double({ min: 2, max: 20, noNaN: true }), (x) => {
        expect(Math.abs(erfc(x) - fraction(x))).toBeLessThanOrEqual(1e-13 * fraction(x));
      }),
      { numRuns: 500 },
    );
  });

  test('erf is odd, erfc(x) + erfc(−x) = 2, the ends are ±1, 0 and 2, and NaN stays NaN', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (x) => {
        expect(erf(-x)).toBe(-erf(x));
        expect(erfc(x) + erfc(-x)).toBeCloseTo(2, 14);
      }),
    );
    expect([erf(Infinity), erf(-Infinity), erfc(Infinity), erfc(-Infinity)]).toEqual([1, -1, 0, 2]);
    expect([erf(Number.NaN), erfc(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
  });
});
