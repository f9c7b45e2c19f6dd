import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { createBackend, loadModel, openCheckpoint } from '../../core';
import { DEFAULTS } from '../../explorer/page/settings';
import { type GenerateOptions, Tandem } from '../../index';
import { ISOLATED, launchChromium, serve } from '../house/package/chromium';

export const ROOT = join(__dirname, '..', '..');

/** Texts that the bundled pair is shown with. */
export const EXAMPLES: readonly string[] = JSON.parse(readFileSync(join(ROOT, 'models', 'pair.json'), 'utf8')).examples;

/** The level that both have: Node 20 has no relaxed SIMD, and bits may differ between levels. */
export const LEVEL = 'simd';

/** Settings of the runs that are compared with Node's. */
export const SAMPLED = { temperature: 1, seed: 7, gamma: 4 };

let loaded: Promise<Tandem> | undefined;

/** What Node gives for a text, with the bundled pair, which is loaded once, and with the page's γ. */
export async function inNode(text: string, options: GenerateOptions) {
  loaded ??= Tandem.load(undefined, { backend: 'wasm', level: LEVEL, threads: 1 });
  const page = options.branching ? {} : { gamma: DEFAULTS.gamma };
  return (await loaded).generate(text, { ...page, ...options });
}

/** Gives back what `inNode` loaded. */
export async function endNode(): Promise<void> {
  await (await loaded)?.dispose();
  loaded = undefined;
}

/** Panels, and what each of them has when its work is done. */
export const PANELS = {
  race: '#verdict',
  round: '.code',
  play: '.charts > :nth-child(2) svg',
  prove: '#samples',
  attention: '.heat',
  timeline: '.calls',
  machine: '#roofline',
  own: '.own',
} as const;

/** What the bundled target's heads read in Node, when they decided `ids`. */
export async function attentionInNode(text: string, ids: readonly number[]) {
  const backend = await createBackend('wasm', { level: LEVEL, threads: 1 });
  const checkpoint = await openCheckpoint(join(ROOT, 'models', 'modernize-target'));
  const model = await loadModel(checkpoint, backend);
  const source = (await checkpoint.tokenizer()).encode(`modernize: ${text}`);
  const maps = await model.attention(source, [model.startToken, ...ids.slice(0, -1)]);
  await checkpoint.dispose();
  model.dispose();
  await backend.dispose();
  return { ...maps, source };
}

/** Writes a checkpoint again with its tensors in two files and an index, as large ones are stored. */
export function writeSharded(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(from, name), join(to, name));
  const file = readFileSync(join(from, 'model.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__, ...tensors } = JSON.parse(file.toString('utf8', 8, start));
  const names = Object.keys(tensors);
  const index: Record<string, string> = {};
  for (const [i, own] of [names.slice(0, 9), names.slice(9)].entries()) {
    const shard = `model-0000${i + 1}-of-00002.safetensors`;
    const header: Record<string, unknown> = { __metadata__ };
    const parts: Buffer[] = [];
    let end = 0;
    for (const name of own) {
      const [first, last] = tensors[name].data_offsets;
      header[name] = { ...tensors[name], data_offsets: [end, end + last - first] };
      parts.push(file.subarray(start + first, start + last));
      end += last - first;
      index[name] = shard;
    }
    const text = JSON.stringify(header);
    const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(head.length));
    writeFileSync(join(to, shard), Buffer.concat([length, head, ...parts]));
  }
  writeFileSync(join(to, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: index }));
}

/** A directory with a config that breaks off. */
export function brokenModel(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-broken-'));
  writeFileSync(join(folder, 'config.json'), '{ "model_type": "t5", ');
  return folder;
}

/** The explorer, built as it ships, and served on 127.0.0.1. */
export interface Site {
  readonly folder: string;
  readonly url: string;
  close(): void;
}

/** What the site is built of. */
const SOURCES = ['explorer', 'common', 'weights', 'kernels', 'engine', 'decoding', 'testing', 'models'];
const BUILT = join(ROOT, 'build', 'explorer-spec');
const OLD_MILLISECONDS = 3_600_000;

/**
 * Builds the site as it ships, or takes what was built of the same sources: all specs share one folder, which none of them writes
 * into. @returns the folder
 */
