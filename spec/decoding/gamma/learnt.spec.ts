import fc from 'fast-check';
import { type KeptWay, type TimedRound, WayCosts } from '../../../decoding/gamma/learnt';
import { COST_WAYS, type KeptCosts, PairCosts } from '../../../decoding/gamma/pair-costs';
import { PlainLedger } from '../../support/plain-ledger';

/** Times in milliseconds that are no round numbers, so that no limit is met exactly by accident. */
const between = (least: number, most: number) =>
  fc.integer({ min: 0, max: 999_983 }).map((part) => least + ((most - least) * (part + Math.SQRT1_2)) / 999_984.5);

/** A machine and a draft: milliseconds of a call of one row, then shares of it; and how many proposed tokens are kept. */
interface World {
  readonly row: number;
  readonly slope: number;
  readonly step: number;
  readonly opening: number;
  readonly alpha: number;
}

/** Rounds of one kind in a row. */
interface Stretch {
  readonly gamma: number;
  readonly streams: number;
  readonly count: number;
  readonly opens: boolean;
  readonly missed: boolean;
  /** Of the target's and the draft's times of its rounds, one after another, and of a slow moment. */
  readonly factors: readonly (readonly [target: number, draft: number, slow: number])[];
  /** At what loss a try is asked for, beyond the credit. */
  readonly beyond: number;
}

const history: fc.Arbitrary<readonly [World, readonly Stretch[]]> = fc.tuple(
  fc.record({
    row: between(2, 40),
    slope: between(0, 0.6),
    step: between(0.05, 1.6),
    opening: between(0, 4),
    alpha: fc.constantFrom(0, 0.3, 0.7, 0.9, 1),
  }),
  fc.array(
    fc.record({
      gamma: fc.constantFrom(0, 0, 1, 1, 2, 4),
      streams: fc.constantFrom(1, 1, 1, 2, 9),
      count: fc.constantFrom(1, 1, 2, 3, 7, 12, 30, 80),
      opens: fc.boolean(),
      missed: fc.boolean(),
      factors: fc.array(fc.tuple(between(0.9, 1.2), between(0.3, 1.4), between(0.5, 5)), {
        minLength: 1,
        maxLength: 5,
      }),
      beyond: fc.constantFrom(-2, -1e-6, -1e-6, 1e-6, 0.5),
    }),
    { minLength: 4, maxLength: 14 },
  ),
);

/** Calls `each` with every round of a history, and what was kept of each proposal. */
function play(
  [world, stretches]: readonly [World, readonly Stretch[]],
  each: (round: TimedRound, kept: number, stretch: Stretch) => void,
): void {
  let made = 0;
  for (const stretch of stretches) {
    const { gamma, streams, opens, missed, factors } = stretch;
    for (let i = 0; i < stretch.count; i++, made++) {
      const [target, draft, slow] = factors[i % factors.length];
      const kept = Math.min(gamma, Math.floor(((made * 7) % 10) / 10 + world.alpha * gamma));
      const rows = streams * (1 + gamma);
      const opened = opens && i % 4 === 0 ? streams : 0;
      const counted = { streams, rows, steps: gamma, tokens: streams * (1 + kept), opened };
      const times = {
        targetMs: world.row * (1 + world.slope * (rows - 1)) * target * (made % 13 === 5 ? slow : 1),
        draftMs: gamma * world.step * world.row * draft * (made % 11 === 3 ? slow : 1),
        openingMs: opened * world.opening * world.row * draft,
      };
      each({ ...counted, ...times, caughtUp: missed && i === 0 && gamma > 0 }, kept, stretch);
    }
  }
}

/** The same, with numbers that may differ in their last digits. */
function nearly(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 8);
  if (Array.isArray(value)) return value.map(nearly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, nearly(part)]));
}

/** All that a ledger says. */
const said = (costs: WayCosts | PlainLedger, streams: number) => ({
  ...{ rounds: costs.rounds, inDebt: costs.inDebt, pace: costs.pace, alpha: costs.alpha },
  wantsPlain: [1, 2, 3, 9].map((count) => costs.wantsPlain(count)),
  costs: [0, 1, 2, 5].map((gamma) => costs.cost(streams, gamma)),
  openings: [1, streams].map((count) => costs.opening(count)),
});

