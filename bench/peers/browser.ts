/**
 * Compares Tandem with transformers.js (onnxruntime's WebAssembly) in headless Chromium, on the same checkpoint, thread count,
 * source and tokens: `npm run bench:peers -- browser [--shape t5-small] [--threads 1] [--rounds 4]`. Each runtime has a page of its
 * own that may share memory between threads. In every round each takes one turn. Run bench/peers/setup.sh first.
 */
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { median, quantile } from 'simple-statistics';
import { table } from '../../cli/table';

const ROOT = path.join(__dirname, '..', '..');
const CHROMIUM = process.env.TANDEM_CHROMIUM ?? '/usr/bin/chromium';
/** `as loaded` is the float32 file as Tandem loads it when no type is named, beside the other runtime in float32. */
const DTYPES = ['f32', 'as loaded', 'q8'] as const;
const RUNTIMES = ['tandem', 'transformers.js'] as const;
type PageDtype = (typeof DTYPES)[number];

interface Turn {
  readonly milliseconds: number;
  readonly ids: readonly number[];
}

/** The call that a page makes in its turn. */
interface Work {
  readonly name: string;
  readonly call: 'decode' | 'encode';
  readonly args: readonly unknown[];
  readonly tokens: number;
}

export async function browserPeers(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      folder: { type: 'string', default: path.join(ROOT, 'build', 'peers') },
      shape: { type: 'string', default: 't5-small' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '4' },
      tokens: { type: 'string', default: '128' },
      json: { type: 'boolean', default: false },
    },
  });
  const { folder, shape } = values;
  const checkpoint = path.join(folder, 'checkpoints', `${shape}-f32`);
  if (!existsSync(checkpoint)) throw new Error(`peers: no checkpoint of ${shape}: run bench/peers/setup.sh ${shape}`);
  if (!existsSync(CHROMIUM)) throw new Error(`peers: no ${CHROMIUM} (TANDEM_CHROMIUM names another)`);
  const { url, server } = await serve(folder);
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      headless: true,
      args: ['--no-sandbox', '--disable-gpu'],
    });
    const files = readdirSync(checkpoint);
    const setting = { shape, threads: Number(values.threads), files };
    const pages = new Map<string, Page>();
    const versions: string[] = [];
    for (const dtype of DTYPES) {
      for (const runtime of RUNTIMES) {
        const page = await (await browser.newContext()).newPage();
        await page.goto(url);
        const ready = await call<{ version: string }>(page, 'prepare', { ...setting, runtime, dtype });
        if (dtype === 'f32') versions.push(ready.version);
        pages.set(`${runtime} ${dtype}`, page);
      }
    }
    const works = workOf(Number(values.tokens));
    const results = await takeTurns(pages, works, Number(values.rounds));
    if (values.json) console.log(JSON.stringify({ ...setting, files: undefined, versions, results }));
    else print(shape, setting.threads, versions, results);
  } finally {
    await browser?.close();
    server.close();
  }
}

function workOf(tokens: number): Work[] {
  const ids = (length: number) => [...Array.from({ length: length - 1 }, (_, i) => 3 + ((i * 9973) % 32000)), 1];
  return [
    { name: `64 ids → ${tokens} tokens`, call: 'decode', args: [ids(64), tokens], tokens },
    { name: 'encoder, 64 ids', call: 'encode', args: [ids(64)], tokens: 0 },
    { name: 'encoder, 512 ids', call: 'encode', args: [ids(512)], tokens: 0 },
  ];
}

function call<T>(page: Page, name: string, ...args: unknown[]): Promise<T> {
  return page.evaluate(
    ([of, list]) => (globalThis as unknown as Record<string, (...rest: unknown[]) => Promise<T>>)[of](...list),
    [name, args] as const,
  );
}

interface Result {
  readonly work: string;
  readonly dtype: PageDtype;
  /** Median milliseconds per call. */
  readonly tandem: number;
  readonly peer: number;
  /** Tandem's speed divided by the peer's, computed within each round; quartiles over the rounds. */
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
  /** Number of tokens at the start that are equal. */
  readonly agreeing: number;
}

