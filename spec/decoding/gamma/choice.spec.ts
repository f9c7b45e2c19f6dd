import fc from 'fast-check';
import type { RoundState } from '../../../decoding/gamma/adaptive';
import { automaticGamma } from '../../../decoding/gamma/automatic';
import { WayCosts } from '../../../decoding/gamma/learnt';

/** Costs that are what a law says. `asked` are the γ whose cost was asked for, `losses` those of tries. */
function stated(given: { alpha: number; cost: (streams: number, gamma: number) => number; opening: number }) {
  const [asked, losses, judged] = [[] as number[], [] as number[], [] as [number, number][]];
  const now = { wantsPlain: false, inDebt: false, pace: 1, mayTry: false };
  const costs = Object.assign(Object.create(WayCosts.prototype) as WayCosts, {
    cost: (streams: number, gamma: number) => {
      asked.push(gamma);
      return given.cost(streams, gamma);
    },
    opening: (streams: number) => given.opening / streams,
    wantsPlain: () => now.wantsPlain,
    judge: (proposed: number, kept: number) => judged.push([proposed, kept]),
    mayTry: (loss: number) => {
      losses.push(loss);
      return now.mayTry;
    },
  });
  for (const name of ['inDebt', 'pace'] as const) Object.defineProperty(costs, name, { get: () => now[name] });
  Object.defineProperty(costs, 'alpha', { value: given.alpha });
  return { costs, now, asked, losses, judged };
}

/** Σ αⁱ for i = 0 … γ. */
const tokensOf = (alpha: number, gamma: number) =>
  Array.from({ length: gamma + 1 }, (_, i) => alpha ** i).reduce((sum, one) => sum + one, 0);

const between = (least: number, most: number) => fc.double({ min: least, max: most, noNaN: true });

/** A round: what is known when it begins, and how many tokens are kept at most. */
const rounds = fc.array(
  fc.record({
    most: fc.nat(9),
    streams: fc.constantFrom(1, 1, 3),
    isOpen: fc.boolean(),
    left: fc.constantFrom(1, 4, 30, Number.POSITIVE_INFINITY),
    wantsPlain: fc.constantFrom(false, false, false, true),
    inDebt: fc.constantFrom(false, false, false, true),
    mayTry: fc.boolean(),
  }),
  { minLength: 20, maxLength: 50 },
);

const worlds = fc.record({
  alpha: fc.integer({ min: 0, max: 1000 }).map((part) => part / 1000),
  step: fc.oneof(between(0.01, 0.1), between(0.01, 1)),
  opening: between(0, 6),
  largest: fc.integer({ min: 0, max: 12 }),
});

