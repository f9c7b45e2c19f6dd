import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { ISOLATED, launchChromium, openPage, serve } from './chromium';
import { Project } from './project';

/** Imports the package's browser build as it is, without a bundler. */
const SCRIPT = `import { Tandem } from '/tandem/index.mjs';
  async function tell() {
    const tandem = await Tandem.load(undefined, { bundledUrl: '/models/', threads: 2 });
    const { text } = await tandem.generate('And it came to pass.', { maxNewTokens: 6 });
    const { name: backend, threads, reason } = tandem.backend;
    await tandem.dispose();
    return { text, backend, threads, reason };
  }
  window.told = await tell().catch((error) => ({ error: String(error) }));`;

/** Allows nothing but files of the page's own server. */
const STRICT = "default-src 'self'; object-src 'none'; base-uri 'none'";
const WITH_WASM = `${STRICT}; script-src 'self' 'wasm-unsafe-eval'`;
const text = 'It came to pass.';

describe('a page without a bundler', () => {
  const project = new Project();
  let browser: Browser;

  beforeAll(async () => {
    project.install([process.env.TANDEM_TARBALL as string], 120);
    project.write('page/index.html', '<!doctype html><script type="module" src="/page.mjs"></script>');
    project.write('page/page.mjs', SCRIPT);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    project.dispose();
  });

  async function told(headers: Readonly<Record<string, string>>) {
    const installed = join(project.folder, 'node_modules', 'tandem-t5');
    const folders = { '/': join(project.folder, 'page/'), '/tandem/': join(installed, 'dist', 'browser/') };
    const { url, server } = await serve({ ...folders, '/models/': join(installed, 'models/') }, headers);
    try {
      return await openPage(browser, url);
    } finally {
      server.close();
    }
  }

  test('that is isolated decodes with two threads', async () => {
    expect(await told(ISOLATED)).toMatchObject({ text, backend: 'wasm', threads: 2 });
  });

  test('that is not isolated decodes with one thread', async () => {
    expect(await told({})).toMatchObject({ text, backend: 'wasm', threads: 1 });
  });

  test('with the documented policy decodes with two threads', async () => {
    const policy = { 'content-security-policy': `${WITH_WASM}; worker-src blob:` };
    expect(await told({ ...ISOLATED, ...policy })).toMatchObject({ text, backend: 'wasm', threads: 2 });
  });

  test('whose policy refuses workers decodes with one thread and says so', async () => {
    const found = await told({ ...ISOLATED, 'content-security-policy': WITH_WASM });
    expect(found).toMatchObject({ text, backend: 'wasm', threads: 1 });
    expect(found.reason).toMatch(/worker/i);
  });

  test('whose policy refuses WebAssembly too decodes in plain JavaScript and says so', async () => {
    const found = await told({ ...ISOLATED, 'content-security-policy': STRICT });
    expect(found).toMatchObject({ text, backend: 'cpu', threads: 1 });
    expect(found.reason).toMatch(/wasm/i);
  });
});