async function takeTurns(pages: ReadonlyMap<string, Page>, works: readonly Work[], rounds: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const { name, call: method, args } of works) {
    for (const dtype of DTYPES) {
      const turns = RUNTIMES.map(() => [] as Turn[]);
      for (let round = -1; round < rounds; round++) {
        for (let i = 0; i < RUNTIMES.length; i++) {
          const one = (i + round + 2) % RUNTIMES.length; // the runtime that goes first alternates
          const turn = await call<Turn>(pages.get(`${RUNTIMES[one]} ${dtype}`) as Page, method, ...args);
          if (round >= 0) turns[one].push(turn); // round -1 compiles and warms up
        }
      }
      const [own, theirs] = turns.map((list) => list.map(({ milliseconds }) => milliseconds));
      const ratios = theirs.map((time, i) => time / own[i]);
      const [a, b] = turns.map((list) => list[0].ids);
      const differs = a.findIndex((token, i) => token !== b[i]);
      results.push({
        work: name,
        dtype,
        tandem: median(own),
        peer: median(theirs),
        ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
        agreeing: differs < 0 ? a.length : differs,
      });
    }
  }
  return results;
}

function print(shape: string, threads: number, versions: readonly string[], results: readonly Result[]): void {
  console.log(`${shape} in Chromium, ${threads} thread(s), greedy, batch 1\n`);
  const rows = results.map(({ work, dtype, tandem, peer, ratio, agreeing }) => {
    const { median: middle, low, high } = ratio;
    const against = `${middle.toFixed(2)}× (${low.toFixed(2)}–${high.toFixed(2)})`;
    return [work, dtype, tandem.toFixed(1), peer.toFixed(1), against, agreeing || ''];
  });
  const head = ['work', 'dtype', 'tandem ms', 'peer ms', "Tandem's speed over it (quartiles)", 'same tokens'];
  console.log(table(head, rows));
  console.log(`\n${versions.join('; ')}`);
}

/** The file behind a path of the page's server. Everything comes from 127.0.0.1; null for a path outside these folders. */
function fileOf(folder: string, name: string): string | null {
  const modules = path.join(folder, 'node', 'node_modules');
  const places: Readonly<Record<string, string>> = {
    'page.mjs': path.join(__dirname, 'browserPage.mjs'),
    tandem: path.join(ROOT, 'dist', 'browser'),
    transformers: path.join(modules, '@huggingface', 'transformers', 'dist'),
    ort: path.join(modules, 'onnxruntime-web', 'dist'),
    onnx: path.join(folder, 'onnx'),
    checkpoints: path.join(folder, 'checkpoints'),
  };
  const [first, ...rest] = path.posix.normalize(name).split('/');
  const place = places[first];
  return place === undefined || rest.includes('..') ? null : path.join(place, ...rest);
}

const KINDS: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

async function serve(folder: string): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => answer(folder, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-embedder-policy', 'require-corp');
  const name = decodeURIComponent((request.url ?? '/').slice(1).split('?')[0]);
  if (name === '') {
    response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .end('<script type="module" src="/page.mjs"></script>');
    return;
  }
  const file = fileOf(folder, name);
  if (file === null || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const { size } = statSync(file);
  const type = KINDS[path.extname(file)] ?? 'application/octet-stream';
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const [from, to] = range ? [Number(range[1]), range[2] === '' ? size - 1 : Number(range[2])] : [0, size - 1];
  const part = range ? { 'content-range': `bytes ${from}-${to}/${size}` } : {};
  response.writeHead(range ? 206 : 200, {
    'content-type': type,
    'content-length': to - from + 1,
    'accept-ranges': 'bytes',
    ...part,
  });
  if (request.method === 'HEAD' || size === 0) response.end();
  else createReadStream(file, { start: from, end: to }).pipe(response);
}
