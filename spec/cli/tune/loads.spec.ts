/** Which pairs tandem tune loads and what it makes of their figures, which are made up here. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { bundledPair, type LoadOptions, Tandem } from '../../../api';
import { candidatesOf, fits } from '../../../cli/tune/candidates';
import { type DraftFigures, type DraftJob, measureDraft, plainSpeed } from '../../../cli/tune/measure';
import { BUNDLED, expectOneLine } from '../command';
import { inside } from '../inside';

jest.mock('../../../cli/tune/measure', () => {
  const actual = jest.requireActual('../../../cli/tune/measure');
  return { ...actual, measureDraft: jest.fn(), plainSpeed: jest.fn() };
});

const folder = mkdtempSync(join(tmpdir(), 'tandem-tune-loads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => jest.restoreAllMocks());
const TEXTS = join(folder, 'texts.txt');
writeFileSync(TEXTS, Array.from({ length: 30 }, (_, i) => `text ${i}\n`).join(''));
const DIRECTORY = ['--model', BUNDLED.target];
/** The usual drafts of a target with two layers that is no part of the bundled pair. */
const USUAL = candidatesOf({ given: [], only: false, bundled: null, layers: 2 });
const usualIn = (dtype: 'f32' | 'q8') => USUAL.filter((one) => fits(one, dtype));

interface World {
  /** The measured speed-up of each draft by its name; a draft without one is not timed. */
  readonly speedups?: Readonly<Record<string, number>>;
  /** Tokens a second without a draft beside each draft that is timed, in the order of the drafts. */
  readonly plain?: readonly number[];
  readonly target?: object;
  readonly core?: object | null;
}

/** Runs `tandem tune` on models that compute nothing. */
async function tuned(args: readonly string[], { speedups = {}, plain = [], target = {}, core }: World = {}) {
  const loads: [unknown, LoadOptions][] = [];
  const jobs: (DraftJob & { readonly draft: string })[] = [];
  const alone: unknown[] = [];
  let open = 0;
  jest.spyOn(Tandem, 'load').mockImplementation(async (model, options = {}) => {
    expect(open++).toBe(0); // one pair is in memory at a time
    loads.push([model, options]);
    return {
      ...{ name: options.draft === undefined ? 'bundled' : (options.draft as string[]).map(nameOf).join(',') },
      ...{ target: { name: 'mine', dtype: options.dtype ?? 'bf16', hasDecoder: true, ...target }, drafter: null },
      ...{ backend: { name: 'cpu', level: 'scalar', threads: 3 } },
      core: core === undefined ? { target: { config: { decoderLayers: 2 } } } : core,
      ...{ resolveOptions: (given: object) => given, dispose: async () => void open-- },
    } as unknown as Tandem;
  });
  jest.mocked(plainSpeed).mockImplementation(async (_tandem, job) => {
    alone.push(job.texts);
    return 10;
  });
  jest.mocked(measureDraft).mockImplementation(async (tandem, job) => {
    const { name } = tandem as unknown as { name: string };
    const beside = plain[jobs.length] ?? 10;
    jobs.push({ ...job, draft: name });
    const measured = speedups[name];
    const point = { gamma: 3, predicted: 2, measured, tokensPerSecond: measured * beside, equal: true };
    return {
      ...{ alpha: 0.5, proposing: 1, costs: { c: jobs.length, v: [jobs.length] }, curve: [1, 1, 1, 2], gamma: 3 },
      points: measured === undefined ? [] : [{ ...point, plainTokensPerSecond: beside }],
    } as DraftFigures;
  });
  const run = await inside(['tune', '--file', TEXTS, ...args]);
  return { ...run, loads, jobs, alone, open };
}

const nameOf = (draft: unknown) => (typeof draft === 'string' ? draft : `model:${(draft as { model: string }).model}`);
const found = async (args: readonly string[], world?: World) => {
  const run = await tuned([...args, '--json'], world);
  expect([run.status, run.stderr, run.open]).toEqual([0, '', 0]);
  return { ...run, data: JSON.parse(run.stdout) };
};

describe('what tandem tune loads', () => {
  it('is the target alone, then with each draft in turn, in each type that is asked for once', async () => {
    const usual = await found([]);
    expect(usual.loads.map(([model, { dtype, draft }]) => [model, dtype, draft])).toEqual(
      [[], undefined, ...USUAL.map(({ draft }) => draft)].map((draft) => [undefined, undefined, draft]),
    );
    const typed = await found([...DIRECTORY, '--dtypes', 'q8,f32,q8', '--draft', 'random', '--only-given']);
    expect(typed.loads.map(([model, { dtype, draft }]) => [model, dtype, draft])).toEqual(
      ['q8', 'f32'].flatMap((dtype) => [[], ['random']].map((draft) => [BUNDLED.target, dtype, draft])),
    );
    expect(typed.data.types.map(({ dtype }: { dtype: string }) => dtype)).toEqual(['q8', 'f32']);
  });

  it('has the flags of loading, and the draft’s own where a model drafts that is no part of the bundled pair', async () => {
    const own = ['--draft-dtype', 'q8', '--draft-revision', 'old'];
    const place = ['--prefix', 'p: ', '--threads', '2', '--wide', 'false', '--backend', 'wasm'];
    const { loads } = await found([...own, ...place, '--draft', 'model:a/b']);
    for (const [, options] of loads)
      expect(options).toMatchObject({ prefix: 'p: ', threads: 2, wide: false, backend: 'wasm' });
    const drafts = loads.map(([, { draft }]) => draft);
    const bundled = { model: (await bundledPair()).draft, dtype: 'q8', revision: undefined };
    const given = { model: 'a/b', dtype: 'q8', revision: 'old' };
    // A draft that has a draft of its own is told so in parts.
    const parts = (name: string) => (name === 'self:q8:copy' ? { self: 'q8', draft: 'copy' } : name);
    expect(drafts).toEqual([[], [bundled], [given], ...USUAL.map(({ draft }) => draft?.map(parts))]);
  });

  it('leaves out what is the target’s own type, by name', async () => {
    const { loads, data } = await found([...DIRECTORY, '--dtypes', 'q8']);
    expect(loads.map(([, { draft }]) => draft)).toEqual([[], ...usualIn('q8').map(({ draft }) => draft)]);
    expect(data.types[0].leftOut).toEqual(USUAL.filter((one) => !fits(one, 'q8')).map(({ name }) => name));
    expect(data.types[0].leftOut).toContain('self');
  });

  it('is no model that cannot generate, nor one that is not in this thread', async () => {
    for (const world of [{ target: { hasDecoder: false } }, { core: null }]) {
      const run = await tuned(DIRECTORY, world);
      expect([run.status, run.stdout, run.open, run.loads.length]).toEqual([2, '', 0, 1]);
      expectOneLine(run, /tune: expected a model that generates, found mine, an encoder/);
    }
  });
});