describe('γ by learnt costs, beside a plain statement of the choice,', () => {
  it('is the one with the largest speed where that gains 5 % and opens the draft in time, and one of a try elsewhere', () => {
    const seen = { best: 0, tries: 0, none: 0 };
    fc.assert(
      fc.property(worlds, rounds, ({ alpha: before, step, opening, largest }, all) => {
        const costOf = (streams: number, gamma: number) => 1 + (step + 0.02 * streams) * gamma;
        const { costs, now, losses } = stated({ alpha: before, cost: costOf, opening });
        const chooser = automaticGamma(costs, largest);
        const judged = [{ judged: 16, kept: 16 * before }]; // what other sequences showed
        const sum = (what: 'judged' | 'kept') =>
          judged.reduce((total, one, i) => total + one[what] * 0.97 ** (judged.length - 1 - i), 0);
        for (const [i, { most, streams, isOpen, left, ...facts }] of all.entries()) {
          Object.assign(now, facts);
          losses.length = 0;
          const alpha = Math.min(1, sum('kept') / sum('judged'));
          const speeds = Array.from({ length: largest }, (_, at) => tokensOf(alpha, at + 1) / costOf(streams, at + 1));
          const speed = Math.max(0, ...speeds);
          const toOpen = isOpen ? 0 : opening / streams;
          const saved = left * (1 - 1 / speed); // in plain rounds
          const gamma = chooser.next({ streams, isOpen, left });
          if (largest === 0 || facts.wantsPlain || facts.inDebt) expect([gamma, losses]).toEqual([0, []]);
          else if (Math.abs(speed - 1.05) > 1e-9 && !(Math.abs(saved - toOpen) < 1e-9)) {
            if (speed > 1.05 && saved > toOpen) {
              seen.best++;
              const more = i % 16 === 15 ? 2 : 0; // one round of sixteen times larger calls
              const near = speeds.flatMap((one, at) => (one > speed - 1e-9 ? [Math.min(at + 1 + more, largest)] : []));
              expect(near).toContain(gamma);
              expect(losses).toEqual([]);
            } else {
              expect(losses).toEqual([expect.closeTo(costOf(streams, 1) - tokensOf(alpha, 1) + toOpen, 9)]);
              const tried = Math.max(1, Math.min(4, largest, Math.floor(alpha / (1 - alpha))));
              expect(gamma).toBe(facts.mayTry ? tried : 0);
              seen[facts.mayTry ? 'tries' : 'none']++;
            }
          }
          const kept = Math.min(gamma, most);
          chooser.finished(gamma, kept);
          if (gamma > 0) judged.push({ judged: Math.min(kept + 1, gamma), kept });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('looks at no γ beyond the one from which on even all tokens kept would not gain more', () => {
    fc.assert(
      fc.property(worlds, ({ alpha, step, opening }) => {
        const costOf = (_: number, gamma: number) => 1 + step * gamma;
        const { costs, asked } = stated({ alpha, cost: costOf, opening });
        automaticGamma(costs, 40).next();
        const expected: number[] = [];
        let best = 1.05;
        for (let gamma = 1; gamma <= 40; gamma++) {
          expected.push(gamma);
          const most = alpha < 1 ? 1 / (1 - alpha) : Number.POSITIVE_INFINITY;
          if (Math.abs(most / costOf(1, gamma) - best) < 1e-9) return;
          if (most / costOf(1, gamma) < best) break;
          best = Math.max(best, tokensOf(alpha, gamma) / costOf(1, gamma));
        }
        if (best === 1.05) expected.push(1); // of a try
        expect(asked).toEqual(expected);
      }),
    );
  });

  it.each([1, 0])('a gain of exactly 5 %% is worth it, at α = %d', (alpha) => {
    const tokens = alpha + 1; // of γ = 1
    const cost = (_: number, gamma: number) => (gamma === 1 ? tokens / 1.05 : 1000);
    expect(tokens / cost(1, 1)).toBe(1.05);
    expect(automaticGamma(stated({ alpha, cost, opening: 0 }).costs, 4).next()).toBe(1);
    const dearer = (_: number, gamma: number) => cost(1, gamma) * 1.000001;
    expect(automaticGamma(stated({ alpha, cost: dearer, opening: 0 }).costs, 4).next()).toBe(0);
  });

  it('a draft that saves no more than it takes to open is not opened', () => {
    const { costs } = stated({ alpha: 1, cost: () => 1, opening: 4 }); // γ = 1 makes two tokens in a plain round
    const first = (state: RoundState) => automaticGamma(costs, 1).next({ isOpen: false, ...state });
    expect([8, 8.001].map((left) => first({ left }))).toEqual([0, 1]);
    expect(first({})).toBe(1);
  });

  it('nothing stated of a round: one sequence, a draft that is open, and no limit', () => {
    const { costs } = stated({ alpha: 0.8, cost: (streams, gamma) => streams + 0.1 * gamma, opening: 1e6 });
    const open = { streams: 1, isOpen: true, left: Number.POSITIVE_INFINITY };
    const best = automaticGamma(costs, 16).next(open);
    expect(best).toBeGreaterThan(2);
    const ask = (state?: RoundState) => automaticGamma(costs, 16).next(state);
    expect([ask(), ask({}), ask({ left: 9 }), ask({ left: 9, isOpen: false })]).toEqual([best, best, best, 0]);
  });

  it('where nothing has been proposed for long is thought over as often as a round is timed; elsewhere each time', () => {
    const { costs, now, losses } = stated({ alpha: 0, cost: () => 9, opening: 0 });
    const chooser = automaticGamma(costs, 4);
    const thought = () =>
      Array.from({ length: 24 }, () => {
        losses.length = 0;
        expect(chooser.next()).toBe(0);
        chooser.finished(0, 0);
        return losses.length;
      });
    expect(thought()).toEqual(Array.from({ length: 24 }, () => 1));
    for (const pace of [8, 4]) {
      now.pace = pace;
      expect(thought()).toEqual(Array.from({ length: 24 }, (_, i) => (i % pace === 0 ? 1 : 0)));
    }
    now.pace = 32;
    expect(thought()).toEqual([1, ...Array.from({ length: 23 }, () => 0)]);
    now.pace = 1; // another sequence has proposed
    expect(thought()).toEqual(Array.from({ length: 24 }, () => 1));
  });

  /** What a chooser says of one more token after one of this confidence; the target accepts half of them. */
  function goesOn(costs: WayCosts, largest: number): boolean | undefined {
    Object.defineProperty(costs, 'confidence', { value: { share: () => 0.5 } });
    const chooser = automaticGamma(costs, largest);
    expect(chooser.next()).toBe(1);
    return chooser.stopping?.goesOn(0.9, 1);
  }

  it('a token that brings no more than its time at the speed of the best γ is not proposed', () => {
    // γ = 1 makes two tokens in the time of a plain round. Three steps more take 0.75 of it: one takes a quarter, in which γ = 1 makes
    // half a token.
    const within = (far: number) => stated({ alpha: 1, cost: (_, gamma) => (gamma < 4 ? 1 : far), opening: 0 }).costs;
    expect(goesOn(within(1.75), 1)).toBe(false);
    expect(goesOn(within(1.74), 1)).toBe(true);
    expect(goesOn(within(1.76), 1)).toBe(false);
  });

  it('a try ends after its one token, however sure the draft is', () => {
    const { costs, now } = stated({ alpha: 0.1, cost: (_, gamma) => 1 + gamma, opening: 0 });
    now.mayTry = true;
    expect(goesOn(costs, 8)).toBe(false);
  });

  it('tells its costs how each round ended, and that a draft catches up after rounds without a proposal', () => {
    const { costs, judged } = stated({ alpha: 0.5, cost: () => 1, opening: 0 });
    const chooser = automaticGamma(costs, 4);
    expect(chooser.isCatchingUp).toBe(false);
    const ended = [0, 0, 2, 1, 0, 3].map((proposed): [number, number] => [proposed, Math.floor(proposed / 2)]);
    const catching = ended.map(([proposed, kept]) => {
      chooser.next();
      chooser.finished(proposed, kept);
      return chooser.isCatchingUp;
    });
    expect(catching).toEqual([false, true, true, false, false, true]);
    expect(judged).toEqual(ended);
    expect([chooser.costs, chooser.fixed]).toEqual([costs, null]);
  });
});
