import fc from 'fast-check';
import { Curve, type KeptPoint, medianOf, monotone } from '../../../decoding/gamma/curve';
import { PlainCurve, risingOf } from '../../support/plain-curve';

/** Numbers that are not round, so that no limit is met exactly by accident. */
const between = (least: number, most: number) =>
  fc.integer({ min: 0, max: 999_983 }).map((part) => least + ((most - least) * (part + Math.SQRT1_2)) / 999_984.5);

const rows = fc.constantFrom(1, 2, 3, 4, 6, 9, 17, 24);
const kept = fc
  .uniqueArray(fc.tuple(rows, fc.oneof(between(0.2, 9), fc.constant(0))), { maxLength: 5, selector: ([at]) => at })
  .map((points): KeptPoint[] => points.sort((a, b) => a[0] - b[0]));

/** All that a curve says. */
const said = (curve: Curve | PlainCurve) => ({
  ...{ isTrusted: curve.isTrusted, scale: curve.scale, trusted: curve.trusted() },
  knows: Array.from({ length: 26 }, (_, i) => curve.knows(i + 1)),
  at: Array.from({ length: 30 }, (_, i) => curve.at(i + 1)),
});

/** The same, with numbers that may differ in their last digits. */
const nearly = ({ at, scale, trusted, ...rest }: ReturnType<typeof said>) => ({
  ...rest,
  scale: expect.closeTo(scale, 8),
  trusted: trusted.map(([where, cost]) => [where, expect.closeTo(cost, 8)]),
  at: at.map((cost) => (cost === null ? null : expect.closeTo(cost, 8))),
});

describe('a curve, beside a plain statement of its rules,', () => {
  const times = fc.array(fc.tuple(rows, between(2, 9), between(0.9, 1.1)), { minLength: 1, maxLength: 60 });

  it('says the same of all rows after each time that comes in, with kept points or without', () => {
    fc.assert(
      fc.property(kept, times, (points, added) => {
        const [curve, plain] = [new Curve(points), new PlainCurve(points)];
        expect(said(curve)).toEqual(nearly(said(plain)));
        for (const [at, time, factor] of added) {
          const like = time < 6 ? 5 * factor : time; // many are much the same, so that some change nothing
          for (const one of [curve, plain]) one.add(at, like);
          expect(said(curve)).toEqual(nearly(said(plain)));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('follows another curve whose unit changes', () => {
    fc.assert(
      fc.property(kept, times, (points, added) => {
        let unit = 1;
        const [curve, plain] = [new Curve(points, () => unit), new PlainCurve(points, () => unit)];
        for (const [at, time, factor] of added) {
          if (at === 4) unit *= factor;
          else for (const one of [curve, plain]) one.add(at, time);
          expect(said(curve)).toEqual(nearly(said(plain)));
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('times of one number of rows', () => {
  it.each([
    [102, 100],
    [98, 100],
    [102.001, 102.001],
    [97.999, 97.999],
  ])('that were 100 and are %d are taken for %d: 2 % change nothing yet', (time, expected) => {
    const curve = new Curve();
    for (let i = 0; i < 7; i++) curve.add(1, 100);
    expect(curve.at(1)).toBe(100);
    for (let i = 0; i < 7; i++) curve.add(1, time);
    expect(curve.at(1)).toBe(expected);
  });
});

describe('points that do not fall', () => {
  const cost = fc.constantFrom(0.1, 0.3, 0.7, 1.1, 1.3);

  it('are kept bit for bit, equal ones too', () => {
    fc.assert(
      fc.property(fc.array(cost, { maxLength: 9 }), (costs) => {
        const points = costs.sort((a, b) => a - b).map((one, i) => [i + 1, one] as const);
        expect(monotone(points)).toEqual(points);
      }),
    );
  });

  it('and are nearest to points that fall: of each the largest of the least means around it', () => {
    fc.assert(
      fc.property(fc.array(between(0, 9), { maxLength: 12 }), (costs) => {
        const points = costs.map((one, i) => [2 * i + 1, one] as const);
        const expected = risingOf(points).map(([at, one]) => [at, expect.closeTo(one, 9)]);
        expect(monotone(points)).toEqual(expected);
      }),
    );
  });
});

test('the median is the value in the middle, or the mean of two, in whatever order they are', () => {
  expect([[3], [5, 1], [9, 1, 2], [8, 1, 4, 3]].map(medianOf)).toEqual([3, 3, 2, 3.5]);
});
