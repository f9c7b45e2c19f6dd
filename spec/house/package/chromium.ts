import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = process.env.TANDEM_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Without these headers a page has no SharedArrayBuffer, and Tandem computes on one thread. */
export const ISOLATED: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export async function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`expected ${CHROMIUM} (TANDEM_CHROMIUM names another), found none`);
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}

/** What a page of a try tells. */
export interface Told {
  readonly text?: string;
  readonly backend?: string;
  readonly threads?: number;
  readonly reason?: string;
  /** Why there is no text. */
  readonly error?: string;
}

/** Opens a page and waits for `window.told`. What the page logs as an error goes into the error of a page that never tells. */
export async function openPage(browser: Browser, url: string): Promise<Told> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  try {
    await page.goto(url);
    const told = await page.waitForFunction(() => (globalThis as unknown as { told?: Told }).told, null, {
      timeout: 120_000,
    });
    return (await told.jsonValue()) as Told;
  } catch (error) {
    throw new Error(`${url}: ${String(error)}\n${errors.join('\n')}`);
  } finally {
    await page.close();
  }
}

/** Serves folders on 127.0.0.1: the longest prefix of a path decides the folder. */
export async function serve(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<{ url: string; server: Server }> {
  const prefixes = Object.keys(folders).sort((a, b) => b.length - a.length);
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://a').pathname));
    const prefix = prefixes.find((one) => path.startsWith(one)) as string;
    const inner = path.slice(prefix.length) || 'index.html';
    const file = join(folders[prefix], inner);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    return response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
