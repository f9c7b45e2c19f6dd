/**
 * Measures the explorer in Chromium on a local server: first paint, first token of the bundled pair, and tasks that keep the main
 * thread for more than 50 ms during a tour of all panels. Beside the length of a task it prints the processor time that it took: on
 * a busy machine a task waits for a processor. It prints them; nothing here fails.
 *
 *   npx ts-node scripts/explorer-bars.ts
 */
import type { Browser, Page } from 'playwright-core';
import { compressedBytes, PANELS, serveSite, siteFolder } from '../spec/explorer/site';
import { launchChromium } from '../spec/house/package/chromium';

/** An event of Chromium's trace; times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** Processor time of the thread. */
  readonly tdur?: number;
  readonly args?: { readonly data?: { readonly type?: string } };
}

interface Task {
  readonly panel: string;
  readonly milliseconds: number;
  readonly processor: number;
}

const LONG_MILLISECONDS = 50;
/** How Chromium's trace calls a task of a thread. */
const TASK = 'ThreadControllerImpl::RunTask';
/** The page marks with this where it goes to another panel. */
const MARK = 'panel:';

/** Runs in the page before its own code does. */
function watch(): void {
  const found = { firstToken: 0 };
  Object.assign(globalThis, { found });
  new MutationObserver(() => {
    if (found.firstToken === 0 && document.querySelector('.lane .token')) found.firstToken = performance.now();
  }).observe(document, { childList: true, subtree: true });
}

async function tour(page: Page): Promise<void> {
  for (const [panel, ready] of Object.entries(PANELS)) {
    await page.evaluate(
      ({ to, mark }) => {
        performance.mark(mark + to);
        location.hash = to;
      },
      { to: panel, mark: MARK },
    );
    await page.waitForSelector(ready, { timeout: 60_000 });
    if (panel === 'round') for (let step = 0; step < 12; step++) await page.keyboard.press('ArrowRight');
    if (panel === 'attention') await page.locator('.read-tokens button').nth(4).click();
    if (panel === 'play') await page.locator('input[name=gamma]').fill('7');
    await page.waitForTimeout(300);
  }
}

/** Tasks of the thread that the page's marks are of. */
function tasksOf(events: readonly TraceEvent[]): Task[] {
  const marks = events.filter(({ name }) => name.startsWith(MARK));
  const [{ pid, tid }] = marks;
  const own = events.filter((event) => event.name === TASK && event.pid === pid && event.tid === tid);
  return own.map(({ ts, dur = 0, tdur = 0 }) => ({
    panel: marks.findLast((mark) => mark.ts <= ts)?.name.slice(MARK.length) ?? 'start',
    milliseconds: Math.round(dur / 1000),
    processor: Math.round(tdur / 1000),
  }));
}

async function measure(browser: Browser, url: string): Promise<string> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(watch);
  await browser.startTracing(page, { categories: ['-*', 'toplevel', 'devtools.timeline', 'blink.user_timing'] });
  await page.goto(`${url}#race`);
  await page.waitForSelector('#verdict', { timeout: 60_000 });
  await tour(page);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8'));
  const [firstPaint, firstToken] = await page.evaluate(() => [
    performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1,
    (globalThis as unknown as { found: { firstToken: number } }).found.firstToken,
  ]);
  await page.close();
  const tasks = tasksOf(traceEvents);
  const long = tasks.filter(({ milliseconds }) => milliseconds > LONG_MILLISECONDS);
  const said = long.map((one) => `${one.panel} ${one.milliseconds} ms (${one.processor} ms of processor)`);
  return (
    `first paint ${Math.round(firstPaint)} ms, first token ${Math.round(firstToken)} ms\n` +
    `  tasks over ${LONG_MILLISECONDS} ms: ${said.join(', ') || 'none'}\n` +
    `  most processor time of a task: ${Math.max(...tasks.map(({ processor }) => processor))} ms`
  );
}

async function main(): Promise<void> {
  const site = await serveSite(siteFolder());
  const browser = await launchChromium();
  try {
    console.log(`${compressedBytes(site.folder)} bytes, compressed, without the models`);
    for (let i = 0; i < 2; i++) console.log(await measure(browser, site.url));
  } finally {
    await browser.close();
    site.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