describe('costs that are learnt, beside a plain statement of their rules,', () => {
  /** Runs both over a history. @returns the costs, and how many tries were allowed and refused */
  function both(rounds: readonly [World, readonly Stretch[]], kept?: KeptWay) {
    const [costs, plain] = [new WayCosts(kept), new PlainLedger(kept)];
    const tries = { allowed: 0, refused: 0 };
    expect(said(costs, 1)).toEqual(nearly(said(plain, 1)));
    play(rounds, (round, count, { beyond }) => {
      const loss = plain.credit + beyond;
      const isAllowed = plain.mayTry(loss);
      expect(costs.mayTry(loss)).toBe(isAllowed);
      tries[isAllowed ? 'allowed' : 'refused']++;
      for (const one of [costs, plain]) {
        one.judge(round.steps, count);
        one.learn(round);
      }
      expect(said(costs, round.streams)).toEqual(nearly(said(plain, round.streams)));
    });
    expect(costs.keep()).toEqual(nearly(plain.keep()));
    return { costs, tries };
  }

  it('say the same after every round of a program that begins, and allow the same tries', () => {
    const seen = { allowed: 0, refused: 0 };
    fc.assert(
      fc.property(history, (rounds) => {
        const { tries } = both(rounds);
        seen.allowed += tries.allowed;
        seen.refused += tries.refused;
      }),
      { numRuns: 60 },
    );
    expect(Math.min(seen.allowed, seen.refused)).toBeGreaterThan(40);
  });

  it('say the same after every round of a program that goes on from what an earlier one kept', () => {
    let taken = 0;
    fc.assert(
      fc.property(history, history, between(0.2, 4), (earlier, [world, stretches], speed) => {
        const kept = both(earlier).costs.keep();
        if (kept === null) return;
        taken++;
        both([{ ...world, row: world.row * speed }, stretches], kept);
      }),
      { numRuns: 40 },
    );
    expect(taken).toBeGreaterThan(5);
  });
});

/** Kept costs of a target whose calls all take the same, and of a draft with these steps. */
const keptWith = (step: number, given: Partial<KeptWay> = {}): KeptWay => ({
  ...{ draft: [[1, step]], further: [], opening: 0, alpha: 0.5 },
  target: [
    [1, 1],
    [9, 1],
  ],
  ...given,
});

/** A round of one sequence that proposes `steps` tokens and keeps none. */
function round(steps: number, draftMs: number, given: Partial<TimedRound> = {}): TimedRound {
  const counted = { streams: 1, rows: 1 + steps, steps, tokens: 1, opened: 0, caughtUp: false };
  return { ...counted, draftMs, targetMs: 1, openingMs: 0, ...given };
}

function learn(costs: WayCosts, count: number, one: TimedRound): WayCosts {
  for (let i = 0; i < count; i++) costs.learn(one);
  return costs;
}

/** Plain rounds until a draft that loses nothing may be tried. */
function untilTry(costs: WayCosts): number {
  for (let count = 0; count < 1000; count++, costs.learn(round(0, 0))) if (costs.mayTry(0)) return count;
  return Number.POSITIVE_INFINITY;
}

