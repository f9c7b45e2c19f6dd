import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { ISOLATED, launchChromium, openPage, serve } from './chromium';
import { Project, ROOT } from './project';

/** What a page and its worker do alike. */
const TELL = `import { Tandem } from 'tandem-t5';
  export async function tell() {
    const tandem = await Tandem.load(undefined, { bundledUrl: '/models/', threads: 2 });
    const { text } = await tandem.generate('And it came to pass.', { maxNewTokens: 6 });
    const { name: backend, threads } = tandem.backend;
    await tandem.dispose();
    return { text, backend, threads };
  }`;
const FAILED = `(error) => ({ error: String(error) })`;

describe('vite', () => {
  const project = new Project();
  let browser: Browser;

  beforeAll(async () => {
    project.install([process.env.TANDEM_TARBALL as string, 'vite@>=7'], 300);
    project.write('index.html', '<!doctype html><script type="module" src="/src/page.ts"></script>');
    project.write('worker.html', '<!doctype html><script type="module" src="/src/starter.ts"></script>');
    project.write('src/tell.ts', TELL);
    project.write('src/page.ts', `import { tell } from './tell'; window.told = await tell().catch(${FAILED});`);
    project.write(
      'src/worker.ts',
      `import { tell } from './tell'; tell().catch(${FAILED}).then((told) => postMessage(told));`,
    );
    project.write(
      'src/starter.ts',
      `const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = ({ data }) => { window.told = data; };
      worker.onerror = ({ message }) => { window.told = { error: message }; };`,
    );
    project.write(
      'vite.config.mjs',
      `export default { worker: { format: 'es' }, build: { rollupOptions: { input: ['index.html', 'worker.html'] } } };`,
    );
    cpSync(join(project.folder, 'node_modules', 'tandem-t5', 'models'), join(project.folder, 'public', 'models'), {
      recursive: true,
    });
    project.bin('vite', ['build', '--logLevel', 'warn']);
    cpSync(join(ROOT, 'examples', 'vite'), join(project.folder, 'example'), { recursive: true });
    project.bin('vite', [
      'build',
      'example',
      '--outDir',
      '../dist/example',
      '--base',
      '/example/',
      '--logLevel',
      'warn',
    ]);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    project.dispose();
  });

  test.each([
    ['a page', ''],
    ['a module worker', 'worker.html'],
  ])('built with vite, %s that imports the package decodes with two threads', async (_, path) => {
    const { url, server } = await serve({ '/': join(project.folder, 'dist/') }, ISOLATED);
    try {
      expect(await openPage(browser, url + path)).toEqual({ text: 'It came to pass.', backend: 'wasm', threads: 2 });
    } finally {
      server.close();
    }
  });

  test('examples/vite shows a text in its page, piece by piece, from a worker', async () => {
    const { url, server } = await serve({ '/': join(project.folder, 'dist/') }, ISOLATED);
    const page = await browser.newPage();
    try {
      await page.goto(`${url}example/index.html`);
      await page.click('button');
      await page.waitForFunction(() => document.querySelector('p')?.textContent === 'It came to pass.', null, {
        timeout: 120_000,
      });
      expect(await page.locator('p').evaluate(({ childNodes }) => childNodes.length)).toBeGreaterThan(1);
    } finally {
      await page.close();
      server.close();
    }
  });
});
