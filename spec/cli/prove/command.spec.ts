/** What tandem prove asks of its groups of checks, and what it makes of their findings, which are made up here. */
import { cpus } from 'node:os';
import fc from 'fast-check';
import { VERSION } from '../../../api';
import { probeApart } from '../../../cli/doctor';
import { type Check, GROUPS, type Group, type MutantRow, type ProveJob } from '../../../cli/prove/job';
import { checkAllKernels, checkGreedy, checkStatistics } from '../../../cli/prove/models';
import { groupText, mutantTable } from '../../../cli/prove/page';
import { checkMutants, checkSamplers } from '../../../cli/prove/samplers';
import { inside } from '../inside';

jest.mock('../../../cli/doctor', () => ({ ...jest.requireActual('../../../cli/doctor'), probeApart: jest.fn() }));
jest.mock('../../../cli/prove/models');
jest.mock('../../../cli/prove/samplers');

const CHECKS: Readonly<Record<Group, (job: ProveJob) => Promise<Check[]>>> = {
  ...{ samplers: checkSamplers, mutants: checkMutants, greedy: checkGreedy },
  ...{ kernels: checkAllKernels, statistics: checkStatistics },
};
const BACKENDS = [
  { name: 'wasm', available: true, reason: 'simd' },
  { name: 'gpu', available: false, reason: 'no device' },
];
const ROW: MutantRow = {
  ...{ mutant: 'always accepts', check: 'distance', caught: true, measured: 0.5, shipped: 0 },
  ...{ unit: 'total variation', example: 'text 1' },
};
const checkOf = (group: Group, passed: boolean, i: number): Check => {
  return { group, name: `law ${i}`, passed, measured: '5 texts', failure: passed ? null : 'because' };
};

type Verdicts = Readonly<Record<Group, readonly boolean[]>>;
const PASSING = Object.fromEntries(GROUPS.map((group) => [group, [true]])) as unknown as Verdicts;

/** Runs `tandem prove` with checks that come out as is said. @returns what it gave, and which groups were asked for what */
async function proved(args: readonly string[], verdicts: Verdicts = PASSING) {
  const asked: [Group, ProveJob][] = [];
  const probe = jest.mocked(probeApart).mockReset();
  probe.mockResolvedValue(BACKENDS as never);
  for (const group of GROUPS) {
    jest.mocked(CHECKS[group]).mockImplementation(async (job) => {
      asked.push([group, job]);
      if (group === 'mutants') job.onMutant(ROW);
      job.onStep(group, 1, 1);
      return verdicts[group].map((passed, i) => checkOf(group, passed, i));
    });
  }
  const run = await inside(['prove', ...args]);
  return { ...run, asked, probes: probe.mock.calls.length };
}

const withoutTime = (text: string) => text.replace(/, \d+ s\n$/, '\n');

describe('tandem prove', () => {
  const verdicts = fc.record(
    Object.fromEntries(GROUPS.map((group) => [group, fc.array(fc.boolean(), { maxLength: 2 })])),
  ) as unknown as fc.Arbitrary<Verdicts>;

  it('runs the groups that are asked for in one order, and fails where one check does: as a page and as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...GROUPS], { minLength: 1 }), verdicts, async (only, found) => {
        const args = ['--only', [...only].reverse().join(',')];
        const checks = only.flatMap((group) => found[group].map((passed, i) => checkOf(group, passed, i)));
        const failed = checks.filter(({ passed }) => !passed).length;
        const status = failed === 0 ? 0 : 1;
        const page = await proved(args, found);
        expect(page.asked.map(([group]) => group)).toEqual(only);
        const parts = only.map((group) => {
          const own = checks.filter((check) => check.group === group);
          return groupText(group, own) + (group === 'mutants' ? mutantTable([ROW]) : '');
        });
        const verdict = failed === 0 ? `${checks.length} checks passed` : `${failed} of ${checks.length} checks FAILED`;
        expect([page.status, page.stderr, withoutTime(page.stdout)]).toEqual([
          ...[status, '', `${parts.join('')}${verdict}, seed 1\n`],
        ]);
        const data = await proved([...args, '--json'], found);
        expect([data.status, data.stderr]).toEqual([status, '']);
        expect(JSON.parse(data.stdout)).toEqual({
          ...{ version: VERSION, node: process.version, platform: `${process.platform}-${process.arch}` },
          ...{ processor: cpus()[0]?.model.trim(), seed: 1, passed: failed === 0, seconds: expect.any(Number), checks },
          mutants: only.includes('mutants') ? [ROW] : [],
        });
      }),
      { numRuns: 40 },
    );
  });

  it('checks everything from seed 1 without a word, and what is asked for where it is', async () => {
    const usual = await proved([]);
    expect(usual.asked.map(([group]) => group)).toEqual(GROUPS);
    for (const [, job] of usual.asked) expect(job).toMatchObject({ seed: 1, cases: 25, texts: 3, backends: BACKENDS });
    const typed = await proved(['--seed', '7', '--cases', '2', '--texts', '9']);
    for (const [, job] of typed.asked) expect(job).toMatchObject({ seed: 7, cases: 2, texts: 9, backends: BACKENDS });
    expect(typed.stdout).toMatch(/\n5 checks passed, seed 7, \d+ s\n$/);
  });

  it('asks the backends once, and only for the groups that compute on them', async () => {
    for (const group of GROUPS) {
      const { probes, asked } = await proved(['--only', group]);
      const isNeeded = group === 'greedy' || group === 'kernels';
      expect([group, probes, asked[0][1].backends]).toEqual([group, isNeeded ? 1 : 0, isNeeded ? BACKENDS : []]);
    }
    expect((await proved([])).probes).toBe(1);
  });

  it('--verbose tells which backends work and why, and what each group took', async () => {
    const { stderr } = await proved(['--only', 'kernels,samplers', '--verbose'], { ...PASSING, kernels: [true, true] });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.slice(1)).toEqual([
      'tandem: backend wasm works: simd',
      'tandem: backend gpu does not work: no device',
      expect.stringMatching(/^tandem: samplers: 1 checks in \d\.\d\d s$/),
      expect.stringMatching(/^tandem: kernels: 2 checks in \d\.\d\d s$/),
    ]);
  });
});
