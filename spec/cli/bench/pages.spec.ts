import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Comparison, type Result, Tandem } from '../../../api';
import { KERNELS, type KernelFigures, type KernelJob, measureDecode, measureKernels } from '../../../cli/bench/measure';
import { BUNDLED, expectOneLine } from '../command';
import { inside } from '../inside';

jest.mock('../../../cli/bench/measure', () => {
  const actual = jest.requireActual('../../../cli/bench/measure');
  return { ...actual, measureKernels: jest.fn() };
});

const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What one text took. */
interface Took {
  readonly tokens: number;
  readonly plain: number;
  readonly seconds: number;
  readonly calls: number;
  readonly alpha: number;
  readonly c: number | null;
  readonly v: number | null;
  readonly equal: boolean;
}

const took: fc.Arbitrary<Took> = fc.record({
  tokens: fc.integer({ min: 1, max: 99 }),
  plain: fc.integer({ min: 1, max: 99 }),
  seconds: fc.integer({ min: 1, max: 99 }),
  calls: fc.integer({ min: 1, max: 99 }),
  alpha: fc.double({ min: 0, max: 1, noNaN: true }),
  c: fc.option(fc.integer({ min: 1, max: 9 })),
  v: fc.option(fc.integer({ min: 1, max: 9 })),
  equal: fc.boolean(),
});

/** A model whose runs took what is given, by text; the first run of all took something else. */
function timed(all: ReadonlyMap<string, Took>, drafter: string | null) {
  const asked: [string, string, object][] = [];
  const first: Took = { tokens: 1e6, plain: 7e6, seconds: 3e6, calls: 1e6, alpha: 9, c: 99, v: 99, equal: false };
  const runs = (text: string, kind: string, options: object) => {
    asked.push([kind, text, options]);
    return asked.length === 1 ? first : (all.get(text) as Took);
  };
  const result = (newTokens: number, seconds: number, { calls, alpha, c, v }: Took) =>
    ({
      metrics: { newTokens, seconds, targetCalls: calls, acceptanceRate: alpha, costRatio: c, verifyRatio: v },
    }) as unknown as Result;
  const tandem = {
    drafter,
    target: { name: 'mine', dtype: 'q8' },
    backend: { name: 'cpu', level: 'scalar', threads: 3 },
    dispose: async () => undefined,
    generate: async (text: string, options: object) => {
      const one = runs(text, 'generate', options);
      return result(one.tokens, one.plain, one);
    },
    compare: async (text: string, options: object) => {
      const one = runs(text, 'compare', options);
      const [autoregressive, speculative] = [result(one.tokens, one.plain, one), result(one.tokens, one.seconds, one)];
      return { autoregressive, speculative, equal: one.equal } as unknown as Comparison;
    },
  } as unknown as Tandem;
  return { tandem, asked };
}

const { signal } = new AbortController();
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const named = (all: readonly Took[]) => new Map(all.map((one, i) => [`text ${i}`, one]));

describe('whole texts', () => {
  it('have speeds that are tokens over seconds, and means of what was measured; the first run of all does not count', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(took, { minLength: 1, maxLength: 5 }), fc.boolean(), async (all, drafts) => {
        const texts = named(all);
        const { tandem, asked } = timed(texts, drafts ? 'copy' : null);
        const found = await measureDecode(tandem, [...texts.keys()], { gamma: 3, maxNewTokens: 9, signal });
        const tokens = sum(all.map((one) => one.tokens));
        const plain = tokens / sum(all.map((one) => one.plain));
        const fast = tokens / sum(all.map((one) => one.seconds));
        const mean = (values: readonly (number | null)[]) => {
          const known = values.filter((value) => value !== null);
          return known.length === 0 || !drafts ? null : expect.closeTo(sum(known) / known.length, 9);
        };
        expect(found).toEqual({
          ...{ texts: all.length, tokens, plain },
          equal: !drafts || all.every((one) => one.equal),
          speculative: drafts ? fast : null,
          speedup: drafts ? expect.closeTo(fast / plain, 9) : null,
          acceptanceRate: mean(all.map((one) => one.alpha)),
          c: mean(all.map((one) => one.c)),
          v: mean(all.map((one) => one.v)),
          tokensPerTargetCall: drafts ? tokens / sum(all.map((one) => one.calls)) : null,
        });
        const order = ['text 0', ...texts.keys()];
        expect(asked).toEqual(
          order.map((text) => [
            drafts ? 'compare' : 'generate',
            text,
            { gamma: 3, maxNewTokens: 9, temperature: 0, signal: expect.any(AbortSignal) },
          ]),
        );
      }),
      { numRuns: 50 },
    );
  });
});

