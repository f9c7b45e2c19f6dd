import fc from 'fast-check';
import { automaticGamma } from '../../../decoding/gamma/automatic';
import { Curve } from '../../../decoding/gamma/curve';
import { type TimedRound, WASTE, WayCosts } from '../../../decoding/gamma/learnt';
import { bestGamma, judgedTokens } from '../../../decoding/gamma/theory';

/** A round of one sequence that proposes `steps` tokens and keeps `tokens` − 1 of them. */
function roundOf(steps: number, targetMs: number, given: Partial<TimedRound> = {}): TimedRound {
  const counted = { streams: 1, rows: 1 + steps, steps, tokens: 1 };
  return { ...counted, draftMs: steps, targetMs, openingMs: 0, opened: 0, caughtUp: false, ...given };
}

function learn(costs: WayCosts, count: number, round: TimedRound): void {
  for (let i = 0; i < count; i++) costs.learn(round);
}

describe('of equal predictions', () => {
  it('the smallest γ is the best one, and none where no γ gains', () => {
    expect(bestGamma(1, { c: 0, v: (rows) => rows })).toBe(0);
    expect(bestGamma(1, { c: 0, v: (rows) => rows / 2 })).toBe(1);
  });

  it('γ by learnt costs is the smallest one', () => {
    const costs = new WayCosts();
    for (let i = 0; i < 200; i++) costs.judge(4, 4);
    Object.defineProperty(costs, 'alpha', { value: 1 });
    costs.wantsPlain = () => false;
    costs.cost = (_, gamma) => (gamma + 1) / 2; // of γ + 1 tokens
    expect(automaticGamma(costs, 16).next()).toBe(1);
  });
});

describe('the ledger of costs', () => {
  it('counts a token that was not kept as judged, once a round', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), (kept, more) => {
        expect(judgedTokens(kept + more, kept)).toBe(more > 0 ? kept + 1 : kept);
      }),
    );
    const costs = new WayCosts();
    for (let i = 0; i < 400; i++) costs.judge(4, 4);
    expect(costs.alpha).toBeGreaterThan(0.99);
  });

  it('shares the time of opening drafts among those that were opened', () => {
    const costs = new WayCosts();
    learn(costs, 4, roundOf(0, 2));
    costs.learn(roundOf(1, 2, { openingMs: 12, opened: 3 }));
    expect(costs.opening(1)).toBeCloseTo(2, 12);
  });

  it('wants plain decoding timed again after 4 rounds that proposed and one for each four rounds, after 64 at most', () => {
    const due = (before: number) => {
      const costs = new WayCosts();
      learn(costs, before, roundOf(0, 2));
      let count = 0;
      for (; !costs.wantsPlain(1); count++) costs.learn(roundOf(1, 2, { tokens: 2 }));
      return count;
    };
    for (const before of [4, 8, 20, 40, 400, 4000]) {
      const wanted = Math.ceil((4 + before / 4) / 0.75); // the rounds that are counted count as well
      expect([before, due(before)]).toEqual([before, Math.min(64, wanted)]);
    }
  });

  it('is out of debt after as many plain rounds on a slow machine as on a fast one', () => {
    const rounds = (plain: number) => {
      const costs = new WayCosts();
      learn(costs, 4, roundOf(0, plain));
      while (!costs.inDebt) costs.learn(roundOf(1, plain * 4, { draftMs: plain }));
      learn(costs, 1, roundOf(1, plain * 40, { draftMs: plain })); // the most that is owed
      let count = 0;
      for (; costs.inDebt && count < 1000; count++) costs.learn(roundOf(0, plain));
      return count;
    };
    expect(rounds(1)).toBeGreaterThan(0.9 / WASTE);
    for (const plain of [0.125, 16, 512]) expect([plain, rounds(plain)]).toEqual([plain, rounds(1)]);
  });
});

describe('times by rows', () => {
  it('are the same in whatever order they were measured', () => {
    const times = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(times, fc.infiniteStream(fc.double({ min: 0.1, max: 9, noNaN: true })), (rows, random) => {
        const points = rows.map((at): [number, number] => [at, random.next().value as number]);
        const curveOf = (order: readonly [number, number][]) => {
          const curve = new Curve();
          for (const [at, time] of order) for (let i = 0; i < 5; i++) curve.add(at, time);
          return Array.from({ length: 45 }, (_, i) => curve.at(i + 1));
        };
        const sorted = points.toSorted(([a], [b]) => a - b);
        expect(curveOf(points)).toEqual(curveOf(sorted));
        expect(curveOf(sorted.toReversed())).toEqual(curveOf(sorted));
      }),
    );
  });
});
