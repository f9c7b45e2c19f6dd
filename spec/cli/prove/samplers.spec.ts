/** What tandem prove says of samplers, from made-up findings: which it looks at, what it counts, and which failure it names. */
import fc from 'fast-check';
import type { MutantRow, ProveJob } from '../../../cli/prove/job';
import { checkMutants, checkSamplers } from '../../../cli/prove/samplers';
import * as testing from '../../../testing/index';

jest.mock('../../../testing/index', () => {
  const actual = jest.requireActual<typeof testing>('../../../testing/index');
  return { ...actual, MUTANT_FAMILIES: [], ...{ cellOutcomes: jest.fn(), coupledTexts: jest.fn() } };
});
const mocked = jest.mocked(testing);
const { DRAFTERS, KINDS, PROCESSORS, STOPS } = testing;
const { signal } = new AbortController();

/** What is to be proved, and what is heard of it. */
function jobOf(more: Partial<ProveJob> = {}) {
  const [steps, rows]: [unknown[][], MutantRow[]] = [[], []];
  const onMutant = (row: MutantRow) => void rows.push(row);
  const job = { seed: 5, cases: 3, signal, onStep: (...step: unknown[]) => void steps.push(step), onMutant, ...more };
  return { job: job as unknown as ProveJob, steps, rows };
}

/** The steps of a group, one after the other. */
const counted = (group: string, total: number) => Array.from({ length: total }, (_, i) => [group, i + 1, total]);

describe('the check of known-wrong samplers', () => {
  const measure = fc.constantFrom(0, 0.25, 0.5, 0.75, 1);
  const family = fc.record({
    ...{ limit: measure, caught: measure, shipped: measure, unit: fc.constantFrom('distance', 'calls') },
    mutants: fc.array(measure, { minLength: 1, maxLength: 3 }),
  });

  it('fails a family whose shipped code is above its limit, then one with a mutant that is not above what is caught', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(family, { maxLength: 4 }), async (families) => {
        const names = (i: number) => families[i].mutants.map((_, k) => `mutant ${i}.${k}`);
        const made = families.map(({ limit, caught, unit, shipped, mutants }, i) => ({
          ...{ check: `check ${i}`, limit, caught, unit, shipped: async () => shipped },
          mutants: mutants.map((value, k) => {
            return { name: names(i)[k], measure: async () => ({ value, example: `text ${k}` }) };
          }),
        }));
        (mocked.MUTANT_FAMILIES as unknown as object[]).splice(0, 99, ...made);
        const { job, steps, rows } = jobOf();
        expect(await checkMutants(job)).toEqual(
          families.map(({ limit, caught, unit, shipped, mutants }, i) => {
            const free = mutants.findIndex((value) => !(value > caught));
            const missed = free < 0 ? null : `not caught: ${names(i)[free]} measures ${mutants[free]} ${unit}`;
            const isRight = shipped <= limit;
            const wrong = `the shipped code measures ${shipped} ${unit}, at most ${limit} is allowed`;
            return {
              ...{ group: 'mutants', name: `check ${i}`, measured: `${mutants.length} mutants` },
              ...{ passed: isRight && missed === null, failure: isRight ? missed : wrong },
            };
          }),
        );
        const expected = families.flatMap(({ caught, unit, shipped, mutants }, i) =>
          mutants.map((measured, k) => ({
            ...{ mutant: names(i)[k], check: `check ${i}`, caught: measured > caught },
            ...{ measured, shipped, unit, example: `text ${k}` },
          })),
        );
        expect([rows, steps]).toEqual([expected, counted('mutants', expected.length)]);
      }),
    );
  });
});

