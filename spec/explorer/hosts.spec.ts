import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startExplorer } from '../../server';
import { browserOf, describeIn } from '../browser/support/browsers';
import { launchChromium } from '../house/package/chromium';
import {
  brokenModel,
  developmentServer,
  LEVEL,
  ROOT,
  type Site,
  serveSite,
  siteFolder,
  untilLoaded,
  watchedPage,
  writeSharded,
} from './site';

/** What a test has opened: it is closed whatever becomes of the test, because a server that stays keeps jest from ending. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const HUB = 'https://huggingface.co/somebody/small-t5/resolve/main/';

/** Plays the hub with the bundled draft. @returns what the page asks for, as it asks: a file, and its range where it names one */
async function playHub(page: Page): Promise<string[]> {
  const asked: string[] = [];
  await page.route(`${HUB}*`, async (route) => {
    const name = route.request().url().slice(HUB.length);
    const { range } = await route.request().allHeaders();
    asked.push(range === undefined ? name : `${name} ${range}`);
    const file = join(ROOT, 'models', 'modernize-draft', name);
    const headers = { 'access-control-allow-origin': '*' };
    if (!existsSync(file)) return route.fulfill({ status: 404, headers });
    const body = readFileSync(file);
    const [, from, to] = (/^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []).map(Number);
    if (from === undefined) return route.fulfill({ body, headers });
    return route.fulfill({ status: 206, body: body.subarray(from, to + 1), headers }); // other pages may not read its content-range
  });
  return asked;
}

