import fc from 'fast-check';
import { expFalling, exponentialOf } from '../../../kernels';

const ULP = 2 ** -52;

/** Whether two numbers are one ulp of the larger one apart, or less; of subnormal numbers, one step. */
function isNear(found: number, wanted: number): boolean {
  return Math.abs(found - wanted) <= Math.max(Math.abs(wanted) * ULP, 2 ** -1074);
}

/** Multiples of 2⁻⁵³ in [0, 1), of every size. */
const uniform = fc
  .tuple(fc.maxSafeNat(), fc.integer({ min: 0, max: 52 }))
  .map(([whole, shift]) => Math.floor(whole / 2 ** shift) / 2 ** 53);

describe('elementary functions', () => {
  it('expFalling is within 1 ulp of e^x as this engine has it, down to subnormal numbers', () => {
    const exponent = fc.double({ min: -760, max: 0, noNaN: true });
    const small = fc.integer({ min: 1, max: 1070 }).map((power) => -(2 ** -power));
    fc.assert(
      fc.property(fc.oneof(exponent, small), (x) => {
        expect(isNear(expFalling(x), Math.exp(x))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('expFalling of 0 is 1, of −∞ and of what is below −745.14 it is 0', () => {
    expect([0, Number.NEGATIVE_INFINITY, -745.14, -1e308].map(expFalling)).toEqual([1, 0, 0, 0]);
  });

  it('exponentialOf is within 1 ulp of −log1p(−u) as this engine has it', () => {
    fc.assert(
      fc.property(uniform, (u) => {
        expect(isNear(exponentialOf(u), -Math.log1p(-u))).toBe(true);
        expect(isNear(exponentialOf(1 - 2 ** -53 - u), -Math.log1p(-(1 - 2 ** -53 - u)))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  // docs/reproducibility.md says so. Both begin where one formula of V8's functions gives way to another, and near it.
  it('both have the bits of V8’s functions', () => {
    const size = fc.integer({ min: 0, max: 60 });
    const falling = fc.tuple(fc.double({ min: -760, max: 0, noNaN: true }), size).map(([x, shift]) => x * 2 ** -shift);
    fc.assert(
      fc.property(falling, (x) => {
        expect([x, expFalling(x)]).toEqual([x, Math.exp(x)]);
      }),
      { numRuns: 4000 },
    );
    fc.assert(
      fc.property(uniform, (u) => {
        expect([u, exponentialOf(u)]).toEqual([u, -Math.log1p(-u)]);
      }),
      { numRuns: 4000 },
    );
  });

  it('exponentialOf has them where 1 − u is so near a power of 2 that it has a short formula', () => {
    const differing: number[] = [];
    for (let power = 1; power <= 20; power++) {
      for (let i = 0; i < 2000; i++) {
        const off = (1 - i / 1000) * 2 ** -20;
        const u = Math.floor((1 - 2 ** -power * (1 + off)) * 2 ** 53) / 2 ** 53;
        if (exponentialOf(u) !== -Math.log1p(-u)) differing.push(u);
      }
    }
    expect(differing).toEqual([]);
  });

  it('exponentialOf is never below u, by which a race leaves tokens out, and rises with u', () => {
    fc.assert(
      fc.property(uniform, uniform, (a, b) => {
        const [u, v] = [Math.min(a, b), Math.max(a, b)];
        expect(exponentialOf(u)).toBeGreaterThanOrEqual(u * (1 - 2 ** -50));
        expect(exponentialOf(u)).toBeLessThanOrEqual(exponentialOf(v) * (1 + 2 ** -50));
      }),
      { numRuns: 2000 },
    );
  });
});