describe('the check of the shipped samplers', () => {
  const kinds = Object.keys(KINDS);
  const drafters = Object.keys(DRAFTERS);
  const same = async () => ({ sampler: new Map([['1', 1]]), target: new Map([['1', 1]]) }) as never;
  beforeEach(() => {
    mocked.cellOutcomes.mockReset().mockImplementation(same);
    mocked.coupledTexts.mockReset().mockResolvedValue(['1', '1']);
  });

  it('has a check of each verification, and as many cases of each drafter as are asked for, each with its own models', async () => {
    const cells = Object.keys(PROCESSORS).flatMap((processor) => Object.keys(STOPS).map((stop) => [processor, stop]));
    for (const cases of [1, 7, 25]) {
      mocked.cellOutcomes.mockClear();
      mocked.coupledTexts.mockClear();
      const { job, steps } = jobOf({ cases });
      const checks = await checkSamplers(job);
      expect(checks.map(({ name, measured }) => [name, measured])).toEqual([
        ...kinds.map((kind) => [
          `${kind}: every path`,
          `${cases * drafters.length} cases, total variation at most 0.0e+0`,
        ]),
        ['coupled: the seed fixes the text', `${4 * cases * drafters.length} texts`],
      ]);
      for (const check of checks) expect(check).toMatchObject({ group: 'samplers', passed: true, failure: null });
      expect(steps).toEqual(counted('samplers', (kinds.length + 1) * drafters.length));
      const common = (i: number) => ({ processing: PROCESSORS[cells[i][0]], stop: STOPS[cells[i][1]] });
      expect(mocked.cellOutcomes.mock.calls.map(([cell]) => cell)).toEqual(
        kinds.flatMap((kind) =>
          drafters.flatMap((drafter) =>
            cells.slice(0, cases).map((_, i) => ({ ...common(i), kind: KINDS[kind], drafter, seed: 5000 + i })),
          ),
        ),
      );
      // Coupled verification of a chain and of a tree in turns: each case has both, with two seeds each.
      expect(mocked.coupledTexts.mock.calls.map(([cell]) => cell)).toEqual(
        drafters.flatMap((drafter) =>
          cells.slice(0, cases).flatMap((_, i) =>
            [0, 1, 2, 3].map((seed) => ({
              ...{ ...common(i), drafter, seed: 5000 + i + 50 * seed },
              kind: (i + seed) % 2 === 0 ? { gamma: 3 } : { branching: [2, 2] },
            })),
          ),
        ),
      );
    }
  });

  it('names the first text whose probability is not the target’s, up to rounding, and measures the largest distance', async () => {
    const at = (distance: number) =>
      ({ sampler: new Map([['1', 1 - distance]]), target: new Map([['1', 1]]) }) as never;
    for (const [distances, measured, fails] of [
      [[0, 1e-12], '5.0e-13', null],
      [[0.25, 0.5, 0.125], '2.5e-1', 0],
      [[0, 0.5, 1], '5.0e-1', 1],
      [[0, Number.NaN], 'NaN', 1],
    ] as const) {
      mocked.cellOutcomes.mockReset().mockImplementation(same);
      for (const distance of distances) mocked.cellOutcomes.mockResolvedValueOnce(at(distance));
      const [check, ...others] = await checkSamplers(jobOf().job);
      const cell = mocked.cellOutcomes.mock.calls[fails ?? 0][0];
      const value = fails === null ? 0 : distances[fails];
      const text = Number.isNaN(value)
        ? 'text  has 0, the target gives it 0'
        : `text 1 has ${1 - value}, the target gives it 1`;
      const name = `${Object.keys(PROCESSORS)[0]}, ends by ${Object.keys(STOPS)[fails ?? 0]}`;
      expect(check).toMatchObject({
        ...{
          passed: fails === null,
          measured: expect.stringMatching(new RegExp(`at most ${measured.replace('+', '\\+')}$`)),
        },
        failure: fails === null ? null : `drafts: ${drafters[0]}, ${name}, models ${cell.seed}: ${text}`,
      });
      for (const other of others) expect(other).toMatchObject({ passed: true, failure: null });
    }
  });

  it('names the first text of coupled verification that differs with the draft', async () => {
    mocked.coupledTexts
      .mockResolvedValueOnce(['1', '1'])
      .mockResolvedValueOnce(['2', '3'])
      .mockResolvedValueOnce(['4', '5']);
    const checks = await checkSamplers(jobOf().job);
    const name = `${Object.keys(PROCESSORS)[0]}, ends by ${Object.keys(STOPS)[0]}`;
    expect(checks.filter(({ passed }) => !passed)).toEqual([
      {
        ...{
          group: 'samplers',
          name: 'coupled: the seed fixes the text',
          passed: false,
          measured: `${12 * drafters.length} texts`,
        },
        failure: `drafts: ${drafters[0]}, ${name}, seed 5050: 2 with the draft, 3 without`,
      },
    ]);
  });
});
