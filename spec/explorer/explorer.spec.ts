import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { TraceRecorder } from '../../index';
import { browserOf, describeIn } from '../browser/support/browsers';
import { writtenByCommand } from './golden';
import { untilCount } from './opened';
import {
  attentionInNode,
  compressedBytes,
  EXAMPLES,
  inNode,
  LEVEL,
  type OpenedSite,
  openSite,
  ROOT,
  SAMPLED,
  showPanel,
  siteFolder,
  untilLoaded,
} from './site';

const RUN = { ...SAMPLED, maxNewTokens: 48 };

/** Runs in the page: how many pixels the hollow point of each drawing is away from the corners of its first line. */
function awayFromLine(figures: Element[]): number[] {
  return figures.map((figure) => {
    const way = figure.querySelector('.curve')?.getAttribute('d') ?? '';
    const point = figure.querySelector('.point.hollow circle');
    const [x, y] = ['cx', 'cy'].map((name) => Number(point?.getAttribute(name) ?? Number.NaN));
    return Math.min(
      ...[...way.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, a, b]) => Math.hypot(Number(a) - x, Number(b) - y)),
    );
  });
}

describeIn(browserOf('chromium'), 'the explorer', () => {
  let folder: string;
  let opened: OpenedSite;
  let page: Page;

  beforeAll(async () => {
    folder = siteFolder();
    opened = await openSite(folder);
    ({ page } = opened);
    await page.goto(`${opened.site.url}#race?level=${LEVEL}`);
    await untilLoaded(page);
  });
  afterAll(() => opened?.close());

  const show = (hash: string, selector: string) => showPanel(page, hash, selector);
  const textOf = async (selector: string) => ((await page.textContent(selector)) ?? '').trim();

  test('takes at most 150 kB, compressed, without the models', () => {
    expect(compressedBytes(folder)).toBeLessThanOrEqual(150_000);
  });

  test('the race gives Node’s text, with the draft and without it, and says that they are the same', async () => {
    await page.waitForSelector('#verdict', { timeout: 60_000 });
    const { text, metrics } = await inNode(EXAMPLES[0], { maxNewTokens: 96 });
    const lanes = await page.$$eval('.lane .text', (all) => all.map(({ textContent }) => textContent));
    expect(lanes).toEqual([text, text]);
    expect(await textOf('#verdict')).toMatch(/^✓ The same text/);
    expect(metrics.accepted).toBeGreaterThan(10);
    expect(await page.locator('.lane.draft .token.accepted').count()).toBe(metrics.accepted);
    expect(await page.locator('.lane.target .token.accepted').count()).toBe(0);
  });

  test('replays both runs: what is not decided yet is not seen', async () => {
    await page.getByRole('button', { name: 'Replay ten times slower' }).click();
    await page.waitForSelector('.lane .token.later');
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.waitForFunction(() => document.querySelector('.lane .token.later') === null);
  });

  test('the rounds are those of Node with the same seed, and the last one ends Node’s text', async () => {
    const recorder = new TraceRecorder();
    const { text } = await inNode(EXAMPLES[1], { ...RUN, trace: recorder });
    const { rounds } = recorder.trace;
    await show(`#round?level=${LEVEL}&round=99&step=99`, '.code');
    const count = `of ${rounds.length},`;
    await page.waitForFunction((said) => document.querySelector('#where')?.textContent?.includes(said), count);
    expect(await textOf('.so-far')).toBe(`The text so far: ${text}`);
    for (const [i, { accepted, proposal }] of rounds.entries()) {
      await show(`#round?level=${LEVEL}&round=${i}&step=99`, '.code');
      await page.waitForFunction(
        (said) => document.querySelector('#where')?.textContent?.startsWith(said),
        `round ${i + 1} `,
      );
      await untilCount(page, '.card', proposal.length + 1);
      const kept = await page.locator('.card .chip-verdict.kept').count();
      expect([i, kept]).toEqual([i, accepted]);
    }
  });

  test('steps by keys, forwards and back and into the next round, and the link follows', async () => {
    await show(`#round?level=${LEVEL}`, '.code');
    const untilAt = (place: string) =>
      page.waitForFunction((said) => new RegExp(said).test(document.querySelector('#where')?.textContent ?? ''), place);
    await page.waitForFunction(() => document.querySelector('#where')?.textContent?.includes('step 1 '));
    await page.locator('main').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await untilAt('^round 1 .* step 3 ');
    expect(page.url()).toMatch(/round=0&step=2/);
    await page.keyboard.press('ArrowLeft');
    await untilAt('^round 1 .* step 2 ');
    await page.keyboard.press('ArrowDown');
    await untilAt('^round 2 .* step 1 ');
    await page.keyboard.press('ArrowLeft');
    await untilAt('^round 1 .* step (\\d+) of \\1');
  });

  test('each step says what happened, cites its lines of Algorithm 1 and shows code that is in the sources', async () => {
    await show(`#round?level=${LEVEL}&step=0`, '.code');
    await page.waitForFunction(() => document.querySelector('#where')?.textContent?.includes('step 1 '));
    const steps = await page.locator('.dots button').count();
    const said = new Set<string>();
    for (let step = 0; step < steps; step++) {
      await page.locator('.dots button').nth(step).click();
      said.add(await textOf('#narration'));
      expect(await page.locator('.listing [aria-current]').count()).toBeGreaterThan(0);
      for (const figure of await page.locator('.code').all()) {
        const [, file, line] =
          /^(\S+), from line (\d+)$/.exec((await figure.locator('figcaption').textContent()) ?? '') ?? [];
        const code = (await figure.locator('code').textContent()) ?? '';
        const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
        expect(lines.slice(Number(line) - 1, Number(line) - 1 + code.split('\n').length).join('\n')).toBe(code);
      }
    }
    expect(said.size).toBe(steps);
  });

  test('a tree has a view of its own: its candidates, its kept path and its verdicts are Node’s', async () => {
    const recorder = new TraceRecorder();
    const { gamma: _, ...sampled } = RUN;
    await inNode(EXAMPLES[1], { ...sampled, branching: [2, 2, 1], trace: recorder });
    await show(`#round?level=${LEVEL}&branching=2,2,1&round=0&step=2`, '.candidates em');
    const [{ proposal, path }] = recorder.trace.rounds;
    await untilCount(page, '.candidate', proposal.length);
    expect(await page.locator('.candidate.kept').count()).toBe(path.length);
    expect(await textOf('#narration')).toMatch(new RegExp(`^The tree is judged .* ${path.length} tokens? kept`));
    const shown = await page.$$eval('.candidate .draft', (all) => all.map(({ textContent }) => textContent));
    expect(new Set(shown).size).toBeGreaterThan(2);
  });

  test('block verification shows every prefix that it tests, and keeps the one that Node keeps', async () => {
    const recorder = new TraceRecorder();
    await inNode(EXAMPLES[1], { ...RUN, verification: 'block', trace: recorder });
    await show(`#round?level=${LEVEL}&verification=block&round=0&step=5`, '.prefixes');
    const [{ proposal, accepted, choices }] = recorder.trace.rounds;
    expect(await page.locator('.prefixes tbody tr').count()).toBe(proposal.length);
    const numbers = await page.$$eval(
      '.prefixes td:nth-child(4)',
      (all) => all.filter((one) => one.textContent).length,
    );
    expect(numbers).toBe(choices.filter((choice) => 'accepted' in choice).length);
    expect(await page.locator('.prefixes tr.marked').count()).toBe(accepted > 0 ? 1 : 0);
  });

  test('every path of the sampler that ships adds up to the target, and samples come near it', async () => {
    await show('#prove', '#finding');
    expect(await textOf('#finding')).toMatch(/^✓ Exact\. \d+ paths\./);
    await page.waitForFunction(() => document.querySelector('#samples')?.textContent?.startsWith('8,000 samples'));
    expect(await page.locator('.texts .bent').count()).toBe(0);
    const [, away, byChance] = /: ([\d.]+) % away .* about ([\d.]+) %/.exec(await textOf('#samples')) ?? [];
    expect(Number(away)).toBeLessThan(2.5 * Number(byChance));
  });

  test('a known-wrong sampler bends the bars', async () => {
    await show('#prove?wrong=corrects+from+the+target+itself', '#finding.bent');
    expect(await textOf('#finding')).toMatch(/^✗ Not exact\..* % away/);
    expect(await page.locator('.texts .bent').count()).toBeGreaterThan(0);
    await page.waitForFunction(() => document.querySelector('#samples')?.textContent?.startsWith('8,000 samples'));
    const [, away] = /: ([\d.]+) % away/.exec(await textOf('#samples')) ?? [];
    const [, enumerated] = /are ([\d.]+) % away/.exec(await textOf('#finding')) ?? [];
    expect(Math.abs(Number(away) - Number(enumerated))).toBeLessThan(2);
  });

  test('measures a setting, and shows what is predicted for every γ', async () => {
    await show('#play?gamma=2', '.charts');
    expect(await page.locator('.play .figure strong').allTextContents()).toEqual([
      expect.stringMatching(/^0\.\d\d$/),
      expect.stringMatching(/^\d\.\d{3}$/),
      expect.stringMatching(/^\d+\.\d\d$/),
      expect.stringMatching(/^\d+\.\d\d×$/),
    ]);
    expect(await textOf('#exactness')).toMatch(/^✓/);
    for (const away of await page.$$eval('.charts .curves', awayFromLine)) expect(away).toBeLessThan(1);
    await page.locator('.controls input[name=lenience]').fill('0.5');
    await page.waitForFunction(() => document.querySelector('#exactness')?.textContent?.startsWith('✗'));
    expect(page.url()).toMatch(/gamma=2&lenience=0\.5/);
    await page.locator('select[name=dtype]').selectOption('q8');
    await page.waitForFunction(() => document.querySelector('#machine')?.textContent?.includes('parameters in q8'));
    await page.locator('select[name=dtype]').selectOption('');
    await page.waitForFunction(() => document.querySelector('#machine')?.textContent?.includes('parameters in bf16'));
  });

  test('attention is Node’s: what a token reads, what reads a token, and where the copy draft read', async () => {
    await show('#attention?layer=2&head=3&at=9', '#reading');
    const { ids } = await inNode(EXAMPLES[0], { maxNewTokens: 64 });
    const { source, cross } = await attentionInNode(EXAMPLES[0], ids);
    const line = Array.from({ length: source.length }, (_, i) => cross[1][(2 * ids.length + 9) * source.length + i]);
    const most = line.indexOf(Math.max(...line));
    const labels = await page.$$eval('.read-tokens', ([read]) =>
      [...read.children].map(({ textContent }) => textContent),
    );
    expect(labels).toHaveLength(source.length);
    const spoken = labels[most]?.replace('␣', '');
    await page.waitForFunction(
      (said) => document.querySelector('#reading')?.textContent?.includes(said),
      `reads most “${spoken}” ${(line[most] * 100).toFixed(line[most] < 0.0995 ? 1 : 0)} %`,
    );
    expect(await textOf('#reading')).toMatch(/The copy draft read “second” at place 15: kept\.$/);
    const heat = await page.locator('.heat canvas').boundingBox();
    const middle = { x: (heat?.width ?? 0) / 2, y: (6.5 / ids.length) * (heat?.height ?? 0) };
    await page.locator('.heat canvas').click({ position: middle });
    expect(page.url()).toMatch(/at=6/);
    await page.locator('.read-tokens').first().locator('button').nth(14).click();
    await page.keyboard.press('ArrowRight');
    expect(page.url()).toMatch(/by=read/);
    expect(page.url()).toMatch(/at=15/);
    expect(await textOf('#reading')).toMatch(/^“time” of the source is read most for/);
  });

  test('the machine’s speed is that of its calls: bytes and operations a second', async () => {
    await show('#machine', '#roofline');
    const said = await textOf('#speed');
    const [, bandwidth, one, best] =
      /^([\d.]+) GB\/s of weights and ([\d.]+) GFLOP\/s with one row, ([\d.]+)/.exec(said) ?? [];
    expect(Number(best)).toBeGreaterThanOrEqual(Number(one));
    expect(Number(one) / Number(bandwidth)).toBeCloseTo(1, 0); // bf16: two bytes and two operations a weight
    const way = (await page.locator('[aria-label=Costs] .curve').first().getAttribute('d')) ?? '';
    const heights = [...way.matchAll(/ ([\d.]+)/g)].map(([, y]) => -Number(y));
    expect(heights).toHaveLength(13);
    expect(heights).toEqual(heights.toSorted((a, b) => a - b)); // more rows never cost less
    expect(await page.locator('[aria-label=Costs] .point circle').count()).toBe(13);
  });

  test('no kernel lies above its roof, which some of them reach', async () => {
    await show('#machine', '#roofline');
    const rows = await page.$$eval('.kernels tbody tr', (all) =>
      all.map(({ children }) => [...children].map(({ textContent }) => textContent ?? '')),
    );
    expect(new Set(rows.map(([name]) => name)).size).toBe(4);
    expect(await page.locator('[aria-label=Roofline] circle').count()).toBe(rows.length);
    const speeds = rows.map(([, , , speed]) => Number(speed));
    const roofs = rows.map(([, , , , roof]) => Number(roof));
    for (const [i, speed] of speeds.entries()) expect(speed).toBeLessThanOrEqual(roofs[i]);
    expect(Math.max(...roofs)).toBe(Math.max(...speeds));
    expect(speeds.filter((speed, i) => speed === roofs[i]).length).toBeGreaterThan(0);
  });

  test('the timeline shows a run, takes a trace of the command, and refuses another file in words', async () => {
    await show('#timeline', '.calls');
    const own = await textOf('#totals');
    const choose = (name: string, text: string) =>
      page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
    const recorder = new TraceRecorder();
    const { ids } = await inNode(EXAMPLES[0], { maxNewTokens: 9, gamma: 2, trace: recorder });
    await choose('trace.jsonl', await writtenByCommand(recorder.trace));
    const said = `${recorder.trace.rounds.length} rounds, ${ids.length} tokens.`;
    await page.waitForFunction((text) => document.querySelector('#totals')?.textContent?.startsWith(text), said);
    await page.getByRole('button', { name: 'Round 2', exact: true }).click();
    expect(await textOf('#detail')).toMatch(/^Round 2: 2 proposed, \d kept/);
    expect(page.url()).toMatch(/#timeline\?round=1$/);
    await choose('letter.txt', 'not a trace');
    expect(await page.textContent('.problem')).toMatch(/letter\.txt: expected a trace/);
    await page.getByRole('button', { name: 'Back to this page’s run' }).click();
    expect(await textOf('#totals')).toBe(own);
  });

  test('says what of a link cannot be, and what is used instead', async () => {
    await show('#round?gamma=many&temperature=9', '.problem');
    expect(await textOf('.problem')).toMatch(/gamma “many”.* 4 is used.*temperature “9”/);
  });

  test('all that time nothing was requested after loading, no cookie was set, and the console has no error', async () => {
    const names = opened.requests.map((url) => new URL(url).pathname.slice(1));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names.at(-1)).toMatch(/^models\/modernize-target\//);
    expect(await page.context().cookies()).toEqual([]);
    expect(opened.errors).toEqual([]);
  });
});
