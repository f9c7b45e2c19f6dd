import fc from 'fast-check';
import { type PairedTimes, ratioInterval } from '../../../bench/harness/ratioInterval';
import { seeded } from '../../../testing/seeded';

/** Times of texts with a true ratio, each off by up to `noise` of itself, and by what slows both ways of a round alike. */
function timesOf({ ratio = 1, rounds = 15, noise = 0.05, slow = () => 1, seed = 1 }): PairedTimes[] {
  const random = seeded(seed);
  const off = () => 1 + noise * (2 * random() - 1);
  const slowness = Array.from({ length: rounds }, slow);
  return [0.05, 0.1, 0.2].map((seconds) => ({
    plain: slowness.map((by) => seconds * ratio * by * off()),
    drafted: slowness.map((by) => seconds * by * off()),
  }));
}

describe('the interval of a ratio', () => {
  it('holds the true ratio in about 95 of 100 cases, and has the ratio itself in it', () => {
    let held = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { ratio, low, high } = ratioInterval(timesOf({ ratio: 1.3, seed }));
      expect(low).toBeLessThanOrEqual(ratio);
      expect(high).toBeGreaterThanOrEqual(ratio);
      if (low <= 1.3 && 1.3 <= high) held++;
    }
    expect(held).toBeGreaterThan(180);
    expect(held).toBeLessThan(200);
  });

  it('is a point where every round took the same, and is that of the times alone, in any order of texts', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), fc.integer({ min: 1, max: 9 }), (ratio, rounds) => {
        const found = ratioInterval(timesOf({ ratio, rounds, noise: 0 }));
        for (const value of [found.ratio, found.low, found.high]) expect(value).toBeCloseTo(ratio, 9);
        const noisy = timesOf({ ratio, rounds });
        expect(ratioInterval(noisy)).toEqual(ratioInterval(noisy));
        expect(ratioInterval(noisy.toReversed()).ratio).toBeCloseTo(ratioInterval(noisy).ratio, 12);
      }),
      { numRuns: 20 },
    );
  });

  it('is narrower the more rounds there are, and hardly wider where whole rounds are slow', () => {
    const width = (times: PairedTimes[]) => {
      const { low, high } = ratioInterval(times);
      return high - low;
    };
    expect(width(timesOf({ rounds: 60 }))).toBeLessThan(width(timesOf({ rounds: 10 })) * 0.7);
    let round = 0;
    const slow = () => (round++ % 5 === 0 ? 3 : 1);
    expect(width(timesOf({ slow }))).toBeLessThan(width(timesOf({})) * 1.2);
  });

  it('does not see a machine that gets slower and faster, because both ways of a round do', () => {
    for (const seed of [1, 2, 3]) {
      let round = 0;
      const slow = () => 1.5 + Math.sin(round++);
      const steady = ratioInterval(timesOf({ seed }));
      const found = ratioInterval(timesOf({ slow, seed }));
      for (const end of ['ratio', 'low', 'high'] as const)
        expect(Math.abs(found[end] - steady[end])).toBeLessThan(0.01);
    }
  });

  it('is that of all texts together, where one of them gains and another does not', () => {
    const gains = { plain: [6, 6, 6], drafted: [2, 2, 2] };
    const loses = { plain: [9, 9, 9], drafted: [10, 10, 10] };
    expect(ratioInterval([gains, loses]).ratio).toBeCloseTo(15 / 12, 12);
  });

  it('takes one slow time for what it is', () => {
    const times = timesOf({ noise: 0.01 });
    const [first, ...others] = times;
    const slowed = { ...first, drafted: first.drafted.map((seconds, round) => (round === 4 ? seconds * 20 : seconds)) };
    expect(ratioInterval([slowed, ...others]).ratio).toBeCloseTo(ratioInterval(times).ratio, 2);
  });
});
