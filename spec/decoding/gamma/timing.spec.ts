import fc from 'fast-check';
import { Failure } from '../../../decoding/failure';
import { type TimedRound, WayCosts } from '../../../decoding/gamma/learnt';
import { RoundTimer } from '../../../decoding/gamma/timing';
import { type Proposal, ROOT } from '../../../decoding/proposal';
import type { Run } from '../../../decoding/run';
import type { Acceptance } from '../../../decoding/verification/accept';

/** Costs that know a call of one row and say what they are told. */
function listening() {
  const costs = new WayCosts();
  const told: TimedRound[] = [];
  const learn = costs.learn.bind(costs);
  costs.learn = (round) => {
    told.push(round);
    learn(round);
  };
  return { costs, told };
}

const ONE_TOKEN = { tokens: [{}], stopReason: null } as unknown as Acceptance;

/** A round of runs that propose nothing. */
function finish(
  costs: (WayCosts | undefined)[],
  { openingMs = null as number | null, outcome = ONE_TOKEN as Acceptance | Failure } = {},
): void {
  const runs = costs.map((one) => ({ gamma: { costs: one }, openingMs })) as unknown as Run[];
  const timer = new RoundTimer(runs);
  timer.proposed();
  const proposals: Proposal[] = runs.map(() => []);
  timer.finished(
    proposals,
    runs.map(() => outcome),
  );
}

describe('a round', () => {
  it('without a proposal is timed eight times, then once in eight, and counts each time', () => {
    const { costs, told } = listening();
    for (let i = 0; i < 72; i++) finish([costs]);
    expect([told.length, costs.rounds]).toEqual([16, 72]);
    for (const one of told) expect(one).toMatchObject({ streams: 1, rows: 1, steps: 0, tokens: 1, opened: 0 });
  });

  it('that failed, or opened a draft, is none of them', () => {
    const { costs, told } = listening();
    for (let i = 0; i < 12; i++) finish([costs]);
    const before = [told.length, costs.rounds];
    finish([costs], { outcome: new Failure(new Error('x')) });
    expect([told.length, costs.rounds]).toEqual(before);
    finish([costs], { openingMs: 3 });
    expect(told.at(-1)).toMatchObject({ openingMs: 3, opened: 1 });
    expect(costs.rounds).toBe(before[1] + 1);
  });

  it('of several runs is told whole, and to the costs of each way of turning logits into tokens', () => {
    const { costs, told } = listening();
    for (let i = 0; i < 12; i++) finish([costs, costs]);
    expect(told).toHaveLength(12);
    expect(told[11]).toMatchObject({ streams: 2, rows: 2, tokens: 2 });
    const other = listening();
    for (let i = 0; i < 5; i++) finish([costs, other.costs, costs]);
    expect([told.length, other.told.length, costs.rounds, other.costs.rounds]).toEqual([17, 5, 17, 5]);
    expect(other.told[4]).toMatchObject({ streams: 3, rows: 3, tokens: 3 });
    expect(other.told[4]).toEqual(told[16]);
    expect(other.costs.wantsPlain(3)).toBe(false);
  });

  it('in which γ of a run follows no clock tells nothing', () => {
    const { costs, told } = listening();
    finish([costs, undefined]);
    finish([undefined, costs]);
    finish([undefined]);
    expect([told.length, costs.rounds]).toEqual([0, 0]);
  });

  it('caught up where a draft that proposed also had to read what it missed', () => {
    const { costs, told } = listening();
    const one = [{ parent: ROOT, draw: {} }] as unknown as Proposal;
    const cases: [Proposal, boolean][] = [
      [one, true],
      [one, false],
      [[], true],
    ];
    for (const [proposal, isCatchingUp] of cases) {
      const timer = new RoundTimer([{ gamma: { costs, isCatchingUp }, openingMs: null } as unknown as Run]);
      timer.proposed();
      timer.finished([proposal], [ONE_TOKEN]);
    }
    expect(told.map(({ steps, caughtUp }) => [steps, caughtUp])).toEqual([
      [1, true],
      [1, false],
      [0, false],
    ]);
  });

  it('that tells nothing keeps no time of opening a draft for a later one', () => {
    const { costs, told } = listening();
    const runs = [undefined, costs].map((one) => ({
      gamma: { costs: one },
      openingMs: one ? 3 : null,
    })) as unknown as Run[];
    for (const some of [runs, runs.slice(1)]) {
      const timer = new RoundTimer(some);
      timer.proposed();
      timer.finished(
        some.map(() => []),
        some.map(() => ONE_TOKEN),
      );
    }
    expect(told).toEqual([expect.objectContaining({ streams: 1, opened: 0, openingMs: 0 })]);
  });

  it('of two runs is told in a long stretch of rounds of one', () => {
    const { costs, told } = listening();
    for (let i = 0; i < 12; i++) finish([costs]);
    finish([costs, costs]);
    expect(told.at(-1)).toMatchObject({ streams: 2, rows: 2 });
  });

  it('with a proposal is told in a long stretch of rounds without', () => {
    const { costs, told } = listening();
    for (let i = 0; i < 12; i++) finish([costs]);
    const timer = new RoundTimer([{ gamma: { costs }, openingMs: null } as unknown as Run]);
    timer.proposed();
    timer.finished([[{ parent: ROOT, draw: {} }] as unknown as Proposal], [ONE_TOKEN]);
    expect(told.at(-1)).toMatchObject({ streams: 1, rows: 2, steps: 1 });
  });
});

