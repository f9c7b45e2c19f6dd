import { existsSync, readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { unasked } from '../kernels/gpu/support/device';
import { goldenPaths } from '../support/golden-files.node';
import { goldenFamilies, readGolden } from '../support/goldens';
import type { Outcome } from './harness';
import type { Decoding } from './page';
import { bundlePage, servePage } from './serve';

const CHROMIUM = process.env.TANDEM_CHROMIUM ?? '/usr/bin/chromium';
const MODEL_FILES = readdirSync(path.join(__dirname, '..', '..', 'models', 'modernize-draft'));

/** Software devices where there is no GPU (SwiftShader for both), no call to the outside, and WebGPU on Linux. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu-sandbox',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const missing = unasked('chromium', existsSync(CHROMIUM) ? null : `no ${CHROMIUM} (TANDEM_CHROMIUM names another)`);
const isAsked = (process.env.TANDEM_GPU ?? '').split(',').includes('chromium');
if (isAsked && missing !== null) throw new Error(missing); // a skip must not pass for a run
const title = missing === null ? 'gpu in Chromium' : `gpu in Chromium: skipped, ${missing}`;

(missing === null ? describe : describe.skip)(title, () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    const served = await servePage(await bundlePage('spec/browser/page.ts'));
    server = served.server;
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(served.url);
  });

  afterAll(async () => {
    await browser?.close();
    await new Promise((resolve) => server?.close(resolve));
  });

  test.each(['webgpu', 'webgl2'] as const)(
    '%s: every law of the backends holds, with products within 2e-7 of max|x| · Σ|w| and the rest within 2e-6',
    async (level) => {
      const outcomes: Outcome[] = await page.evaluate(
        (device) =>
          (globalThis as unknown as { runLaws(level: string, runs: number): Promise<Outcome[]> }).runLaws(device, 2),
        level,
      );
      expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
      expect(outcomes.length).toBeGreaterThanOrEqual(90);
      expect(errors).toEqual([]);
    },
    600_000,
  );

  test.each(['webgpu', 'webgl2'] as const)(
    '%s: goldens of every family, layer tensors and logits within 1e-5 of scale, tokens equal',
    async (level) => {
      const outcomes: Outcome[] = await page.evaluate(
        ([device, paths]) =>
          (globalThis as unknown as { runGpuGoldens(...args: unknown[]): Promise<Outcome[]> }).runGpuGoldens(
            device,
            paths,
          ),
        [level, goldenPaths()] as const,
      );
      expect(outcomes.filter(({ error }) => error !== null)).toEqual([]);
      expect(outcomes).toHaveLength(3 * (goldenFamilies().length + 1)); // one family in two types
      expect(errors).toEqual([]);
    },
    600_000,
  );

  test.each(['webgpu', 'webgl2'] as const)(
    '%s: the bundled pair speculates from the page, equal to plain greedy decoding and to the golden',
    async (level) => {
      const sentences = [...(readGolden('modernize-target').sentences ?? [])];
      const [{ source, greedy }] = sentences.sort((a, b) => a.greedy.tokens.length - b.greedy.tokens.length);
      const found: Decoding = await page.evaluate(
        ([device, files, ids, count]) =>
          (globalThis as unknown as { decodePair(...args: unknown[]): Promise<Decoding> }).decodePair(
            device,
            files,
            ids,
            {
              temperature: 0,
              gamma: 4,
              maxNewTokens: count,
            },
          ),
        [level, MODEL_FILES, source, greedy.tokens.length] as const,
      );
      expect(found.reason).toContain(`gpu (${level})`);
      expect(found.plain).toEqual(greedy.tokens);
      expect(found.speculative).toEqual(greedy.tokens);
      expect(found.accepted).toBeGreaterThan(0);
      expect(found.uploadedAfterLoad).toBeLessThan(100_000); // the target's weights are 55 million bytes
      expect(errors).toEqual([]);
    },
    600_000,
  );
});
