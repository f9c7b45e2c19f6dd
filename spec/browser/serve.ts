import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.join(__dirname, '..', '..');

/** The page's script: the project itself, with browser twins in place of `x.node`, and gpu.js's browser build. */
export async function bundlePage(entry: string): Promise<string> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    logLevel: 'warning',
    plugins: [
      {
        name: 'browser-twins',
        setup({ onResolve }) {
          onResolve({ filter: /^\.{1,2}\/.*\.node$/ }, ({ path: name, resolveDir }) => {
            const twin = path.join(resolveDir, `${name.slice(0, -'.node'.length)}.browser.ts`);
            return existsSync(twin) ? { path: twin } : { errors: [{ text: `expected ${twin}, found none` }] };
          });
        },
      },
    ],
  });
  return result.outputFiles[0].text;
}

/** A page on its own: it may share memory between threads. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** What a page may ask for: files of the bundled pair, and of the goldens under goldens/. */
function fileOf(name: string): string | null {
  if (/^modernize-(target|draft)\/[\w.]+$/.test(name)) return path.join(ROOT, 'models', name);
  if (/^goldens\/([\w.-]+\/)?[\w.-]+$/.test(name) && !name.includes('..')) return path.join(ROOT, 'spec', 'data', name);
  return null;
}

/** Serves the page and its script, models/ and goldens/ on 127.0.0.1. */
export async function servePage(script: string, { isolated = false } = {}): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1);
    if (isolated) for (const [header, value] of Object.entries(ISOLATED)) response.setHeader(header, value);
    if (name === '')
      return response.setHeader('content-type', 'text/html; charset=utf-8').end('<script src="/page.js"></script>');
    if (name === 'page.js') return response.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
    const file = fileOf(name);
    if (file === null || !existsSync(file)) return response.writeHead(404).end();
    return response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
