import { chiSquaredDistributionTable } from 'simple-statistics';
import { chiSquared, chiSquaredTail, twoSamples } from '../../testing/index';

describe('Pearson’s χ²', () => {
  it('has the tail that tables print, for 1 to 100 degrees of freedom (within 1 % of the tail)', () => {
    let compared = 0;
    for (const [degrees, row] of Object.entries(chiSquaredDistributionTable)) {
      for (const [tail, value] of Object.entries(row)) {
        if (value < 0.5) continue; // printed with two digits: too coarse
        expect(Math.abs(chiSquaredTail(value, Number(degrees)) / Number(tail) - 1)).toBeLessThan(0.01);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(300);
  });

  it('has a critical value that 0.5 % of right counts exceed', () => {
    const counts = new Map([
      ['a', 60],
      ['b', 40],
    ]);
    const { statistic, degrees, critical, tail } = chiSquared(
      counts,
      new Map([
        ['a', 0.5],
        ['b', 0.5],
      ]),
    );
    expect([statistic, degrees]).toEqual([4, 1]);
    expect(critical).toBeCloseTo(7.879, 3);
    expect(tail).toBeCloseTo(0.0455, 4);
    expect(twoSamples(counts, counts)).toMatchObject({ statistic: 0, degrees: 1, tail: 1 });
    expect(chiSquared(new Map([['c', 9]]), new Map([['a', 1]])).tail).toBe(0);
  });
});
