import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { GenerateOptions } from '../../index';
import { browserOf, describeIn } from '../browser/support/browsers';
import { openLoaded } from './opened';
import { EXAMPLES, inNode, LEVEL, type OpenedSite, PANELS, showPanel, untilLoaded, watchedPage } from './site';

/** Short, so that each control is tried soon. */
const LENGTH = 12;
const BASE: GenerateOptions = { maxNewTokens: LENGTH, temperature: 1, gamma: 4 };

/** What a person does in Play, one after the other, and what changes in the options of Node by it. */
const ACTS: readonly (readonly [name: string, value: string, GenerateOptions])[] = [
  ['gamma', '7', { gamma: 7 }],
  ['temperature', '1.5', { temperature: 1.5 }],
  ['topK', '6', { topK: 6 }],
  ['topP', '0.75', { topP: 0.75 }],
  ['lenience', '0.3', { lenience: 0.3 }],
  ['seed', '11', { seed: 11 }],
  ['verification', 'block', { verification: 'block', lenience: undefined }],
  ['verification', 'coupled', { verification: 'coupled' }],
  ['verification', 'token', { verification: 'token', lenience: 0.3 }],
];

/** How far the next value of a slider is away: its text must be another one, or a slider that is off by one would not be seen. */
const NEXT = { topK: 1, topP: 0.05 } as const;

/** Every kind of draft that Play offers, and how often the target keeps its tokens. */
const DRAFTS: readonly (readonly [kind: string, least: number, most: number])[] = [
  ['self', 0.8, 1],
  ['layers:1', 0, 1],
  ['layers:2', 0, 1],
  ['copy', 0, 1],
  ['ngram', 0, 1],
  ['random', 0, 0.2],
  ['model', 0.2, 1],
];

/** States of the panels, as links say them. */
const LINKS: Readonly<Record<keyof typeof PANELS, string>> = {
  race: 'text=And+God+said.&draft=copy&gamma=2&temperature=0.5&seed=3',
  round: 'draft=model&branching=2,2,1&temperature=0.5&seed=3&round=2&step=3',
  play: 'draft=copy&verification=block&gamma=7&temperature=0.5&topK=9&topP=0.75&lenience=0.5&seed=3',
  prove: 'wrong=corrects+from+the+target+itself&models=5&seed=8000',
  attention: 'draft=ngram&reads=encoder&layer=2&head=3&by=read&at=5',
  timeline: 'draft=copy&gamma=2&temperature=0.5&seed=3&round=1&zoom=4',
  machine: 'draft=copy',
  own: 'targetAddress=somebody/a-t5&draftAddress=http://127.0.0.1:1/draft',
};

