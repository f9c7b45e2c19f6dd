/**
 * Measures the explorer in Chromium on a local server: first paint, first token of the bundled pair, and tasks that keep the main
 * thread for more than 50 ms during a tour of all panels. Beside the length of a task it prints the processor time that it took: on
 * a busy machine a task waits for a processor. It prints them; nothing here fails.
 *
 *   npx ts-node scripts/explorer-bars.ts
 */
import { cpus } from 'node:os';
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
  /** What ran inside it, and how long each of them took and computed. */
  readonly parts: readonly string[];
}

const LOADS = 5;
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

/** Waits for an element without asking again and again, which would keep the page's thread busy. */
function untilThere(page: Page, selector: string): Promise<void> {
  return page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        const look = () => document.querySelector(wanted) !== null && resolve();
        new MutationObserver(look).observe(document, { childList: true, subtree: true });
        look();
      }),
    selector,
  );
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
    await untilThere(page, ready);
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
  const inside = events.filter((event) => event.name !== TASK && event.pid === pid && event.tid === tid);
  const round = (microseconds = 0) => Math.round(microseconds / 1000);
  return own.map(({ ts, dur = 0, tdur = 0 }) => ({
    panel: marks.findLast((mark) => mark.ts <= ts)?.name.slice(MARK.length) ?? 'start',
    milliseconds: round(dur),
    processor: round(tdur),
    parts: inside
      .filter((part) => part.ts >= ts && part.ts < ts + dur && (part.dur ?? 0) > dur / 8)
      .map((part) => `${part.name} ${round(part.dur)}/${round(part.tdur)}`),
  }));
}

interface Start {
  readonly firstPaint: number;
  readonly firstToken: number;
}

/** Loads the page in a browser that has not seen it, and waits until the race is over. */
async function load(browser: Browser, url: string): Promise<{ page: Page; start: Start }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(watch);
  await page.goto(`${url}#race`);
  await untilThere(page, '#verdict');
  const start = await page.evaluate(() => ({
    firstPaint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1,
    firstToken: (globalThis as unknown as { found: { firstToken: number } }).found.firstToken,
  }));
  return { page, start };
}

function middleAndWorst(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b).map(Math.round);
  return `${sorted[sorted.length >> 1]} ms, at worst ${sorted[sorted.length - 1]} ms`;
}

async function starts(browser: Browser, url: string): Promise<string> {
  const all: Start[] = [];
  for (let i = 0; i < LOADS; i++) {
    const { page, start } = await load(browser, url);
    await page.close();
    all.push(start);
  }
  const paints = middleAndWorst(all.map(({ firstPaint }) => firstPaint));
  const tokens = middleAndWorst(all.map(({ firstToken }) => firstToken));
  return `median of ${LOADS} loads: first paint ${paints}; first token ${tokens}`;
}

async function longTasks(browser: Browser, url: string): Promise<string> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await browser.startTracing(page, {
    categories: ['-*', 'toplevel', 'devtools.timeline', 'blink', 'cc', 'v8', 'blink.user_timing'],
  });
  await page.goto(`${url}#race`);
  await untilThere(page, '#verdict');
  await tour(page);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8'));
  await page.close();
  const tasks = tasksOf(traceEvents);
  const long = tasks.filter(({ milliseconds }) => milliseconds > LONG_MILLISECONDS);
  const said = long.map(
    ({ panel, milliseconds, processor, parts }) =>
      `${panel} ${milliseconds} ms (${processor} ms of processor), in it: ${parts.join(', ')}`,
  );
  const most = tasks.reduce((one, other) => (other.processor > one.processor ? other : one));
  return (
    `tasks over ${LONG_MILLISECONDS} ms: ${said.join('; ') || 'none'}\n` +
    `most processor time of a task: ${most.processor} ms (${most.panel})`
  );
}

async function main(): Promise<void> {
  const site = await serveSite(siteFolder());
  const browser = await launchChromium();
  try {
    console.log(`${cpus()[0].model}, ${cpus().length} cores; Chromium ${browser.version()}`);
    console.log(`${compressedBytes(site.folder)} bytes, compressed, without the models`);
    console.log(await starts(browser, site.url));
    console.log(await longTasks(browser, site.url));
  } finally {
    await browser.close();
    site.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
