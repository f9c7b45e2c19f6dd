import fc from 'fast-check';
import { type PairedTimes, type RatioInterval, ratioInterval } from '../../../bench/harness/ratioInterval';
import { halfWidthOf, type MeasuredRatio, type RoundPlan, untilPrecise } from '../../../bench/harness/untilPrecise';
import { seeded } from '../../../testing/seeded';

const PLAN: RoundPlan = { least: 9, most: 25, precision: 0.015 };

/** Measures two texts whose times are off by up to `noise` of themselves. */
async function measure(series: { ratio?: number; noise: number; seed?: number }, plan = PLAN): Promise<MeasuredRatio> {
  const { ratio = 1, noise, seed = 1 } = series;
  const random = seeded(seed);
  const off = () => 1 + noise * (2 * random() - 1);
  const texts = [0.1, 0.2].map((seconds) => ({ seconds, plain: [] as number[], drafted: [] as number[] }));
  const takeRound = async () => {
    for (const { seconds, plain, drafted } of texts) {
      plain.push(seconds * off() * ratio);
      drafted.push(seconds * off());
    }
  };
  return untilPrecise(plan, takeRound, () => ratioInterval(texts satisfies PairedTimes[]));
}

/** Takes the intervals as they come, one a round. */
async function follow(intervals: readonly RatioInterval[], plan: RoundPlan): Promise<MeasuredRatio> {
  let taken = 0;
  const takeRound = async () => void taken++;
  return untilPrecise(plan, takeRound, () => intervals[taken - 1]);
}

describe('rounds until an interval is narrow enough', () => {
  it('are as many wherever the intervals lie: the rule sees widths alone', async () => {
    const series = fc.array(
      fc.record({
        width: fc.nat(150).map((part) => (part + 0.5) / 1000),
        at: fc.integer({ min: -20, max: 20 }).map((part) => part / 10),
      }),
      { minLength: 25, maxLength: 25 },
    );
    const lie = (at: number, width: number) => ({
      ratio: Math.exp(at),
      low: Math.exp(at - width),
      high: Math.exp(at + width),
    });
    await fc.assert(
      fc.asyncProperty(series, async (rounds) => {
        const found = await follow(
          rounds.map(({ at, width }) => lie(at, width)),
          PLAN,
        );
        const still = await follow(
          rounds.map(({ width }) => lie(0, width)),
          PLAN,
        );
        expect([found.rounds, found.precise]).toEqual([still.rounds, still.precise]);
        const first = rounds.findIndex(({ width }, i) => i + 1 >= PLAN.least && width <= PLAN.precision);
        expect([still.rounds, still.precise]).toEqual(first < 0 ? [PLAN.most, false] : [first + 1, true]);
      }),
      { numRuns: 200 },
    );
  });

  it('are as many where all ratios are multiplied, that is where their logarithms are shifted', async () => {
    for (const noise of [0.01, 0.035, 0.05]) {
      const { rounds } = await measure({ noise });
      for (const ratio of [0.5, 0.9, 0.97, 1.03, 2.4]) {
        const shifted = await measure({ ratio, noise });
        expect(shifted.rounds).toBe(rounds);
        expect(shifted.interval.ratio).toBeCloseTo(ratio, 1);
      }
    }
  });

  it('are more the noisier the times are: the least for a quiet series, the most for one that never gets there', async () => {
    const means: number[] = [];
    for (const noise of [0.005, 0.03, 0.045, 0.3]) {
      const found = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => measure({ noise, seed })));
      for (const { interval, rounds, precise } of found) {
        expect(halfWidthOf(interval) <= PLAN.precision).toBe(precise);
        expect(precise || rounds === PLAN.most).toBe(true);
      }
      means.push(found.reduce((sum, { rounds }) => sum + rounds, 0) / found.length);
    }
    expect([means[0], means[3]]).toEqual([PLAN.least, PLAN.most]);
    for (const [i, mean] of means.slice(1).entries()) expect(mean).toBeGreaterThan(means[i] + 1);
  });

  it('are never called precise where there are too few for an interval of 95 %', async () => {
    const plan = (most: number) => ({ least: 1, most, precision: 0.5 });
    for (const most of [1, 2, 5]) {
      const { rounds, precise } = await measure({ noise: 0 }, plan(most));
      expect([rounds, precise]).toEqual([most, false]);
    }
    const enough = await measure({ noise: 0 }, plan(25));
    expect([enough.rounds, enough.precise]).toEqual([6, true]);
  });

  it('leave the interval fair: it holds the true ratio in about 95 of 100 measurements that end when they will', async () => {
    let [held, ended] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const { interval, rounds } = await measure({ ratio: 1.3, noise: 0.04, seed });
      if (interval.low <= 1.3 && 1.3 <= interval.high) held++;
      if (rounds < PLAN.most) ended++;
    }
    expect(held).toBeGreaterThan(53);
    expect(ended).toBeGreaterThan(40);
  });
});
