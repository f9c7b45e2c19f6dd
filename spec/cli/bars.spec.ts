/** The bars of commands that count: what each says, how far it goes, and that it is gone before anything is printed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tandem } from '../../api';
import { measureKernels } from '../../cli/bench/measure';
import { evaluate } from '../../cli/eval/measure';
import { measurePaper } from '../../cli/paper/measure';
import { countProgress } from '../../cli/progress';
import { checkMutants, checkSamplers } from '../../cli/prove/samplers';
import { measureDraft, plainSpeed } from '../../cli/tune/measure';
import { inside } from './inside';

jest.mock('../../cli/progress', () => ({ ...jest.requireActual('../../cli/progress'), countProgress: jest.fn() }));
jest.mock('../../cli/eval/measure');
jest.mock('../../cli/paper/measure', () => {
  return { ...jest.requireActual('../../cli/paper/measure'), measurePaper: jest.fn() };
});
jest.mock('../../cli/bench/measure', () => {
  const actual = jest.requireActual('../../cli/bench/measure');
  return { ...actual, measureKernels: jest.fn() };
});
jest.mock('../../cli/prove/samplers');
jest.mock('../../cli/tune/measure', () => {
  return { ...jest.requireActual('../../cli/tune/measure'), measureDraft: jest.fn(), plainSpeed: jest.fn() };
});

const folder = mkdtempSync(join(tmpdir(), 'tandem-bars-'));
const pairs = join(folder, 'pairs.tsv');
writeFileSync(pairs, 'a\tb\nc\td\ne\tf\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => jest.restoreAllMocks());

/** What happens to bars, and the first words of what is printed, in this order. */
let seen: unknown[][];
beforeEach(() => {
  seen = [];
  jest.mocked(countProgress).mockImplementation((what, total, quiet) => {
    seen.push(['bar', what, total, quiet === true]);
    return { update: (done) => void seen.push(['done', done]), stop: () => void seen.push(['gone']) };
  });
  jest.spyOn(Tandem, 'load').mockResolvedValue({
    ...{ target: { name: 'mine', dtype: 'q8', hasDecoder: true }, drafter: null, dispose: async () => undefined },
    ...{ backend: { name: 'cpu', level: 'scalar', threads: 3 }, core: { target: { config: { decoderLayers: 1 } } } },
    resolveOptions: (options: object) => options,
  } as unknown as Tandem);
});

/** Runs a command whose measurement ends with an error, so that nothing is printed but that. */
async function run(...args: string[]) {
  const failed = await inside(args);
  expect(failed).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^tandem: enough\n$/) });
  return seen;
}

const enough = () => Promise.reject(new Error('enough'));

describe.each([
  ['loud', [], false],
  ['quiet', ['--quiet'], true],
])('a command that is %s', (_, more, isQuiet) => {
  it('counts pairs', async () => {
    jest.mocked(evaluate).mockImplementation(async ({ onPair }) => {
      onPair(2);
      return enough();
    });
    expect(await run('eval', pairs, '--limit', '2', ...more)).toEqual([
      ['bar', 'pairs', 2, isQuiet],
      ['done', 2],
      ['gone'],
    ]);
  });

  it('counts passages', async () => {
    jest.mocked(measurePaper).mockImplementation(async ({ onPassage }) => {
      onPassage(1);
      return enough();
    });
    expect(await run('paper', '--passages', '7', ...more)).toEqual([
      ['bar', 'passages', 7, isQuiet],
      ['done', 1],
      ['gone'],
    ]);
  });

  it('counts kernels from the first that is measured', async () => {
    jest.mocked(measureKernels).mockImplementation(async ({ onCase }) => {
      onCase(1, 4);
      onCase(2, 4);
      return enough();
    });
    const expected = [['bar', 'kernels', 4, isQuiet], ['done', 1], ['done', 2], ['gone']];
    expect(await run('bench', '--only', 'kernels', ...more)).toEqual(expected);
    jest.mocked(measureKernels).mockImplementation(enough);
    seen = [];
    expect(await run('bench', '--only', 'kernels', ...more)).toEqual([]);
  });

  it('counts the steps of each group of checks by a bar of its own', async () => {
    jest.mocked(checkSamplers).mockImplementation(async ({ onStep }) => {
      onStep('samplers', 1, 9);
      onStep('samplers', 2, 9);
      return [];
    });
    jest.mocked(checkMutants).mockImplementation(async ({ onStep }) => {
      onStep('mutants', 1, 3);
      return enough();
    });
    const only = ['--only', 'samplers,mutants', '--json'];
    expect(await run('prove', ...only, ...more)).toEqual([
      ...[['bar', 'samplers', 9, isQuiet], ['done', 1], ['done', 2], ['gone']],
      ...[['bar', 'mutants', 3, isQuiet], ['done', 1], ['gone']],
    ]);
  });

  it('counts to 100 for each draft', async () => {
    jest.mocked(plainSpeed).mockResolvedValue(10);
    jest.mocked(measureDraft).mockImplementation(async (_tandem, { onStep }) => {
      for (const share of [0, 0.126, 1]) onStep(share);
      return enough();
    });
    const draft = ['--draft', 'copy,ngram', '--only-given'];
    expect(await run('tune', 'a', ...draft, ...more)).toEqual([
      ...[['bar', 'copy,ngram', 100, isQuiet], ['done', 0], ['done', 13], ['done', 100], ['gone']],
    ]);
  });
});

it('a bar is gone before the result is printed', async () => {
  jest.mocked(evaluate).mockImplementation(async () => {
    return {
      get texts() {
        seen.push(['printed']);
        return [];
      },
      ...{ speed: { metrics: {} }, loss: {} },
    } as never;
  });
  const printed = await inside(['eval', pairs, '--json', '--out', join(folder, 'out')]);
  expect(printed.status).toBe(0);
  expect(seen.map(([what]) => what).slice(0, 3)).toEqual(['bar', 'gone', 'printed']);
});