const LIMITS = { streamGBs: 12.34, peakGFlops: 56.78 };
const figure = (name: string, rows: number, share: number) => ({
  ...{
    backend: 'wasm ×2',
    shape: `${name} 64×64`,
    type: 'q8',
    rows,
    microseconds: 12.3456,
    margin: 1.26,
    operations: 8192,
    bytes: 4096,
  },
  ...{ gigabytesPerSecond: 0.33178, gigaflops: 0.66356, shareOfLimit: share },
});

/** Makes the measurement give these figures, whatever the machine does. @returns what it was asked for */
function measured(peakInt8GOps?: number): KernelJob[] {
  const jobs: KernelJob[] = [];
  jest.mocked(measureKernels).mockImplementation(async (job) => {
    jobs.push(job);
    for (let i = 1; i <= job.kernels.length; i++) job.onCase(i, job.kernels.length);
    const kernels = job.kernels.map((name) => ({
      ...{ name, note: 'a note' },
      figures: job.rows.map((rows) => figure(name, rows, 0.256)),
    }));
    const limits = peakInt8GOps === undefined ? LIMITS : { ...LIMITS, peakInt8GOps };
    return { label: 'wasm ×2', limits, kernels } as unknown as KernelFigures;
  });
  return jobs;
}

afterEach(() => jest.restoreAllMocks());

/** Makes every load give this model. */
function loads(tandem: Tandem): void {
  jest.spyOn(Tandem, 'load').mockResolvedValue(tandem);
}

describe('the page of tandem bench', () => {
  it.each([[undefined], [345.67]])(
    'has a row for each figure under the limits of the machine (int8: %s)',
    async (int8) => {
      measured(int8);
      const run = await inside(['bench', '--only', 'kernels', '--kernels', 'matmul,norm', '--rows', '2,16']);
      expect([run.status, run.stderr]).toEqual([0, '']);
      const [first, blank, limits, ...table] = run.stdout.trimEnd().split('\n');
      expect(first).toMatch(/^tandem \d\S*, Node v\S+ on \w+-\w+, .+, \d+ threads of the processor$/);
      expect([blank, limits]).toEqual([
        '',
        `kernels on wasm ×2; limits of this machine: memory 12.3 GB/s, arithmetic 56.8 GFLOP/s${int8 ? ', int8 345.7 GOP/s' : ''}`,
      ]);
      expect(table.map((line) => line.trim().split(/ {2,}/))).toEqual([
        ['kernel', 'shape', 'type', 'rows', 'µs', '±%', 'GB/s', 'GFLOP/s', 'of limit'],
        ...['matmul', 'norm'].flatMap((name) =>
          ['2', '16'].map((rows) => [name, `${name} 64×64`, 'q8', rows, '12.35', '1.3', '0.332', '0.664', '26%']),
        ),
      ]);
      const ends = (text: string) => table.map((line) => line.indexOf(text) + text.length);
      expect(new Set(table.map((line) => line.length)).size).toBe(1); // figures end in one column
      expect(ends('kernel')[0]).toBe(8);
    },
  );

  it('says of texts what the JSON says, each figure to its digits', async () => {
    const all = named([
      { tokens: 30, plain: 3, seconds: 2, calls: 9, alpha: 0.5, c: 0.25, v: 1.5, equal: true },
      { tokens: 10, plain: 2, seconds: 1, calls: 4, alpha: 0.75, c: 0.125, v: 1.25, equal: true },
    ]);
    const ask = async (drafter: string | null, ...flags: string[]) => {
      loads(timed(all, drafter).tandem);
      const texts = [...all.keys()].flatMap((text) => ['--text', text]);
      return (await inside(['bench', '--only', 'decode', ...texts, ...flags])).stdout;
    };
    const { decode, kernels } = JSON.parse(await ask('copy', '--json'));
    expect([kernels, decode]).toEqual([
      null,
      {
        ...{ target: 'mine', draft: 'copy', dtype: 'q8', backend: { name: 'cpu', level: 'scalar', threads: 3 } },
        ...{ texts: 2, tokens: 40, plain: 8, speculative: 40 / 3, speedup: 40 / 3 / 8, equal: true },
        ...{ acceptanceRate: 0.625, c: 0.1875, v: 1.375, tokensPerTargetCall: 40 / 13 },
      },
    ]);
    expect((await ask('copy')).split('\n').slice(1)).toEqual([
      '',
      'mine with copy, q8 on cpu (scalar), 3 threads: 2 texts, 40 tokens, greedy',
      'without a draft  8.0 tokens/s',
      'with the draft   13.3 tokens/s, 1.67×; texts equal',
      'α, c, v          0.625, 0.188, 1.38; 3.08 tokens a target call',
      '',
    ]);
    expect((await ask(null)).split('\n').slice(1)).toEqual([
      '',
      'mine, q8 on cpu (scalar), 3 threads: 2 texts, 40 tokens, greedy',
      'without a draft  8.0 tokens/s',
      '',
    ]);
  });

  it('shouts where a text differs, and leaves a place empty where nothing was measured', async () => {
    const all = named([{ tokens: 3, plain: 3, seconds: 2, calls: 1, alpha: 0, c: null, v: null, equal: false }]);
    loads(timed(all, 'copy').tandem);
    const { stdout } = await inside(['bench', '--only', 'decode', '--text', 'text 0']);
    expect(stdout).toMatch(/1\.50×; texts DIFFER\nα, c, v +0\.000, , ; 3\.00 tokens a target call\n$/);
  });

  it('has both parts where none is asked for alone, and draws the picture of the kernels', async () => {
    measured();
    const one = { tokens: 3, plain: 3, seconds: 2, calls: 1, alpha: 0, c: null, v: null, equal: true };
    loads(timed(named([one]), null).tandem);
    const svg = join(folder, 'both.svg');
    const call = ['bench', '--text', 'text 0', '--kernels', 'norm', '--rows', '3'];
    const { stdout } = await inside([...call, '--svg', svg]);
    expect(stdout).toMatch(/^tandem [\s\S]*\n\nkernels on wasm ×2[\s\S]*\n\nmine, q8 on cpu[\s\S]*tokens\/s\n$/);
    expect(readFileSync(svg, 'utf8')).toContain('<title>wasm ×2, norm, norm 64×64');
    const found = JSON.parse((await inside([...call, '--json'])).stdout);
    expect(Object.keys(found)).toEqual(['version', 'node', 'platform', 'processor', 'cores', 'kernels', 'decode']);
    expect([found.kernels.kernels.length, found.decode.texts]).toEqual([1, 1]);
    expect(existsSync(svg)).toBe(true);
  });
});