describeIn(browserOf('chromium'), 'what acts in the explorer', () => {
  let opened: OpenedSite;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    opened = await openLoaded(`#play?level=${LEVEL}&length=${LENGTH}&temperature=1`);
    ({ page, errors } = opened);
    await page.waitForSelector('.charts', { timeout: 60_000 });
  });
  afterAll(() => opened?.close());

  const textOf = async (selector: string) => ((await page.textContent(selector)) ?? '').trim();
  const control = (name: string) => page.locator(`.controls [name=${name}]`);
  const set = async (name: string, value: string) => {
    const isList = await control(name).evaluate((one) => one.tagName === 'SELECT');
    await (isList ? control(name).selectOption(value) : control(name).fill(value));
  };
  /** Does something in Play, and waits until its figures are those of the new setting. */
  const act = async (what: () => Promise<void>) => {
    const done = page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const box = document.querySelector('.play') as Element;
          const look = () => box.getAttribute('aria-busy') === 'false' && resolve();
          new MutationObserver(look).observe(box, { attributeFilter: ['aria-busy'] });
        }),
    );
    await what();
    await done;
  };
  const shown = () => textOf('.play .sample');

  test('every slider and choice of Play gives Node’s text for the new setting at once', async () => {
    let options = BASE;
    const texts = new Set<string>();
    for (const [name, value, changed] of ACTS) {
      options = { ...options, ...changed };
      await act(() => set(name, value));
      const { text } = await inNode(EXAMPLES[2], options);
      expect([name, value, await shown()]).toEqual([name, value, text]);
      const next = NEXT[name as keyof typeof NEXT];
      for (const other of next ? [Number(value) - next, Number(value) + next] : []) {
        expect((await inNode(EXAMPLES[2], { ...options, [name]: other })).text).not.toBe(text);
      }
      expect(page.url()).toContain(`${name}=${value}`);
      texts.add(text);
    }
    expect(texts.size).toBeGreaterThan(ACTS.length / 3);
    await act(() => page.getByRole('button', { name: '+1: the next seed' }).click());
    expect(await shown()).toBe((await inNode(EXAMPLES[2], { ...options, seed: 12 })).text);
    await act(() => page.getByRole('button', { name: 'Example 1' }).click());
    expect(await shown()).toBe((await inNode(EXAMPLES[0], { ...options, seed: 12 })).text);
  });

  test('every draft that Play offers drafts, and another type of weights is loaded', async () => {
    const offered = await control('draft').evaluate((one) =>
      [...one.children].map((option) => option.getAttribute('value')),
    );
    expect(offered.toSorted()).toEqual(DRAFTS.map(([kind]) => kind).toSorted());
    for (const [kind, least, most] of DRAFTS) {
      await act(() => set('draft', kind));
      const alpha = Number(await textOf('.play .figure strong'));
      expect([kind, alpha >= least && alpha <= most]).toEqual([kind, true]);
    }
    await act(() => set('dtype', 'f32'));
    expect(await textOf('#machine')).toContain('parameters in f32');
  });

  test('a link brings back what one saw: every control of every panel, and what was chosen in it', async () => {
    const { site, browser } = opened;
    const { page: other } = await watchedPage(browser);
    await other.goto(`${site.url}#own?${LINKS.own}`);
    await untilLoaded(other);
    for (const [panel, link] of Object.entries(LINKS)) {
      await showPanel(other, `#${panel}?${link}`, PANELS[panel as keyof typeof PANELS]);
      for (const [name, value] of new URLSearchParams(link)) {
        const field = other.locator(`main [name=${name}]`);
        if ((await field.count()) === 1) expect([panel, name, await field.inputValue()]).toEqual([panel, name, value]);
      }
      expect(other.url()).toContain(`#${panel}?${link}`);
    }
    await showPanel(other, `#timeline?${LINKS.timeline}`, '#detail');
    expect(await other.textContent('#detail')).toMatch(/^Round 2: /);
    expect(
      await other
        .locator('.calls-inner')
        .evaluate(({ clientWidth, parentElement }) => clientWidth / (parentElement as Element).clientWidth),
    ).toBeGreaterThan(3.5);
    await showPanel(other, `#round?${LINKS.round}`, '#where');
    await other.waitForFunction(() => document.querySelector('#where')?.textContent?.startsWith('round 3 '));
    expect(await other.textContent('#where')).toMatch(/step 4 of/);
    await other.close();
  });

  test('the strip of the timeline is zoomed, and exported with every call of the trace', async () => {
    await showPanel(page, `#timeline?level=${LEVEL}&length=${LENGTH}`, '.calls');
    const width = () => page.locator('.calls-inner').evaluate(({ clientWidth }) => clientWidth);
    const before = await width();
    await page.locator('input[name=zoom]').fill('12');
    expect((await width()) / before).toBeCloseTo(12, 0);
    expect(page.url()).toMatch(/zoom=12/);
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export as SVG' }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe('timeline.svg');
    const svg = readFileSync(await download.path(), 'utf8');
    const drawn = await page.evaluate((text) => {
      const file = new DOMParser().parseFromString(text, 'image/svg+xml');
      const { tagName, namespaceURI } = file.documentElement;
      const errors = [...file.querySelectorAll('parsererror')].map(({ textContent }) => textContent);
      return { errors, tagName, namespaceURI, calls: file.querySelectorAll('rect > title').length };
    }, svg);
    expect(drawn).toEqual({
      ...{ errors: [], tagName: 'svg', namespaceURI: 'http://www.w3.org/2000/svg' },
      calls: await page.locator('.calls .call').count(),
    });
    expect(errors).toEqual([]);
  });
});
