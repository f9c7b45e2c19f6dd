import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ExploreOptions, type Explorer, startExplorer } from '../../server';

const folder = mkdtempSync(join(tmpdir(), 'tandem-explorer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes files below the folder, each with its own path as its text. */
function write(directory: string, files: readonly string[]): string {
  for (const file of files) {
    const path = join(folder, directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `text of ${directory}/${file}`);
  }
  return join(folder, directory);
}

/** The last one has the separator of Windows in its name, as every file in a folder has there. */
const PAGE = ['index.html', 'assets/a.js', 'assets/a.css', 'data.json', 'engine.wasm', 'assets/deep/b.txt', 'w\\c.js'];
const CHECKPOINT = [
  ...['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'spiece.model'],
  ...['model.safetensors', 'model-00001-of-00002.safetensors', 'model.safetensors.index.json'],
];
const OTHER = [
  ...['README.md', 'pytorch_model.bin', 'my_config.json', 'config.json.bak', 'spiece.model.old', 'old-spiece.model'],
  ...['model.safetensors.bak', 'secret.json', 'safetensors'],
];

/** What the server sends for a path as it is written, with nothing made of `..` on the way. */
function ask(address: string, path: string, { method = 'GET', host }: { method?: string; host?: string } = {}) {
  return new Promise<{ status?: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const headers = host === undefined ? {} : { Host: host };
    const { hostname, port } = new URL(address);
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          ...{ status: response.statusCode, headers: response.headers },
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the explorer’s server', () => {
  const page = write('page', PAGE);
  const models = write('models', [
    ...['big/config.json', 'big/model.safetensors', 'big/README.md', 'small/config.json', 'small/tokenizer.json'],
    'other/config.json',
  ]);
  const pair = {
    target: 'big',
    draft: 'small',
    files: { big: ['config.json', 'model.safetensors'], small: ['config.json'] },
  };
  writeFileSync(join(models, 'pair.json'), JSON.stringify(pair));
  const target = write('target', [...CHECKPOINT, ...OTHER]);
  const draft = write('draft', ['config.json', 'model.safetensors', 'README.md']);
  const open: Explorer[] = [];
  const start = async (options: Partial<ExploreOptions> = {}) => {
    const explorer = await startExplorer({ page, models, ...options });
    open.push(explorer);
    expect(explorer.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    return explorer.address;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((explorer) => explorer.stop()));
  });

  test.each([
    ['/', 'index.html', 'text/html; charset=utf-8'],
    ['/index.html', 'index.html', 'text/html; charset=utf-8'],
    ['/assets/a.js', 'assets/a.js', 'text/javascript; charset=utf-8'],
    ['/assets/a.css', 'assets/a.css', 'text/css; charset=utf-8'],
    ['/data.json', 'data.json', 'application/json'],
    ['/engine.wasm', 'engine.wasm', 'application/octet-stream'],
    ['/assets/deep/b.txt', 'assets/deep/b.txt', 'application/octet-stream'],
    ['/w/c.js', 'w\\c.js', 'text/javascript; charset=utf-8'],
  ])('sends %s with its type and length, isolated; HEAD gives the same without the text', async (path, file, type) => {
    const address = await start();
    const text = `text of page/${file}`;
    for (const method of ['GET', 'HEAD']) {
      const found = await ask(address, path, { method });
      expect([found.status, found.text]).toEqual([200, method === 'GET' ? text : '']);
      expect(found.headers).toMatchObject({
        'content-type': type,
        'content-length': String(text.length),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      });
    }
  });

  test('serves of the pair what it names, and nothing else', async () => {
    const address = await start();
    expect(JSON.parse((await ask(address, '/models/pair.json')).text)).toEqual(pair);
    for (const file of ['big/config.json', 'big/model.safetensors', 'small/config.json']) {
      expect(await ask(address, `/models/${file}`)).toMatchObject({ status: 200, text: `text of models/${file}` });
    }
    for (const path of [
      ...['/models/big/README.md', '/models/small/tokenizer.json', '/models/other/config.json', '/models', '/assets'],
      ...[
        '/../target/config.json',
        '/models/../page/index.html',
        '/models/..%2fpair.json',
        '/%2e%2e/target/config.json',
      ],
    ]) {
      const found = await ask(address, path);
      expect([path, found.status, JSON.parse(found.text).error.param]).toEqual([path, 404, null]);
    }
  });

  test.each([
    ['with a draft', draft, ['config.json', 'model.safetensors']],
    ['alone', undefined, undefined],
  ])('serves of a checkpoint %s the files that the page reads', async (_, own, drafts) => {
    const address = await start({ target, draft: own });
    const said = JSON.parse((await ask(address, '/models/pair.json')).text);
    expect({ ...said, files: null }).toEqual({
      ...{ target: 'target', draft: own === undefined ? null : 'draft' },
      ...{ prefix: '', examples: [], files: null },
    });
    expect([...said.files.target].sort()).toEqual([...CHECKPOINT].sort());
    expect(said.files.draft?.sort()).toEqual(drafts);
    const head = await ask(address, '/models/pair.json', { method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-type']]).toEqual([200, '', 'application/json']);
    for (const file of CHECKPOINT) {
      expect(await ask(address, `/models/target/${file}`)).toMatchObject({
        status: 200,
        text: `text of target/${file}`,
      });
    }
    for (const file of OTHER)
      expect([file, (await ask(address, `/models/target/${file}`)).status]).toEqual([file, 404]);
    expect((await ask(address, '/models/big/config.json')).status).toBe(404);
    expect((await ask(address, '/models/draft/config.json')).status).toBe(own === undefined ? 404 : 200);
  });

  test('takes GET and HEAD alone, from this machine’s own names alone', async () => {
    const address = await start();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const found = await ask(address, '/', { method });
      const { error } = JSON.parse(found.text);
      expect([found.status, found.headers.allow, error.code]).toEqual([405, 'GET, HEAD', 'method_not_allowed']);
      expect(error.message).toContain(`'${method}'`);
    }
    expect((await ask(address, '/', { host: 'rebound.example' })).status).toBe(403);
    expect((await ask(address, '/', { host: 'localhost:1' })).status).toBe(200);
  });

  test('is refused without a page, and where somebody listens already', async () => {
    await expect(startExplorer({ page: models, models })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('models'),
    });
    const port = Number(new URL(await start()).port);
    await expect(startExplorer({ page, models, port })).rejects.toMatchObject({
      code: 'io-failed',
      message: expect.stringMatching(new RegExp(`port ${port}, found EADDRINUSE`)),
    });
  });

  test('stops: nobody listens any more', async () => {
    const address = await start();
    await ask(address, '/');
    await open.pop()?.stop();
    await expect(ask(address, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
