import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { ISOLATED, launchChromium, openPage, serve } from './chromium';
import { Project, ROOT } from './project';

/** Imports the package's browser build as it is, without a bundler. */
const SCRIPT = `import { Tandem } from '/tandem/index.mjs';
  async function tell() {
    const asked = new URL(location).searchParams.get('threads');
    const threadsAsked = asked === null ? undefined : Number(asked);
    const tandem = await Tandem.load(undefined, { bundledUrl: '/models/', threads: threadsAsked });
    const { text } = await tandem.generate('And it came to pass.', { maxNewTokens: 6 });
    const { name: backend, threads, reason } = tandem.backend;
    await tandem.dispose();
    return { text, backend, threads, reason };
  }
  window.told = await tell().catch((error) => ({ error: String(error) }));`;

const GPU_SCRIPT = `import { createBackend } from '/tandem/core.mjs';
  export async function tell() {
    try {
      const backend = await createBackend('gpu', { level: 'cpu' });
      const { name, reason } = backend.facts;
      await backend.dispose();
      return { backend: name, reason };
    } catch (error) {
      return { error: String(error) };
    }
  }`;

const BROWSERS = readFileSync(join(ROOT, 'docs', 'browsers.md'), 'utf8');
/** The policy that docs/browsers.md asks for. */
const POLICY = documentedPolicy();
const WITHOUT_WORKERS = POLICY.replace('; worker-src blob:', '');
const WITHOUT_WASM = WITHOUT_WORKERS.replace(" 'wasm-unsafe-eval'", '');

function documentedPolicy(): string {
  const [, policy] = /^Content-Security-Policy: (.*)$/m.exec(BROWSERS) ?? [];
  if (policy === undefined) throw new Error('docs/browsers.md: expected a line Content-Security-Policy, found none');
  return policy;
}

const text = 'It came to pass.';
/** On one core Tandem asks for no worker, so it has nothing to say about workers. */
const CORES = availableParallelism();

describe('a page without a bundler', () => {
  const project = new Project();
  let browser: Browser;

  beforeAll(async () => {
    project.install([process.env.TANDEM_TARBALL as string], 120);
    project.write('page/index.html', '<!doctype html><script type="module" src="/page.mjs"></script>');
    project.write('page/page.mjs', SCRIPT);
    const [, snippet] = /^```html\n([\s\S]*?)```/m.exec(BROWSERS) as string[];
    project.write(
      'page/snippet.html',
      `<!doctype html>${snippet.replace('</script>', 'window.told = { text };</script>')}`,
    );
    project.write(
      'page/gpu.html',
      '<!doctype html><script type="module">import { tell } from "/gpu.mjs"; window.told = await tell();</script>',
    );
    project.write(
      'page/gpu-worker.html',
      `<!doctype html><script type="module">
      const worker = new Worker('/gpu-worker.mjs', { type: 'module' });
      worker.onmessage = ({ data }) => { window.told = data; };
      worker.onerror = ({ message }) => { window.told = { error: message }; };
    </script>`,
    );
    project.write('page/gpu.mjs', GPU_SCRIPT);
    project.write('page/gpu-worker.mjs', 'import { tell } from "/gpu.mjs"; postMessage(await tell());');
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    project.dispose();
  });

  async function told(headers: Readonly<Record<string, string>>, file = '') {
    const installed = join(project.folder, 'node_modules', 'tandem-t5');
    const folders = { '/': join(project.folder, 'page/'), '/tandem/': join(installed, 'dist', 'browser/') };
    const { url, server } = await serve({ ...folders, '/models/': join(installed, 'models/') }, headers);
    try {
      return await openPage(browser, url + file);
    } finally {
      server.close();
    }
  }

  test('as docs/browsers.md has it decodes', async () => {
    expect(await told(ISOLATED, 'snippet.html')).toEqual({ text });
  });

  test('that is isolated decodes with two threads', async () => {
    expect(await told(ISOLATED, '?threads=2')).toMatchObject({ text, backend: 'wasm', threads: 2 });
  });

  test('that is not isolated decodes with one thread', async () => {
    expect(await told({})).toMatchObject({ text, backend: 'wasm', threads: 1 });
  });

  test('with the documented policy decodes with two threads', async () => {
    const found = await told({ ...ISOLATED, 'content-security-policy': POLICY }, '?threads=2');
    expect(found).toMatchObject({ text, backend: 'wasm', threads: 2 });
  });

  test('whose policy refuses workers decodes with one thread and says so', async () => {
    expect(WITHOUT_WORKERS).not.toBe(POLICY);
    const found = await told({ ...ISOLATED, 'content-security-policy': WITHOUT_WORKERS });
    expect(found).toMatchObject({ text, backend: 'wasm', threads: 1 });
    if (CORES > 1) expect(found.reason).toMatch(/worker-src blob:/);
  });

  test.each([
    ['whose policy refuses workers', { ...ISOLATED, 'content-security-policy': WITHOUT_WORKERS }, /worker-src blob:/],
    ['that is not isolated', {}, /Cross-Origin-Opener-Policy/],
  ])('%s refuses two threads that are asked for by number, with the reason', async (_, headers, reason) => {
    const { error } = await told(headers, '?threads=2');
    expect(error).toMatch(/expected 2 threads, found 1/);
    expect(error).toMatch(reason);
  });

  test('whose policy refuses WebAssembly too decodes in plain JavaScript and says so', async () => {
    expect(WITHOUT_WASM).not.toBe(WITHOUT_WORKERS);
    const found = await told({ ...ISOLATED, 'content-security-policy': WITHOUT_WASM });
    expect(found).toMatchObject({ text, backend: 'cpu', threads: 1 });
    expect(found.reason).toMatch(/wasm/i);
  });

  // gpu.js computes in JavaScript here: whether it is loaded does not depend on a gpu.
  test.each([
    ['the page itself', 'gpu.html'],
    ['a module worker', 'gpu-worker.html'],
  ])('has the gpu backend in reach, in %s', async (_, file) => {
    expect(await told({}, file)).toMatchObject({ backend: 'gpu', reason: expect.stringContaining('gpu (cpu)') });
  });
});