describeIn(browserOf('chromium'), 'the explorer', () => {
  let folder: string;
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    folder = siteFolder();
    site = await serveSite(folder);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  describe('on a host that cannot send headers', () => {
    let ordinary: Site;
    beforeAll(async () => {
      ordinary = await serveSite(folder, false);
    });
    afterAll(() => ordinary?.close());

    test('a service worker isolates the page, which then has threads', async () => {
      const { page: other, errors } = await watchedPage(browser);
      await other.goto(`${ordinary.url}#race?threads=2`);
      await untilLoaded(other);
      expect(await other.evaluate(() => crossOriginIsolated)).toBe(true);
      expect(await other.textContent('#machine')).toMatch(/, 2 threads$/);
      expect(errors).toEqual([]);
      await other.close();
    });

    test('without a service worker one thread decodes', async () => {
      const { page: other } = await watchedPage(browser, { serviceWorkers: 'block' });
      await other.goto(ordinary.url);
      await untilLoaded(other);
      expect(await other.textContent('#machine')).toMatch(/, 1 thread$/);
      await other.waitForSelector('#verdict', { timeout: 60_000 });
      await other.close();
    });
  });

  test('takes a model of one’s own: says what it needs, refuses a broken one in words, loads it, and every panel has it', async () => {
    const { page: other, errors } = await watchedPage(browser);
    await other.goto(`${site.url}#own?level=${LEVEL}`);
    await untilLoaded(other);
    const draft = join(ROOT, 'models', 'modernize-draft');
    const broken = brokenModel();
    await other.locator('input[name=target]').setInputFiles(broken);
    await other.waitForSelector('.problem');
    expect(await other.textContent('.problem')).toMatch(/config\.json.*expected.*JSON/);
    rmSync(broken, { recursive: true });
    await other.locator('input[name=target]').setInputFiles(draft);
    await other.waitForSelector('.facts');
    expect(await other.textContent('.facts')).toMatch(
      /modernize-draft: t5.*426,816 parameters, 1 MB in files, 1 MB in memory/,
    );
    await other.getByRole('button', { name: /^Load 1 MB/ }).click();
    await other.waitForFunction(() =>
      document.querySelector('#own-status')?.textContent?.startsWith('Loaded: modernize-draft.'),
    );
    await other.evaluate(() => {
      location.hash = '#race?text=modernize:+And+it+came+to+pass.';
    });
    await other.waitForSelector('#verdict');
    expect(await other.textContent('#verdict')).toMatch(/^✓/);
    expect(await other.locator('select[name=draft]').inputValue()).toBe('copy');
    expect(errors).toEqual([]);
    await other.close();
  });

  test('takes a model in shards by its address', async () => {
    const own = mkdtempSync(join(tmpdir(), 'tandem-shards-'));
    opened.push(() => rmSync(own, { recursive: true }));
    writeSharded(join(ROOT, 'models', 'modernize-draft'), own);
    const beside = await serveSite(folder, true, { '/own/': `${own}/` });
    opened.push(beside.close);
    const { page: other } = await watchedPage(browser);
    await other.goto(`${beside.url}#own?level=${LEVEL}`);
    await untilLoaded(other);
    await other.locator('#target-address').fill(`${beside.url}own`);
    await other.getByRole('button', { name: 'Look' }).first().click();
    await other.waitForSelector('.facts');
    expect(await other.textContent('.facts')).toMatch(/own: t5.*426,816 parameters, 1 MB in files/);
    await other.getByRole('button', { name: /^Load 2 MB/ }).click();
    await other.waitForFunction(() =>
      /^Loaded: .*own\.$/.test(document.querySelector('#own-status')?.textContent ?? ''),
    );
    await other.close();
  });

  test('takes a hub id: the memory that it needs is shown before its weights are fetched', async () => {
    const { page: other, errors } = await watchedPage(browser);
    const asked = await playHub(other);
    await other.goto(`${site.url}#own?level=${LEVEL}&targetAddress=somebody/small-t5`);
    await untilLoaded(other);
    expect(asked).toEqual([]);
    await other.locator('#target-address').press('Enter');
    await other.waitForSelector('.facts');
    expect(await other.textContent('.facts')).toMatch(
      /somebody\/small-t5: t5, 426,816 parameters, 1 MB in files, 1 MB in/,
    );
    expect(asked.filter((name) => name.startsWith('model.'))).toEqual(['model.safetensors bytes=0-65535']);
    await other.getByRole('button', { name: /^Load 2 MB into memory/ }).click();
    await other.waitForFunction(
      () => document.querySelector('#own-status')?.textContent === 'Loaded: somebody/small-t5.',
    );
    expect(asked.filter((name) => name === 'model.safetensors')).toHaveLength(1);
    expect(new Set(asked).size).toBe(asked.length);
    expect(errors.filter((error) => !error.includes('404'))).toEqual([]);
    await other.close();
  });

  test('tandem explore shows a checkpoint of one’s own at once, isolated', async () => {
    const target = join(ROOT, 'models', 'modernize-draft');
    const explorer = await startExplorer({ page: folder, models: join(ROOT, 'models'), target });
    opened.push(() => explorer.stop());
    const { page: other, errors, requests } = await watchedPage(browser);
    await other.goto(`${explorer.address}#race?level=${LEVEL}&text=modernize:+And+it+came+to+pass.`);
    await other.waitForSelector('#verdict', { timeout: 60_000 });
    expect(await other.textContent('#verdict')).toMatch(/^✓/);
    expect(await other.textContent('#machine')).toMatch(/^ *target target, 426,816 parameters/);
    expect(await other.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(requests.filter((url) => !url.startsWith(explorer.address))).toEqual([]);
    expect(errors).toEqual([]);
    await other.close();
  });

  test('npm run explorer serves it from the sources, isolated', async () => {
    const server = developmentServer();
    opened.push(server.close);
    const { page: other, errors } = await watchedPage(browser);
    await other.goto(`${await server.address}#race`);
    await other.waitForSelector('#verdict', { timeout: 90_000 });
    expect(await other.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(errors).toEqual([]);
    await other.close();
  });

  test('leaves one core to the page, unless the link says how many threads there are', async () => {
    const { page: other } = await watchedPage(browser);
    await other.goto(site.url);
    await untilLoaded(other);
    const cores = await other.evaluate(() => navigator.hardwareConcurrency);
    const count = Math.min(Math.max(1, cores - 1), 8);
    expect(await other.textContent('#machine')).toMatch(new RegExp(`, ${count} threads?$`));
    await other.close();
  });

  test('says in words that the models are missing', async () => {
    const { page: other } = await watchedPage(browser);
    await other.route('**/models/**', (route) => route.fulfill({ status: 404 }));
    await other.goto(site.url);
    await other.waitForSelector('.problem');
    expect(await other.textContent('.problem')).toMatch(
      /did not load.*pair\.json: expected the file, found status 404/,
    );
    await other.close();
  });
});
