import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../../cli/settings';
import { bestOf, predictedCurve } from '../../../cli/tune/predict';
import { BUNDLED, expectOneLine } from '../command';
import { inside, keepModels, records } from '../inside';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-tune-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const FILE = join(scratch, 'texts.txt');
writeFileSync(FILE, 'Jesus wept.\n\nThou art the man.\nAnd the land had rest.\n');

describe('tandem tune', () => {
  keepModels();

  test('measures the usual drafts on the texts, times the γ that are asked for, and writes the picture and the best setting', async () => {
    const [svg, out] = [join(scratch, 'speed.svg'), join(scratch, 'best.json')];
    const output = ['--svg', svg, '--out', out];
    const [report] = await records([
      'tune',
      '--file',
      FILE,
      '--limit',
      '2',
      '-n',
      '3',
      '--gammas',
      '2',
      '--threads',
      '1',
      ...output,
    ]);
    expect(report).toMatchObject({ texts: 2, of: 3, temperature: 0, backend: { threads: 1 } });
    const [{ drafts, v, plain }] = report.types;
    const names = drafts.map(({ draft }: { draft: string }) => draft);
    expect(names).toEqual(['modernize-draft', 'self', 'self:q8:copy', 'copy', 'layers:1', 'layers:3']);
    expect([v.length, v[0], plain > 0]).toEqual([33, 1, true]);
    expect(v.toSorted((one: number, other: number) => one - other)).toEqual(v); // a call of more rows is not cheaper
    let [fastest, name, best, speed] = [1, null, 0, plain];
    for (const { draft, alpha, proposing, c, curve, gamma, points } of drafts) {
      expect(curve).toEqual(predictedCurve({ alpha, proposing, costs: { c, v } }, 32));
      expect(gamma).toBe(bestOf(curve));
      expect(alpha).toBeGreaterThanOrEqual(0);
      expect(points.map((point: { gamma: number }) => point.gamma)).toEqual(
        [...new Set([2, gamma])].filter((one) => one > 0).sort((a, b) => a - b),
      );
      for (const point of points) {
        const { measured, tokensPerSecond, plainTokensPerSecond } = point;
        expect(point).toMatchObject({ equal: true, predicted: curve[point.gamma] });
        expect(measured).toBeCloseTo(tokensPerSecond / plainTokensPerSecond, 9);
        if (measured > fastest) [fastest, name, best, speed] = [measured, draft, point.gamma, tokensPerSecond];
      }
    }
    expect(report.best).toMatchObject({ draft: name, gamma: best, speedup: fastest, tokensPerSecond: speed });
    expect(readFileSync(svg, 'utf8').match(/<polyline/g)).toHaveLength(6);

    const settings = await readSettings(out, new AbortController().signal);
    expect(settings).toEqual(report.best.settings);
    const draft = name === null ? { draft: [] } : name === 'modernize-draft' ? {} : { draft: [name] };
    expect(settings).toEqual({ threads: 1, ...draft, ...(name !== null && { gamma: best }) });
    const [result] = await records(['generate', '--settings', out, 'Jesus wept.', '-n', '2']);
    expect(result.metrics.gamma).toBe(best);
  });

  test('prints a table and the flags of the best setting', async () => {
    const run = await inside(['tune', 'Jesus wept.', '-n', '2', '--draft', 'random', '--only-given']);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/modernize-target on \w+ \([\w-]+\), \d+ threads; 1 texts, temperature 0\n/);
    expect(run.stdout).toMatch(/\n {2}none +0 +1\.00× +[\d.]+\n {2}random +0\.\d{3} +\d+% +\d\.\d{3} +0 +1\.00×\n/);
    expect(run.stdout).toMatch(/\nbest: no draft: 1\.00×, [\d.]+ tokens\/s\nflags: --draft none\n$/);
  });

  test('leaves out a draft that is the target’s own decoder in its own type', async () => {
    const only = ['--draft', 'self', '--only-given', '--dtypes', 'q8'];
    const [report] = await records(['tune', 'Jesus wept.', '-n', '2', ...only]);
    expect(report.types).toMatchObject([{ dtype: 'q8', leftOut: ['self'], drafts: [] }]);
    expect(report.best.settings).toEqual({ dtype: 'q8', draft: [] });
  });
});

describe('what is wrong', () => {
  test.each<[string[], number, RegExp]>([
    [['--draft', 'layers:x'], 2, /--draft: expected .*, found 'layers:x'/],
    [['--draft', 'none'], 2, /--draft: expected .*, found 'none'/],
    [['--only-given'], 2, /expected --draft beside --only-given, found none/],
    [['--gammas', '0'], 2, /--gammas: expected whole numbers from 1 to 64, found '0'/],
    [['--dtypes', 'f16'], 2, /--dtypes: expected some of f32, bf16, q8, found 'f16'/],
    [['--dtype', 'q8'], 2, /unknown option '--dtype'/],
    [['--model', BUNDLED.target], 2, /tune: expected a text or --file beside --model, found none/],
    [['--top-k', '5', '-t', '0'], 2, /topK: expected a temperature above 0/],
    [['--revision', 'x'], 2, /expected --model beside --revision, found none/],
    [['--draft-revision', 'x'], 2, /expected a model in --draft beside --draft-revision, found none/],
    [['a text', '--file', FILE], 2, /expected one source of input, found TEXT and --file/],
    [['--file', '/no/such/file'], 1, /expected a file that can be read, found ENOENT/],
    [['--draft', './no-draft'], 1, /--draft '\.\/no-draft': expected a checkpoint directory/],
    [['--svg', '/no/such/place/x.svg'], 1, /expected a file that can be written/],
    [['--out', scratch], 1, /expected a file that can be written/],
  ])('%j is one line, and nothing is loaded', async (args, status, message) => {
    const run = await inside(['tune', ...args]);
    expect(run).toMatchObject({ status, stdout: '' });
    expectOneLine(run, message);
  });

  test('a line that is no text is named', async () => {
    const path = join(scratch, 'broken.txt');
    writeFileSync(path, Buffer.from([0x61, 0x0a, 0xff, 0x0a]));
    const run = await inside(['tune', '--file', path]);
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectOneLine(run, /broken\.txt: line 2: expected UTF-8 text, found other bytes/);
  });

  test('an abort ends it, long before its texts are through', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 2000);
    const run = await inside(
      ['tune', 'Thou art the man.', '--backend', 'cpu', '-n', '100000', '--draft', 'copy', '--only-given'],
      { signal: controller.signal },
    );
    expect(run).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^tandem: .*(abort|cancel)/i) });
  });
});