describe('what tandem tune measures', () => {
  it('is v once for all drafts of a type, each on the same texts, which are 12 of all unless it is told', async () => {
    const flags = ['--gammas', '2,5', '-n', '4', '-t', '0.5'];
    const { jobs, alone, data } = await found([...DIRECTORY, ...flags, '--dtypes', 'f32,bf16']);
    const names = usualIn('f32').map(({ name }) => name);
    const measured = (v: number) => names.map((name, i) => [name, i === 0 ? undefined : [v]]);
    expect(jobs.map(({ draft, v }) => [draft, v])).toEqual([...measured(1), ...measured(1 + names.length)]);
    const texts = Array.from({ length: 12 }, (_, i) => `text ${Math.floor(2.5 * i)}`);
    expect(alone).toEqual([texts, texts]);
    for (const job of jobs) {
      expect(job).toMatchObject({ texts, gammas: [2, 5], options: { maxNewTokens: 4, temperature: 0.5 } });
    }
    expect(data).toMatchObject({ texts: 12, of: 30, temperature: 0.5, types: [{ v: [1] }, { v: [1 + names.length] }] });
    expect((await found(['--limit', '2'])).jobs[0].texts).toEqual(['text 0', 'text 15']);
  });

  it('without a draft is the median of what was timed in turns with the drafts; where none was, what was timed alone', async () => {
    const drafts = ['copy', 'random', 'ngram'].flatMap((draft) => ['--draft', draft]);
    const plain = async (world: World) => (await found([...drafts, '--only-given'], world)).data.types[0].plain;
    expect(await plain({})).toBe(10);
    const speedups = { copy: 0.5, random: 0.5, ngram: 0.5 };
    expect(await plain({ speedups, plain: [9, 100, 20] })).toBe(20);
    expect(await plain({ speedups: { random: 0.5 }, plain: [9, 100, 20] })).toBe(100);
  });
});

describe('the best setting', () => {
  const OWN = ['--draft-dtype', 'q8', '--draft-revision', 'old'];
  const PLACE = ['--prefix', 'p: ', '--threads', '2', '--level', 'simd', '--wide', 'false', '--backend', 'wasm'];
  const place = { prefix: 'p: ', threads: 2, level: 'simd', wide: false, backend: 'wasm' };
  const model = ['--draft', 'model:a/b'];

  it.each<[string, string[], Record<string, number>, object]>([
    ['no draft', model, {}, { draft: [] }],
    ['no draft, where a draft has a type', [...OWN, ...model], { 'model:a/b': 0.9 }, { draft: [] }],
    ['a draft that is no model', [...OWN, ...model], { copy: 2, 'model:a/b': 1.5 }, { draft: ['copy'], gamma: 3 }],
    [
      'a model that drafts',
      [...OWN, ...model],
      { copy: 1.5, 'model:a/b': 2 },
      { draft: ['model:a/b'], draftDtype: 'q8', draftRevision: 'old', gamma: 3 },
    ],
    ['the draft of the pair', [], { bundled: 2, copy: 1.5 }, { gamma: 3 }],
    [
      'of several types',
      ['--dtypes', 'f32,q8', '--draft', 'copy', '--only-given'],
      { copy: 2 },
      { dtype: 'f32', draft: ['copy'], gamma: 3 },
    ],
    ['where it computes', PLACE, { copy: 2 }, { ...place, draft: ['copy'], gamma: 3 }],
    [
      'a directory',
      [...DIRECTORY, '--revision', 'v1'],
      { self: 2 },
      { model: BUNDLED.target, revision: 'v1', draft: ['self'], gamma: 3 },
    ],
  ])('%s: it says what was chosen, and what the figures depend on', async (_, args, speedups, settings) => {
    const out = join(folder, 'best.json');
    const { data } = await found([...args, '--out', out], { speedups });
    expect(data.best.settings).toEqual(settings);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(settings);
  });

  it('names the draft of the pair, and has its type where one is given', async () => {
    const { data } = await found(['--draft-dtype', 'f32'], {
      speedups: { [`model:${(await bundledPair()).draft}`]: 2 },
    });
    const draft = basename((await bundledPair()).draft);
    expect(data.best).toMatchObject({ draft, gamma: 3, settings: { draftDtype: 'f32', gamma: 3 } });
    expect(data.best.settings).not.toHaveProperty('draft');
  });
});