describe('what tandem bench measures', () => {
  const job = async (...args: string[]) => {
    const jobs = measured();
    expect((await inside(['bench', '--only', 'kernels', ...args])).status).toBe(0);
    expect(jobs).toHaveLength(1);
    const { signal: _signal, onCase: _onCase, ...rest } = jobs[0];
    return rest;
  };

  it('is all kernels in three types and two numbers of rows on wasm, in 256 bits where it can, unless it is told', async () => {
    const usual = { kernels: KERNELS, types: ['f32', 'bf16', 'q8'], rows: [1, 8], full: false };
    expect(await job()).toEqual({ ...usual, backend: 'wasm', options: { wide: 'auto' } });
    const [types, rows] = [['q8'], [1, 128]];
    const flags = ['--kernels', 'norm', '--types', 'q8', '--rows', '1,128', '--full'];
    expect(await job(...flags, '--backend', 'wasm', '--threads', '2', '--wide', 'false')).toEqual({
      ...{ kernels: ['norm'], types, rows, full: true, backend: 'wasm' },
      options: { threads: 2, level: undefined, wide: false },
    });
    for (const backend of ['cpu', 'reference']) {
      expect(await job('--backend', backend)).toEqual({ ...usual, backend, options: {} });
    }
  });

  it('decodes the texts of the bundled pair by default, with γ and the length that are asked for', async () => {
    const one = { tokens: 3, plain: 3, seconds: 2, calls: 1, alpha: 0, c: null, v: null, equal: true };
    const texts = { get: () => one } as unknown as Map<string, Took>;
    const { tandem, asked } = timed(texts, 'copy');
    loads(tandem);
    await inside(['bench', '--only', 'decode', '-g', '2', '-n', '7']);
    expect(asked.length).toBeGreaterThan(2);
    for (const [, text, options] of asked)
      expect([text.length > 5, options]).toMatchObject([true, { gamma: 2, maxNewTokens: 7 }]);
  });

  const DECODE = [...[['--svg', 'x.svg'], ['--kernels', 'norm'], ['--types', 'f32'], ['--rows', '1'], ['--full']]];
  const KERNEL = [
    ['--text', 'a'],
    ['--model', BUNDLED.target],
    ['--gamma', '2'],
    ['--max-new-tokens', '3'],
  ];
  it.each([
    ...DECODE.map((flag) => ['decode', 'kernels', flag] as const),
    ...KERNEL.map((flag) => ['kernels', 'decode', flag] as const),
  ])('alone is %s: a flag of %s is refused by name (%j)', async (only, _, flag) => {
    const run = await inside(['bench', '--only', only, ...flag]);
    expect([run.status, run.stdout]).toEqual([2, '']);
    expectOneLine(run, `expected no ${flag[0]} beside --only ${only}, found both`);
  });
});
