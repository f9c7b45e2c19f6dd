import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PageChannel } from './channel';

const ROOT = path.join(__dirname, '..', '..', '..');

/** What the server has beside models/ and the goldens. */
export interface PageFiles {
  /** The page's script, a classic one. */
  readonly script: string;
  /** The package's browser bundle, which is under /bundle/. */
  readonly bundle?: ReadonlyMap<string, Uint8Array>;
}

/** Builds the page's script: the project itself with `x.browser` in place of `x.node`, and the specs that run in the page. */
export function buildPage(): string {
  return buildInto(['--page', 'spec/browser/page/index.ts'], 'page.js', (file) => readFileSync(file, 'utf8'));
}

/** The package's browser bundle as it ships: its files, by name. */
export function buildBundle(): Map<string, Uint8Array> {
  return buildInto(['--browser'], 'browser', (folder) => {
    const names = readdirSync(folder);
    return new Map(names.map((name) => [name, readFileSync(path.join(folder, name))]));
  });
}

/** Runs the build with its output in a folder that is deleted after `read` has read it. */
function buildInto<T>(options: readonly string[], name: string, read: (output: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-build-'));
  try {
    const output = path.join(folder, name);
    const args = ['scripts/build.mjs', '--quiet', ...options, '--to', output];
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });
    return read(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Only a page with the first two headers may share memory between threads. */
const OPENER_POLICY = { 'cross-origin-opener-policy': 'same-origin' };
const EMBEDDER_POLICY = { 'cross-origin-embedder-policy': 'require-corp' };

const PAGE = '<!doctype html><meta charset="utf-8"><title>Tandem</title><script src="/page.js"></script>';

/** Scripts of the specs that pages and workers import as they are. */
const SCRIPT = /^[\w-]+\.mjs$/;

/** What a page may ask for: files of the bundled pair under models/, of the goldens under goldens/, and scripts. */
function fileOf(name: string): string | null {
  if (name.includes('..')) return null;
  if (/^models\/([\w-]+\/)?[\w.-]+$/.test(name)) return path.join(ROOT, name);
  if (/^goldens\/([\w.-]+\/)?[\w.-]+$/.test(name)) return path.join(ROOT, 'spec', 'data', name);
  return SCRIPT.test(name) ? path.join(__dirname, '..', 'page', name) : null;
}

/**
 * Serves on 127.0.0.1: the page `/isolated`, which may share memory between threads, the page `/ordinary`, which may not, their
 * script, and files. Everything else goes to the channel.
 */
export async function servePage(
  files: PageFiles,
  channel: PageChannel,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    respond(files, channel, request, response).catch((error: unknown) => {
      channel.fail(`the server failed at ${request.url}: ${error}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

async function respond(files: PageFiles, channel: PageChannel, request: IncomingMessage, response: ServerResponse) {
  const name = (request.url ?? '/').slice(1);
  if (name === 'isolated' || name === 'ordinary') {
    const policies = name === 'isolated' ? { ...OPENER_POLICY, ...EMBEDDER_POLICY } : {};
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...policies }).end(PAGE);
  }
  if (name === 'page.js') return sendScript(response, files.script);
  if (await channel.take(request, response)) return response;
  const module = files.bundle?.get(name.replace(/^bundle\//, ''));
  if (module !== undefined) return sendScript(response, module);
  const file = fileOf(name);
  if (file === null || !existsSync(file)) return response.writeHead(404).end();
  return SCRIPT.test(name) ? sendScript(response, readFileSync(file)) : sendFile(request, response, file);
}

/** The whole file, or the range of it that is asked for. */
function sendFile({ headers, method }: IncomingMessage, response: ServerResponse, file: string): ServerResponse {
  const { size } = statSync(file);
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  const [start, end] = range ? [Number(range[1]), Math.min(Number(range[2]), size - 1)] : [0, size - 1];
  const part = range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {};
  response.writeHead(range ? 206 : 200, { 'accept-ranges': 'bytes', 'content-length': end - start + 1, ...part });
  if (method === 'HEAD' || size === 0) return response.end();
  return createReadStream(file, { start, end }).pipe(response);
}

/** A worker of an isolated page is refused unless its script carries the policy too. */
function sendScript(response: ServerResponse, script: string | Uint8Array): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8', ...EMBEDDER_POLICY }).end(script);
}
