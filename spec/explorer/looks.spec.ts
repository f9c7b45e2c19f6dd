import type { Page } from 'playwright-core';
import { browserOf, describeIn } from '../browser/support/browsers';
import { openLoaded } from './opened';
import { EXAMPLES, type OpenedSite, PANELS, showPanel, violations } from './site';

/** Runs in the page: the height of the smallest letters that are drawn, in pixels of the screen. */
function smallestLetters(): number {
  const sizes = [...document.querySelectorAll('main *')]
    .filter((one) => [...one.childNodes].some(({ nodeType, nodeValue }) => nodeType === 3 && nodeValue?.trim()))
    .filter((one) => one.getClientRects().length > 0)
    .map((one) => {
      const scale = one instanceof SVGGraphicsElement ? (one.getScreenCTM()?.a ?? 1) : 1;
      return Number.parseFloat(getComputedStyle(one).fontSize) * scale;
    });
  return Math.min(...sizes);
}

/** Most elements that one rendering may add: more of them, with their layout, would keep the page from answering. */
const MOST_ADDED = 120;

/** Runs in the page before its own code: remembers how many elements a rendering added at most, by panel. */
function countAdded(): void {
  const added: Record<string, number> = {};
  Object.assign(globalThis, { added });
  new MutationObserver((changes) => {
    const elements = changes.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node instanceof Element);
    const count = elements.reduce((sum, element) => sum + 1 + element.querySelectorAll('*').length, 0);
    const [panel] = location.hash.split('?');
    added[panel] = Math.max(added[panel] ?? 0, count);
  }).observe(document, { childList: true, subtree: true });
}

const LONG = EXAMPLES.join(' ');

/** States of panels that have much to show, and one of the last elements of each. */
const LARGE: readonly (readonly [state: string, link: string, last: string])[] = [
  [
    'a race of many tokens',
    `race?length=120&draft=copy&text=${encodeURIComponent(LONG)}`,
    '.lane.target .token:nth-child(100)',
  ],
  [
    'a large tree',
    'round?branching=4,3,3,2&length=24',
    '.candidates > ul > li:nth-child(4) > ul > li:nth-child(3) li li',
  ],
  ['a round of many proposals', 'round?gamma=12&length=24', '.card:nth-child(13)'],
  [
    'attention to a long text',
    `attention?length=24&text=${encodeURIComponent(LONG)}`,
    '.read-tokens button:nth-child(140)',
  ],
  [
    'a timeline of many rounds',
    `timeline?gamma=0&length=120&text=${encodeURIComponent(LONG)}`,
    '[aria-label="Round 100"]',
  ],
];

describeIn(browserOf('chromium'), 'how the explorer looks', () => {
  let opened: OpenedSite;
  let page: Page;

  beforeAll(async () => {
    opened = await openLoaded('', (own) => own.addInitScript(countAdded));
    ({ page } = opened);
  });
  afterAll(() => opened?.close());

  const show = (hash: string, selector: string) => showPanel(page, hash, selector);

  describe.each(Object.entries(PANELS))('%s', (panel, ready) => {
    test.each([390, 1440])('has no violations of axe in light and in dark colours at %i pixels', async (width) => {
      await page.setViewportSize({ width, height: 900 });
      for (const theme of ['light', 'dark']) {
        await show(`#${panel}?theme=${theme}`, `:root[data-theme=${theme}] ${ready}`);
        expect([theme, ...(await violations(page))]).toEqual([theme]);
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    });

    test.each([390, 820])('fits into %i pixels', async (width) => {
      await page.setViewportSize({ width, height: 900 });
      await show(`#${panel}`, ready);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      // A curve learns the width of the window a frame after the panel.
      await page.waitForFunction(`(${smallestLetters})() >= 11`, undefined, { timeout: 5000 }).catch(() => undefined);
      expect(await page.evaluate(smallestLetters)).toBeGreaterThanOrEqual(11);
      await page.setViewportSize({ width: 1280, height: 900 });
    });
  });

  test.each(LARGE)('shows much of it, and shows it again: %s', async (_, link, last) => {
    await show(`#${link}`, last);
    await show('#own', '.own');
    await show(`#${link}`, last);
  });

  test(`all that time no rendering added more than ${MOST_ADDED} elements, whatever was shown`, async () => {
    const added = await page.evaluate(() => (globalThis as unknown as { added: Record<string, number> }).added);
    const counts = Object.keys(PANELS).map((panel) => [panel, added[`#${panel}`] ?? 0] as const);
    expect(counts.filter(([, count]) => count === 0 || count > MOST_ADDED)).toEqual([]);
  });
});