export function siteFolder(): string {
  const folder = join(BUILT, hashOfSources());
  if (existsSync(folder)) return folder;
  mkdirSync(BUILT, { recursive: true });
  for (const name of readdirSync(BUILT)) {
    const old = join(BUILT, name);
    if (statSync(old).mtimeMs < Date.now() - OLD_MILLISECONDS) rmSync(old, { recursive: true, force: true });
  }
  const fresh = mkdtempSync(join(BUILT, 'unfinished-'));
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = ['build', '--config', 'explorer/vite.config.mjs', '--outDir', fresh, '--logLevel', 'warn'];
  const env = { ...process.env, NODE_ENV: 'production' }; // jest says `test`, and vite would build for development
  execFileSync(process.execPath, [vite, ...args], { cwd: ROOT, stdio: 'pipe', env });
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another process was first
  }
  return folder;
}

/** Of all contents, and of the names of weights with their sizes and dates. */
function hashOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  for (const source of SOURCES) {
    for (const name of readdirSync(join(ROOT, source), { recursive: true, encoding: 'utf8' }).sort()) {
      const file = join(ROOT, source, name);
      const facts = statSync(file);
      if (!facts.isFile()) continue;
      hash.update(`${source}/${name}\n`);
      hash.update(name.endsWith('.safetensors') ? `${facts.size} ${facts.mtimeMs}` : readFileSync(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** Folders by the prefix of the paths that they serve. */
type Folders = Readonly<Record<string, string>>;

/**
 * @param isolated whether the server sends the headers that let a page share memory
 * @param beside folders that are served beside the site, by their prefix
 */
export async function serveSite(folder: string, isolated = true, beside: Folders = {}): Promise<Site> {
  const folders = { '/': `${folder}/`, ...beside };
  const { url, server }: { url: string; server: Server } = await serve(folders, isolated ? ISOLATED : {});
  return {
    folder,
    url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Starts `npm run explorer`'s server on a free port. @returns its address, once it has one, and what ends it */
export function developmentServer(): { readonly address: Promise<string>; close(): void } {
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = ['--config', 'explorer/vite.config.mjs', '--host', '127.0.0.1', '--port', '0', '--clearScreen', 'false'];
  const server = spawn(process.execPath, [vite, ...args], { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' } });
  const address = new Promise<string>((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (part) => {
      said += part;
      const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    server.on('exit', () => reject(new Error(`vite ended: ${said}`)));
  });
  return { address, close: () => void server.kill() };
}

/** Bytes of the site without its models, each file compressed as a host sends it. */
export function compressedBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('models') && statSync(join(folder, name)).isFile())
    .map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length)
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** What a page did that it should not do, as it happens. */
export interface Watched {
  readonly page: Page;
  readonly errors: string[];
  readonly requests: string[];
}

export async function watchedPage(browser: Browser, options: Parameters<Browser['newPage']>[0] = {}): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url())) requests.push(request.url()); // threads start from text
  });
  return { page, errors, requests };
}

/** The site in Chromium, with one page. */
export interface OpenedSite extends Watched {
  readonly site: Site;
  readonly browser: Browser;
  /** Closes all, and gives back what `inNode` loaded. */
  close(): Promise<void>;
}

export async function openSite(folder = siteFolder()): Promise<OpenedSite> {
  const site = await serveSite(folder);
  const browser = await launchChromium().catch((error) => {
    site.close();
    throw error;
  });
  const close = async () => {
    await browser.close();
    site.close();
    await endNode();
  };
  return { site, browser, close, ...(await watchedPage(browser)) };
}

/** Waits until the models are loaded. */
export async function untilLoaded(page: Page): Promise<void> {
  await page.waitForSelector('#machine', { timeout: 60_000 });
}

/**
 * Rules of axe that the page breaks, with the elements that break them.
 *
 * @param only the rules to check; left out, all
 */
export async function violations(page: Page, only?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) {
    await page.addScriptTag({ path: join(ROOT, 'node_modules', 'axe-core', 'axe.min.js') });
  }
  return page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } };
    type Violation = { id: string; nodes: { html: string; failureSummary: string }[] };
    // Preloading would request the stylesheets again.
    const found = await axe.run({ preload: false, resultTypes: ['violations'], ...(runOnly && { runOnly }) });
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }, only);
}

/** Goes to another panel of the page that is open; the models stay. */
export async function showPanel(page: Page, hash: string, selector: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.waitForSelector(selector, { timeout: 60_000 });
}