describe('at the limits of the ledger', () => {
  it('a draft may be tried at a loss of all that may be lost, not at more; then nothing is left, which is no debt', () => {
    for (const [more, isAllowed] of [
      [0, true],
      [1e-9, false],
    ] as const) {
      const costs = learn(new WayCosts(keptWith(4)), 1, round(0, 0));
      expect(costs.mayTry(4 + more)).toBe(isAllowed);
    }
    const costs = learn(new WayCosts(keptWith(4)), 1, round(1, 4)); // five plain rounds for one token
    expect([costs.inDebt, costs.mayTry(1e-9)]).toEqual([false, false]);
    expect(learn(new WayCosts(keptWith(4)), 1, round(1, 4.001)).inDebt).toBe(true);
  });

  it('a try takes three rounds, whatever they are', () => {
    for (const steps of [0, 1]) {
      const costs = learn(new WayCosts(keptWith(0)), 1, round(0, 0));
      const allowed = [];
      for (let i = 0; i < 4; i++, costs.learn(round(steps, 0))) allowed.push(costs.mayTry(0));
      const isNext = steps === 0; // it has waited for a round without a proposal
      expect(allowed).toEqual([true, true, true, isNext]);
    }
  });

  it.each([0.25, 0.5, 1, 2])('after a loss of %d plain rounds the next try comes after 100 times as many', (lost) => {
    const costs = learn(new WayCosts(keptWith(lost)), 1, round(1, lost));
    expect(untilTry(costs)).toBe(100 * lost);
  });

  it('what proposals gained, to 16 plain rounds, pays for tries without such a wait', () => {
    const gained = () => learn(new WayCosts(keptWith(0)), 40, round(1, 0, { tokens: 2 }));
    expect([16, 16.001].map((loss) => learn(gained(), 1, round(0, 0)).mayTry(loss))).toEqual([true, false]);
    expect(untilTry(learn(gained(), 1, round(1, 0.5)))).toBe(1);
    const few = learn(new WayCosts(keptWith(0.5)), 1, round(1, 0.5)); // what was paid in alone
    expect(untilTry(few)).toBe(50);
  });

  it('a try waits for one plain round, and for twice as many after each proposal that was not kept whole, to 384', () => {
    for (let missed = 0; missed < 12; missed++) {
      const costs = new WayCosts(keptWith(0));
      for (let i = 0; i < missed; i++) costs.judge(2, i % 2);
      expect([missed, untilTry(costs)]).toEqual([missed, Math.min(384, 2 ** missed)]);
      costs.judge(2, 2);
      expect(untilTry(learn(costs, 3, round(0, 0)))).toBe(0);
    }
  });

  it('a draft that is as slow as its target in one round of the beginning is no slow moment; one that is slower is', () => {
    for (const [draftMs, isAllowed] of [
      [1, false],
      [1.001, true],
    ] as const) {
      const costs = learn(new WayCosts(), 3, round(0, 0));
      learn(learn(costs, 1, round(1, draftMs)), 1, round(0, 0));
      expect([draftMs, costs.mayTry(1000)]).toEqual([draftMs, isAllowed]);
    }
  });

  it('what is worth keeping takes two numbers of rows, and a clock that saw time pass', () => {
    const known = (targetMs: number, rows: readonly number[]) => {
      const costs = new WayCosts();
      for (const count of rows) learn(costs, 4, round(0, 0, { rows: count, streams: count, tokens: count, targetMs }));
      return costs.keep();
    };
    expect([new WayCosts().keep(), known(2, [1]), known(0, [1, 2])]).toEqual([null, null, null]);
    const target = [
      [1, 1],
      [2, 1],
    ];
    expect(known(2, [1, 2])).toEqual({ target, draft: [], further: [], opening: 0, alpha: 0.6 });
  });
});

describe('the costs of a pair', () => {
  const ways = COST_WAYS.map((way, i) => [way, keptWith(0.25 * (i + 1))] as const);

  it('are taken up and kept by each way of its own', () => {
    expect(COST_WAYS).toEqual(['greedy', 'coupled', 'sampled']);
    const kept: KeptCosts = Object.fromEntries(ways);
    expect(new PairCosts(kept).keep()).toEqual(kept);
    for (const [way, its] of ways) {
      const one = new PairCosts({ [way]: its });
      expect(one.keep()).toEqual({ [way]: its });
      expect(one[way].cost(1, 1)).toBe(1 + its.draft[0][1]);
    }
    expect(new PairCosts().keep()).toEqual({});
  });

  it('have seen the rounds of all ways together', () => {
    const costs = new PairCosts();
    for (const [i, way] of COST_WAYS.entries()) learn(costs[way], 10 ** i, round(0, 0));
    expect(costs.rounds).toBe(111);
  });
});
