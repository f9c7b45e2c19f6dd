import fc from 'fast-check';
import { addTallies, measuredSpeedup, metricsOf, type Tally } from '../../decoding';
import { expectedTokens } from '../../decoding/gamma/theory';

const count = fc.integer({ min: 1, max: 500 });
const seconds = fc.double({ min: 0.001, max: 50, noNaN: true });
const tally: fc.Arbitrary<Tally> = fc.record({
  newTokens: count,
  rounds: count,
  targetCalls: count,
  draftCalls: count,
  proposed: count,
  accepted: count,
  proposedDepth: count,
  acceptanceSum: seconds,
  acceptancePositions: count,
  seconds,
  targetSeconds: seconds,
  draftSeconds: seconds,
});

const NAMES = Object.keys(fc.sample(tally, 1)[0]) as (keyof Tally)[];

describe('tallies', () => {
  it('add up name by name, in any grouping; nothing adds up to zeros', () => {
    fc.assert(
      fc.property(fc.array(tally, { minLength: 1, maxLength: 5 }), (tallies) => {
        const total = addTallies(tallies);
        const grouped = addTallies([addTallies(tallies.slice(0, 2)), ...tallies.slice(2)]);
        for (const name of NAMES) {
          expect(total[name]).toBeCloseTo(
            tallies.reduce((sum, one) => sum + one[name], 0),
            9,
          );
          expect(grouped[name]).toBeCloseTo(total[name], 9);
        }
      }),
    );
    expect(addTallies([])).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])));
  });

  it('the tally of metrics is the tally that they were made of', () => {
    fc.assert(fc.property(tally, (one) => expect(addTallies([metricsOf(one)])).toEqual(one)));
  });
});

describe('metrics', () => {
  it('are the ratios that their names say', () => {
    fc.assert(
      fc.property(tally, tally, fc.integer({ min: 1, max: 8 }), (one, plain, gamma) => {
        const found = metricsOf(one, { gamma, plain });
        const step = plain.targetSeconds / plain.targetCalls;
        const [alpha, c, v] = [
          one.acceptanceSum / one.acceptancePositions,
          one.draftSeconds / one.draftCalls / step,
          one.targetSeconds / one.targetCalls / step,
        ];
        const expected = {
          acceptanceRate: alpha,
          costRatio: c,
          verifyRatio: v,
          acceptedShare: one.accepted / one.proposed,
          meanAcceptedLength: one.accepted / one.rounds,
          tokensPerTargetCall: one.newTokens / one.targetCalls,
          predictedTokensPerRound: expectedTokens(alpha, gamma),
          predictedSpeedup: expectedTokens(alpha, gamma) / (gamma * c + v),
        };
        for (const [name, value] of Object.entries(expected)) {
          const relative = (found[name as keyof typeof expected] as number) / value;
          expect({ name, relative: Math.abs(relative - 1) < 1e-12 }).toEqual({ name, relative: true });
        }
      }),
    );
  });

  it('take the mean depth of proposals for γ where it changes', () => {
    fc.assert(fc.property(tally, (one) => expect(metricsOf(one).gamma).toBe(one.proposedDepth / one.rounds)));
  });

  it('have no c, v or prediction without a plain run, or without a draft', () => {
    const [one, plain] = fc.sample(tally, { seed: 4, numRuns: 2 });
    const none = { costRatio: null, verifyRatio: null, predictedSpeedup: null };
    expect(metricsOf(one)).toMatchObject(none);
    expect(metricsOf({ ...one, draftCalls: 0 }, { plain })).toMatchObject(none);
    expect(metricsOf(one, { plain: { ...plain, targetCalls: 0 } })).toMatchObject(none);
  });

  it('of nothing are zeros, not NaN', () => {
    for (const value of Object.values(metricsOf(addTallies([])))) expect(value).not.toBeNaN();
  });

  it('the measured speed-up is plain seconds a token / speculative seconds a token', () => {
    const [one, plain] = fc.sample(tally, { seed: 5, numRuns: 2 });
    const fast = { ...one, newTokens: 10, seconds: 2 };
    expect(measuredSpeedup(fast, { ...plain, newTokens: 10, seconds: 5 })).toBe(2.5);
    expect(measuredSpeedup(fast, { ...plain, newTokens: 20, seconds: 5 })).toBe(1.25);
  });
});
