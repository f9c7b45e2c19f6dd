/**
 * Measures the explorer in Chromium on a local server: first paint, first token of the bundled pair, and tasks that keep the main
 * thread for more than 50 ms during a tour of all panels. It prints them; nothing here fails.
 *
 *   npx ts-node scripts/explorer-bars.ts
 */
import type { Browser, Page } from 'playwright-core';
import { buildSite, compressedBytes, PANELS, removeSite, serveSite } from '../spec/explorer/site';
import { launchChromium } from '../spec/house/package/chromium';

interface Measured {
  readonly firstPaint: number;
  readonly firstToken: number;
  readonly longTasks: readonly { readonly panel: string; readonly milliseconds: number }[];
}

/** Runs in the page before its own code does. */
function watch(): void {
  const found = { firstToken: 0, longTasks: [] as { panel: string; milliseconds: number }[] };
  Object.assign(globalThis, { found });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      found.longTasks.push({ panel: location.hash.replace(/\?.*/, ''), milliseconds: Math.round(duration) });
    }
  }).observe({ type: 'longtask', buffered: true });
  new MutationObserver(() => {
    if (found.firstToken === 0 && document.querySelector('.lane .token')) found.firstToken = performance.now();
  }).observe(document, { childList: true, subtree: true });
}

async function tour(page: Page): Promise<void> {
  for (const [panel, ready] of Object.entries(PANELS)) {
    await page.evaluate((to) => {
      location.hash = to;
    }, panel);
    await page.waitForSelector(ready, { timeout: 60_000 });
    if (panel === 'round') for (let step = 0; step < 12; step++) await page.keyboard.press('ArrowRight');
    if (panel === 'attention') await page.locator('.read-tokens button').nth(4).click();
    if (panel === 'play') await page.locator('input[name=gamma]').fill('7');
    await page.waitForTimeout(300);
  }
}

async function measure(browser: Browser, url: string): Promise<Measured> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(watch);
  await page.goto(`${url}#race`);
  await page.waitForSelector('#verdict', { timeout: 60_000 });
  await tour(page);
  const measured = await page.evaluate(() => {
    const { found } = globalThis as unknown as { found: Omit<Measured, 'firstPaint'> };
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return { firstPaint: Math.round(paint?.startTime ?? -1), ...found, firstToken: Math.round(found.firstToken) };
  });
  await page.close();
  return measured;
}

async function main(): Promise<void> {
  const site = await serveSite(buildSite());
  const browser = await launchChromium();
  try {
    console.log(`${compressedBytes(site.folder)} bytes, compressed, without the models`);
    for (let i = 0; i < 2; i++) {
      const { firstPaint, firstToken, longTasks } = await measure(browser, site.url);
      const tasks = longTasks.map(({ panel, milliseconds }) => `${panel} ${milliseconds} ms`).join(', ') || 'none';
      console.log(`first paint ${firstPaint} ms, first token ${firstToken} ms, tasks over 50 ms: ${tasks}`);
    }
  } finally {
    await browser.close();
    site.close();
    removeSite(site.folder);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
