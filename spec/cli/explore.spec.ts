import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLED, buildCommand, expectOneLine, removeCommand, startTandem, tandem } from './command';

const ROOT = join(__dirname, '..', '..');

let folder: string;
beforeAll(() => {
  buildCommand();
  if (!existsSync(join(ROOT, 'dist', 'explorer', 'index.html'))) {
    execFileSync(process.execPath, ['scripts/build.mjs', '--explorer', '--quiet'], { cwd: ROOT, stdio: 'pipe' });
  }
  folder = mkdtempSync(join(tmpdir(), 'tandem-explore-'));
});
afterAll(() => {
  removeCommand();
  rmSync(folder, { recursive: true, force: true });
});

/** The explorer in a process of its own, when it listens. */
async function started(...args: string[]) {
  const child = startTandem(['explore', '--port', '0', ...args]);
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const [, address] = /^tandem: the explorer is on (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec(String(said)) ?? [];
  return { child, closed, address };
}

/** The status of a request whose Host or method or path is not what fetch would send. */
function statusOf(address: string, options: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(address, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('tandem explore', () => {
  test('serves the page of the package and the bundled pair, isolated, to this machine alone; SIGTERM ends it with 0', async () => {
    const { child, closed, address } = await started();
    const page = await fetch(address);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
    const html = await page.text();
    for (const [, file] of html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
      expect([file, (await fetch(new URL(file, address))).status]).toEqual([file, 200]);
    }
    const pair = await (await fetch(new URL('models/pair.json', address))).json();
    expect(pair).toMatchObject({ target: 'modernize-target', draft: 'modernize-draft' });
    const weights = await fetch(new URL('models/modernize-draft/model.safetensors', address), { method: 'HEAD' });
    expect(Number(weights.headers.get('content-length'))).toBeGreaterThan(400_000);
    expect(await statusOf(address, { headers: { Host: 'rebound.example' } })).toBe(403);
    expect(await statusOf(address, { method: 'POST' })).toBe(405);
    expect(await statusOf(address, { path: '/../package.json' })).toBe(404);
    expect(await statusOf(address, { path: '/models/modernize-target/README.md' })).toBe(404);
    expect(await statusOf(address, { path: '/models/..%2f..%2fpackage.json' })).toBe(404);
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
  });

  test('names the files of a checkpoint of one’s own, and serves no others of its directory', async () => {
    const { child, closed, address } = await started('--model', BUNDLED.draft);
    const pair = await (await fetch(new URL('models/pair.json', address))).json();
    expect(pair).toMatchObject({ target: 'target', draft: null, prefix: '', examples: [] });
    expect(pair.files.target).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']));
    for (const file of pair.files.target) {
      expect([file, (await fetch(new URL(`models/target/${file}`, address), { method: 'HEAD' })).status]).toEqual([
        file,
        200,
      ]);
    }
    expect((await fetch(new URL('models/target/README.md', address))).status).toBe(404);
    child.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
  });

  test.each<[string, () => string[], number, RegExp]>([
    ['no directory', () => ['--model', './no-model'], 1, /--model '\.\/no-model': expected a directory, found none/],
    ['a file', () => ['--model', 'package.json'], 1, /--model 'package\.json': expected a directory, found a file/],
    ['a directory without a model', () => ['--model', folder], 1, /config\.json/],
    ['a draft alone', () => ['--draft', BUNDLED.draft], 2, /expected --model beside --draft, found none/],
    [
      'a port that is none',
      () => ['--port', '99999'],
      2,
      /--port: expected a whole number from 0 to 65535, found '99999'/,
    ],
    ['a text', () => ['Thou'], 2, /too many arguments/],
  ])('%s: one line, and nothing is served', (_, args, status, message) => {
    const found = tandem(['explore', ...args()]);
    expect([found.status, found.stdout]).toEqual([status, '']);
    expectOneLine(found, message);
  });

  test('a checkpoint that has only files of torch.save, and a broken one: one line', () => {
    writeFileSync(join(folder, 'config.json'), '{ "model_type": "t5", ');
    expectOneLine(
      tandem(['explore', '--model', folder]),
      /expected weights in safetensors, which the page reads, found none/,
    );
    writeFileSync(join(folder, 'model.safetensors'), 'no tensors');
    expectOneLine(tandem(['explore', '--model', folder]), /config\.json.*expected/);
  });
});
