import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { quoted, TandemError } from '../common';
import { checkHost } from './access';
import type { ExploreOptions, Explorer } from './explorer';
import { failureOf, RequestError } from './failure';
import { closing, listen } from './listening';

/** This machine alone reaches the page and the checkpoints. */
const HOST = '127.0.0.1';
const HEADERS = {
  // With these two a page may share memory between threads.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
};
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
};
/** Files of a checkpoint's directory that the page reads; nothing else of it is served. */
const READ =
  /^(config|generation_config|tokenizer|tokenizer_config)\.json$|^spiece\.model$|\.safetensors(\.index\.json)?$/;

/** Serves the explorer's page. See `startExplorer` of ./index. */
export async function startExplorer(options: ExploreOptions): Promise<Explorer> {
  const files = filesOf(options);
  const app = new Hono();
  app.use(async (context, next) => {
    checkHost(context.req.header('host') ?? null);
    await next();
  });
  app.all('*', ({ req: { method, path } }) => {
    if (method !== 'GET' && method !== 'HEAD') {
      const headers = { Allow: 'GET, HEAD' };
      const details = { code: 'method_not_allowed', headers };
      throw new RequestError(405, `expected GET or HEAD, found ${quoted(method)}`, details);
    }
    const content = files.get(path);
    if (content === undefined)
      throw new RequestError(404, `${quoted(path)}: expected a file of the explorer, found none`);
    return answer(content, path, method === 'HEAD');
  });
  app.onError((error) => failureOf(error).response);
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
  const { port = 0 } = options;
  await listen(server, { host: HOST, port }, `explore: expected to listen on port ${port}`);
  const stop = () => closing(server)(1000);
  return { address: `http://${HOST}:${(server.address() as AddressInfo).port}/`, stop };
}

/** A file on disk, or text that was made here. */
type Content = { readonly file: string } | { readonly text: string };

/** All that is served, by path: a path that is not in here has no answer, so none leads out of the folders. */
function filesOf({ page, models, target, draft }: ExploreOptions): Map<string, Content> {
  if (!existsSync(join(page, 'index.html'))) {
    throw new TandemError(
      'not-found',
      `explore: expected the explorer's page in ${quoted(page)}, found none (npm run build makes it)`,
    );
  }
  const files = new Map<string, Content>();
  for (const name of readdirSync(page, { recursive: true, encoding: 'utf8' })) {
    if (statSync(join(page, name)).isFile()) files.set(`/${name.replaceAll('\\', '/')}`, { file: join(page, name) });
  }
  files.set('/', { file: join(page, 'index.html') });
  const add = (name: string, folder: string, wanted: (file: string) => boolean) => {
    const found = readdirSync(folder).filter(wanted);
    for (const file of found) files.set(`/models/${name}/${file}`, { file: join(folder, file) });
    return found;
  };
  if (target === undefined) {
    const pair = JSON.parse(readFileSync(join(models, 'pair.json'), 'utf8'));
    files.set('/models/pair.json', { file: join(models, 'pair.json') });
    for (const name of [pair.target, pair.draft])
      add(name, join(models, name), (file) => pair.files[name].includes(file));
    return files;
  }
  const isRead = (file: string) => READ.test(file);
  const listed: Record<string, string[]> = { target: add('target', target, isRead) };
  if (draft !== undefined) listed.draft = add('draft', draft, isRead);
  const pair = {
    target: 'target',
    draft: draft === undefined ? null : 'draft',
    prefix: '',
    examples: [],
    files: listed,
  };
  files.set('/models/pair.json', { text: JSON.stringify(pair) });
  return files;
}

function answer(content: Content, path: string, isHead: boolean): Response {
  const headers = {
    ...HEADERS,
    'Content-Type': TYPES[path === '/' ? '.html' : extname(path)] ?? 'application/octet-stream',
  };
  if ('text' in content) return new Response(isHead ? null : content.text, { headers });
  const length = { 'Content-Length': String(statSync(content.file).size) };
  const body = isHead ? null : (Readable.toWeb(createReadStream(content.file)) as ReadableStream);
  return new Response(body, { headers: { ...headers, ...length } });
}
