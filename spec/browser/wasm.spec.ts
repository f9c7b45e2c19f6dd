import { existsSync, readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { goldenPaths } from '../support/golden-files.node';
import { goldenFamilies, readGolden } from '../support/goldens';
import type { Outcome } from './harness';
import { bundlePage, servePage } from './serve';

const CHROMIUM = process.env.TANDEM_CHROMIUM ?? '/usr/bin/chromium';
const MODEL_FILES = readdirSync(path.join(__dirname, '..', '..', 'models', 'modernize-draft'));
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

const isAsked = (process.env.TANDEM_GPU ?? '').split(',').includes('chromium');
const missing = existsSync(CHROMIUM) ? null : `no ${CHROMIUM} (TANDEM_CHROMIUM names another)`;
if (isAsked && missing !== null) throw new Error(missing); // a skip must not pass for a run
const title = missing === null ? 'wasm in Chromium' : `wasm in Chromium: skipped, ${missing}`;

interface Decoded {
  readonly level: string;
  readonly threads: number;
  readonly plain: readonly number[];
  readonly speculative: readonly number[];
  readonly accepted: number;
}

(missing === null ? describe : describe.skip)(title, () => {
  let browser: Browser;
  const servers: Server[] = [];
  const errors: string[] = [];
  let isolated: Page;
  let usual: Page;

  beforeAll(async () => {
    const script = await bundlePage('spec/browser/page.ts');
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    const open = async (alone: boolean) => {
      const { url, server } = await servePage(script, { isolated: alone });
      servers.push(server);
      const page = await browser.newPage();
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(url);
      return page;
    };
    [isolated, usual] = [await open(true), await open(false)];
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
  });

  afterEach(() => {
    expect(errors).toEqual([]);
  });

  const call = <T>(page: Page, name: string, ...args: unknown[]): Promise<T> =>
    page.evaluate(
      ([of, list]) => (globalThis as unknown as Record<string, (...rest: unknown[]) => Promise<T>>)[of](...list),
      [name, args] as const,
    );

  test.each([
    ['simd', 1],
    ['simd', 2],
    ['relaxed-simd', 1],
    ['relaxed-simd', 3],
  ] as const)(
    '%s on %s threads: every law of the backends holds, with the tolerances of Node',
    async (level, threads) => {
      const outcomes = await call<Outcome[]>(isolated, 'runWasmLaws', { level, threads }, 5);
      expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
      expect(outcomes.length).toBeGreaterThanOrEqual(90);
    },
    120_000,
  );

  test('goldens of every family on two threads: tensors and logits within 1e-5 of scale, tokens equal', async () => {
    const outcomes = await call<Outcome[]>(isolated, 'runWasmGoldens', { threads: 2 }, goldenPaths());
    expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
    expect(outcomes).toHaveLength(3 * (goldenFamilies().length + 1)); // one family in two types
  }, 120_000);

  test('the bundled pair speculates on 1, 2 and 4 threads: plain and speculative ids are the golden’s', async () => {
    const [{ source, greedy }] = readGolden('modernize-target').sentences ?? [];
    for (const threads of [1, 2, 4]) {
      const settings = { temperature: 0, gamma: 4, maxNewTokens: greedy.tokens.length };
      const found = await call<Decoded>(isolated, 'decodeOnWasm', { threads }, MODEL_FILES, source, settings);
      expect(found).toMatchObject({ level: 'relaxed-simd', threads, plain: greedy.tokens, speculative: greedy.tokens });
      expect(found.accepted).toBeGreaterThan(0);
    }
  }, 120_000);

  test('a page that may not share memory gets one thread, whatever it asks for, and the same ids', async () => {
    const [{ source, greedy }] = readGolden('modernize-target').sentences ?? [];
    const settings = { temperature: 0, gamma: 4, maxNewTokens: greedy.tokens.length };
    const found = await call<Decoded>(usual, 'decodeOnWasm', { threads: 4 }, MODEL_FILES, source, settings);
    expect(found).toMatchObject({ threads: 1, plain: greedy.tokens, speculative: greedy.tokens });
  }, 120_000);
});