describe('what a round is told to be', () => {
  /** Milliseconds that a clock shows, one after another. */
  function withClock<Result>(times: readonly number[], work: () => Result): Result {
    const left = [...times];
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => left.shift() ?? Number.NaN);
    try {
      return work();
    } finally {
      clock.mockRestore();
    }
  }

  /** Parents of a proposal's tokens: each an earlier one, or none. */
  const parents = fc
    .array(fc.nat(4), { maxLength: 5 })
    .map((back) => back.map((one, i) => Math.max(ROOT, i - 1 - one)));
  const runs = fc.array(
    fc.record({
      parents,
      tokens: fc.integer({ min: 1, max: 6 }),
      openingMs: fc.option(fc.integer({ min: 0, max: 9 })),
      isCatchingUp: fc.constantFrom(undefined, false, true),
      fails: fc.constantFrom<'' | 'proposal' | 'outcome'>('', '', '', '', '', '', 'proposal', 'outcome'),
    }),
    { minLength: 1, maxLength: 4 },
  );

  it('is what its runs did and what the clock showed; one with a failure is not told, and no opening counts twice', () => {
    const seen = { told: 0, failed: 0 };
    fc.assert(
      fc.property(runs, fc.nat(50), fc.nat(50), (all, drafting, verifying) => {
        const { costs, told } = listening();
        const made = all.map(({ openingMs, isCatchingUp }) => ({ gamma: { costs, isCatchingUp }, openingMs }));
        const failure = new Failure(new Error('x'));
        const proposals = all.map(({ fails, parents: of }) =>
          fails === 'proposal' ? failure : of.map((parent) => ({ parent, draw: {} })),
        );
        const outcomes = all.map(({ fails, tokens }) =>
          fails === 'outcome' ? failure : { tokens: Array.from({ length: tokens }, () => ({})), stopReason: null },
        );
        withClock([1000, 1000 + drafting, 1000 + drafting + verifying], () => {
          const timer = new RoundTimer(made as unknown as Run[]);
          timer.proposed();
          timer.finished(proposals as unknown as Proposal[], outcomes as unknown as Acceptance[]);
        });
        for (const run of made) expect(run.openingMs).toBe(null);
        if (all.some(({ fails }) => fails !== '')) {
          seen.failed++;
          expect(told).toEqual([]);
          return;
        }
        seen.told++;
        const deep = (of: readonly number[], at: number): number => (at === ROOT ? 0 : 1 + deep(of, of[at]));
        const openings = all.flatMap(({ openingMs }) => openingMs ?? []);
        const openingMs = openings.reduce((sum, one) => sum + one, 0);
        expect(told).toEqual([
          {
            streams: all.length,
            rows: all.reduce((sum, one) => sum + 1 + one.parents.length, 0),
            steps: Math.max(...all.flatMap((one) => [0, ...one.parents.map((_, at) => deep(one.parents, at))])),
            tokens: all.reduce((sum, one) => sum + one.tokens, 0),
            draftMs: drafting > openingMs ? drafting - openingMs : 0,
            targetMs: verifying,
            openingMs,
            opened: openings.length,
            caughtUp: all.some((one) => one.isCatchingUp === true && one.parents.length > 0),
          },
        ]);
      }),
    );
    expect(Math.min(seen.told, seen.failed)).toBeGreaterThan(20);
  });

  it('took no draft any time where none was asked', () => {
    const { costs, told } = listening();
    withClock([10, 17], () => {
      const timer = new RoundTimer([{ gamma: { costs }, openingMs: null } as unknown as Run]);
      timer.finished([[]], [ONE_TOKEN]);
    });
    expect(told).toEqual([expect.objectContaining({ draftMs: 0, targetMs: 7 })]);
  });
});
