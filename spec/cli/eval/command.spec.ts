import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tandem } from '../../../api';
import { bleu } from '../../../cli/eval/bleu';
import { chrf } from '../../../cli/eval/chrf';
import { BUNDLED, expectOneLine } from '../command';
import { inside, keepModels, records } from '../inside';

const scratch = mkdtempSync(join(tmpdir(), 'tandem-eval-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

const PAIRS = [
  ['Thou art the man.', 'You are the man.'],
  ['And the land had rest forty years.', 'And the land had peace for forty years.'],
  ['Jesus wept.', 'Jesus cried.'],
] as const;
const TSV = PAIRS.map((pair) => pair.join('\t')).join('\r\n');

describe('tandem eval', () => {
  keepModels();

  test('measures the texts of generate, the loss of score, and α of the two models', async () => {
    const out = join(scratch, 'texts.txt');
    const [report] = await records([
      'eval',
      file('pairs.tsv', TSV),
      '--max-new-tokens',
      '12',
      '--gamma',
      '4',
      '--out',
      out,
    ]);
    const texts = readFileSync(out, 'utf8').trimEnd().split('\n');
    const references = PAIRS.map(([, reference]) => reference);
    expect(texts).toHaveLength(3);
    expect(report).toMatchObject({
      pairs: 3,
      quality: { bleu: bleu(texts, references), chrf: chrf(texts, references) },
    });
    expect(report.copying.chrf).toBeCloseTo(
      chrf(
        PAIRS.map(([source]) => source),
        references,
      ),
      9,
    );
    expect(report.draftAlone.chrf).toBeGreaterThan(0);

    const tandem = await Tandem.load(undefined, { wide: 'auto' });
    const { text } = await tandem.generate(PAIRS[0][0], { maxNewTokens: 12 });
    expect(texts[0]).toBe(text);
    let [sum, tokens] = [0, 0];
    for (const [source, reference] of PAIRS) {
      const [{ logProb, ids }] = await tandem.score(source, [reference]);
      sum -= logProb;
      tokens += ids.length;
    }
    await tandem.dispose();
    expect(report.loss.tokens).toBe(tokens);
    expect(report.loss.perToken).toBeCloseTo(sum / tokens, 9);
    const { greedy, sampled, positions } = report.agreement;
    expect(positions).toBe(report.speed.tokens);
    for (const alpha of [greedy, sampled]) expect(alpha).toBeGreaterThan(0.3);
    expect(sampled).toBeLessThan(1);
    expect(report.speed.metrics.targetCalls).toBeLessThan(report.speed.tokens);
  });

  test('a draft that is the target agrees with it everywhere; without a draft there is no α', async () => {
    const path = file('one.tsv', `${TSV}\n`);
    const short = ['--limit', '1', '--max-new-tokens', '4'];
    const [same] = await records(['eval', path, ...short, '--draft', BUNDLED.target]);
    expect(same.agreement.greedy).toBe(1);
    expect(same.agreement.sampled).toBeCloseTo(1, 9);
    expect(same.draftAlone).toEqual(same.quality);
    const [alone] = await records(['eval', '-', ...short, '--draft', 'none'], { input: TSV });
    expect(alone).toMatchObject({ pairs: 1, agreement: null, draftAlone: null });
  });

  test('prints a page, on the held-out passages where no file is named', async () => {
    const run = await inside(['eval', '--limit', '2', '--max-new-tokens', '5']);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/^2 pairs, bf16 on wasm/);
    expect(run.stdout).toMatch(/modernize-target +\d+\.\d\d +\d+\.\d\d\n/);
    expect(run.stdout).toMatch(/copying the source +\d+\.\d\d +\d+\.\d\d\n/);
    expect(run.stdout).toMatch(/loss of the references: \d\.\d{4} a token/);
    expect(run.stdout).toMatch(/α along the target's texts \(\d+ tokens\): greedy 0\.\d{4}, temperature 1 0\.\d{4}\n/);
    expect(run.stdout).toMatch(/speed: [\d.]+ tokens\/s/);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    [
      'no tab',
      'a\tb\nno tab here\n',
      /line 2: expected a source, a tab and a reference, found no tab in 'no tab here'\n$/,
    ],
    ['three fields', 'a\tb\tc\n', /line 1: .*found 3 fields\n$/],
    [
      'an empty reference, and more',
      'a\t \n\tb\n\n',
      /line 1: .*found an empty reference \(and 2 more lines like it\)\n$/,
    ],
    ['bytes that are no UTF-8', new Uint8Array([0x61, 0x09, 0xff, 0x0a]), /line 1: expected UTF-8 text/],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x61, 0x00]), /expected UTF-8 text, found UTF-16/],
    ['nothing', '', /expected pairs, found none\n$/],
  ])('refuses a file with %s, before it loads a model', async (name, content, message) => {
    const load = jest.spyOn(Tandem, 'load');
    const before = load.mock.calls.length;
    const run = await inside(['eval', file(`${name.length}.tsv`, content)]);
    expect(run).toMatchObject({ stdout: '' });
    expect(run.status).toBeGreaterThan(0);
    expectOneLine(run, message as RegExp);
    expect(load.mock.calls.length).toBe(before);
  });

  test.each([
    [['/no/such/pairs'], 1, /'\/no\/such\/pairs': expected a file that can be read, found ENOENT/],
    [['--model', BUNDLED.target], 2, /expected a file of pairs beside --model, found none/],
    [['--limit', '0'], 2, /--limit: expected a whole number from 1 up, found '0'/],
    [['--out', '/no/such/place/x'], 1, /expected a file that can be written/],
    [['--num-return-sequences', '2'], 2, /unknown option/],
    [
      ['--model', BUNDLED.target, '--draft', 'none', '--gamma', '3', 'x'],
      2,
      /a draft beside --gamma, found --draft none/,
    ],
    [
      ['--model', BUNDLED.draft, '--gamma', '3', file('one-pair.tsv', 'a\tb\n')],
      2,
      /a draft beside --gamma, found none: .*modernize-draft in bf16 does not draft for itself unasked \(--draft self\)/,
    ],
  ])('refuses %j', async (args, status, message) => {
    const run = await inside(['eval', ...args]);
    expect(run).toMatchObject({ status, stdout: '' });
    expectOneLine(run, message);
  });
});
