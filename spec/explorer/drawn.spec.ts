import type { Page } from 'playwright-core';
import { Tandem, type Trace, TraceRecorder } from '../../index';
import { browserOf, describeIn } from '../browser/support/browsers';
import { writtenByCommand } from './golden';
import { openLoaded, untilCount } from './opened';
import { attentionInNode, EXAMPLES, inNode, LEVEL, type OpenedSite, showPanel } from './site';

/** Where each token of a run came from. */
function originsOf({ rounds }: Trace, isCopied: boolean): string[] {
  return rounds.flatMap(({ tokens, accepted, proposal }) => {
    const last = accepted < proposal.length ? 'corrected' : proposal.length > 0 ? 'bonus' : 'target';
    return tokens.map((_, i) => (i < accepted ? (isCopied ? 'copied' : 'accepted') : last));
  });
}

/** Runs in the page: how tokens look, by their origin: the properties that make up their colour. */
function looksOf(tokens: Element[]): (readonly [origin: string, look: string])[] {
  return tokens.map((token) => {
    const { backgroundColor, backgroundImage, boxShadow } = getComputedStyle(token);
    return [token.classList[1] ?? '', [backgroundColor, backgroundImage, boxShadow].join(' ')] as const;
  });
}

describeIn(browserOf('chromium'), 'what the explorer draws', () => {
  let opened: OpenedSite;
  let page: Page;

  beforeAll(async () => {
    opened = await openLoaded(`#own?level=${LEVEL}`);
    ({ page } = opened);
  });
  afterAll(() => opened?.close());

  test.each(['model', 'copy'] as const)(
    'each token of the race has the colour of where it came from: draft %s',
    async (draft) => {
      const recorder = new TraceRecorder();
      const options = { maxNewTokens: 40, gamma: 4, temperature: 1, seed: 3 };
      if (draft === 'model') await inNode(EXAMPLES[0], { ...options, trace: recorder });
      else {
        const tandem = await Tandem.load(undefined, { backend: 'wasm', level: LEVEL, threads: 1, draft });
        await tandem.generate(EXAMPLES[0], { ...options, trace: recorder });
        await tandem.dispose();
      }
      const origins = originsOf(recorder.trace, draft === 'copy');
      const kept = draft === 'copy' ? 'copied' : 'accepted';
      expect(origins).toEqual(expect.arrayContaining([kept, 'corrected', 'bonus']));
      await showPanel(page, `#race?draft=${draft}&temperature=1&seed=3&length=40`, '#verdict');
      await page.waitForFunction(
        (wanted) =>
          [...document.querySelectorAll('.lane.draft .token')].map((one) => one.classList[1]).join() === wanted,
        origins.join(),
        { timeout: 20_000 },
      );
      const looks = await page.$$eval('.lane.draft .token', looksOf);
      const legend = await page.$$eval('.bar .legend .token', looksOf);
      expect(legend.map(([origin]) => origin)).toEqual(['accepted', 'corrected', 'bonus', 'copied']);
      expect(new Set(legend.map(([, look]) => look)).size).toBe(4);
      for (const look of looks.filter(([origin]) => origin !== 'target')) expect(legend).toContainEqual(look);
      const ticks = await page.$$eval('.lane.draft .tick', (all) => all.map((one) => one.classList[1]));
      expect(ticks).toEqual(origins);
    },
  );

  test.each([
    ['cross', null, null],
    ['cross', 1, null],
    ['cross', null, 2],
    ['cross', 2, 3],
    ['encoder', 1, 4],
  ] as const)('the map of attention is Node’s: %s, layer %s, head %s', async (kind, layer, head) => {
    const { ids } = await inNode(EXAMPLES[0], { maxNewTokens: 20 });
    const maps = await attentionInNode(EXAMPLES[0], ids);
    const readers = kind === 'cross' ? ids.length : maps.source.length;
    const size = readers * maps.source.length;
    const layers = layer === null ? maps[kind] : [maps[kind][layer - 1]];
    const heads = head === null ? Array.from({ length: maps.heads }, (_, i) => i) : [head - 1];
    const expected = Array.from({ length: size }, (_, i) =>
      layers.reduce((sum, map) => sum + heads.reduce((part, one) => part + map[one * size + i], 0), 0),
    );
    const most = Math.max(...expected);
    const query = Object.entries({ reads: kind, layer, head }).flatMap(([name, value]) =>
      value === null ? [] : `&${name}=${value}`,
    );
    await showPanel(page, `#attention?length=20${query.join('')}`, '.heat');
    const wanted = expected.map((weight) => Math.round(255 * Math.sqrt(weight / most)));
    await page.waitForFunction(
      ({ alphas, across }) => {
        const canvas = document.querySelector('.heat canvas') as HTMLCanvasElement | null;
        if (canvas?.width !== across || canvas.height !== alphas.length / across) return false;
        const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
          0,
          0,
          canvas.width,
          canvas.height,
        );
        return alphas.every((alpha, i) => Math.abs(data[i * 4 + 3] - alpha) <= 1);
      },
      { alphas: wanted, across: maps.source.length },
      { timeout: 10_000 },
    );
  });

  test('the strip of a trace has every call and every round, one after the other', async () => {
    const recorder = new TraceRecorder();
    await inNode(EXAMPLES[0], { maxNewTokens: 30, gamma: 2, trace: recorder });
    const { trace } = recorder;
    await showPanel(page, '#timeline?length=9', '.calls');
    const text = await writtenByCommand(trace);
    const file = { name: 'trace.jsonl', mimeType: 'application/json', buffer: Buffer.from(text) };
    await page.locator('input[type=file]').setInputFiles(file);
    const count = trace.rounds.length;
    await page.waitForFunction(
      (said) => document.querySelector('#totals')?.textContent?.startsWith(said),
      `${count} rounds, `,
    );
    const times = trace.rounds.flatMap(({ milliseconds: { draft, target } }) => [draft, target]);
    const whole = times.reduce((sum, time) => sum + time, 0);
    const drawn = times.filter((time) => time > 0);
    await untilCount(page, '.calls .call', drawn.length);
    const widths = await page.$$eval('.calls .call', (all) =>
      all.map((one) => Number.parseFloat((one as HTMLElement).style.width)),
    );
    for (const [i, time] of drawn.entries()) expect(widths[i]).toBeCloseTo((time / whole) * 100, 1);
    const names = await page.$$eval('.call-round', (all) => all.map((one) => one.getAttribute('aria-label')));
    expect(names).toEqual(trace.rounds.map((_, i) => `Round ${i + 1}`));
  });
});
