import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type FromPretrainedOptions, fromPretrained, httpSource } from '../../../weights';
import { hubEnvironment } from '../../../weights/hub/environment.node';
import { LockLost, withLock } from '../../../weights/hub/lock.node';
import { COMMIT, type FakeHub, fakeHub } from '../../support/fake-hub';

const ROOT = path.join(__dirname, '..', '..', '..');
const WEIGHTS = 'model.safetensors';
/** Bytes that come before an answer stalls. */
const STALL = 5000;

/** Files of a real, tiny checkpoint, and some that are not wanted. */
function files(directory = path.join(ROOT, 'spec', 'data', 'goldens', 't5-v1.0')): Record<string, Uint8Array> {
  const all = readdirSync(directory).map(
    (file) => [file, new Uint8Array(readFileSync(path.join(directory, file)))] as const,
  );
  const unwanted = { 'pytorch_model.bin': new Uint8Array(5000), 'README.md': new Uint8Array(10) };
  return { ...Object.fromEntries(all), ...unwanted };
}

describe('the hub', () => {
  let hub: FakeHub;
  let cacheDirectory: string;
  const content = files();

  beforeEach(async () => {
    hub = await fakeHub(content);
    cacheDirectory = mkdtempSync(path.join(tmpdir(), 'tandem-hub-'));
    blob = path.join(repository(), 'blobs', createHash('sha256').update(content[WEIGHTS]).digest('hex'));
  });

  afterEach(async () => {
    await hub.close();
    rmSync(cacheDirectory, { recursive: true, force: true });
  });

  const get = (options: FromPretrainedOptions = {}) =>
    fromPretrained('org/tiny', { endpoint: hub.endpoint, cacheDirectory, token: null, offline: false, ...options });
  const repository = () => path.join(cacheDirectory, 'models--org--tiny');
  const blobs = () => readdirSync(path.join(repository(), 'blobs'));
  const incomplete = () => blobs().filter((name) => name.endsWith('.incomplete'));

  let blob: string;
  const untilStalled = async () => {
    const size = () => statSync(`${blob}.incomplete`, { throwIfNoEntry: false })?.size;
    while (size() !== STALL) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('gives the model as the directory does, in Hugging Face’s cache layout, and only what is wanted', async () => {
    const seen: number[] = [];
    const checkpoint = await get({ onProgress: ({ loaded, total }) => seen.push(loaded / total) });
    expect(Buffer.from(await checkpoint.read('shared.weight'))).toHaveLength(
      checkpoint.tensors.get('shared.weight')?.bytes ?? 0,
    );
    expect(checkpoint.name).toBe('org/tiny');
    await checkpoint.dispose();
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const snapshot = path.join(repository(), 'snapshots', COMMIT);
    expect(readFileSync(path.join(repository(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(readFileSync(path.join(snapshot, WEIGHTS)).equals(Buffer.from(content[WEIGHTS]))).toBe(true);
    expect(hub.requests.map(({ path }) => path).sort()).toEqual(['config.json', WEIGHTS].sort());
  });

  it('fetches nothing twice, and works offline afterwards', async () => {
    await (await get()).dispose();
    const { length } = hub.requests;
    await (await get()).dispose();
    expect(hub.requests).toHaveLength(length);
    await hub.close();
    await (await get({ offline: true })).dispose();
    await (await get({ offline: true, revision: COMMIT })).dispose();
    await expect(get({ offline: true, revision: 'v1' })).rejects.toMatchObject({ code: 'offline' });
    await expect(get({ offline: true, revision: 'v1' })).rejects.toThrow(
      /revision v1 in the cache .* offline switch is on/,
    );
    await expect(get()).rejects.toThrow(/expected an answer from http:\/\/127.0.0.1:\d+, found/);
  });

  it('goes on after a cut connection with the bytes it has', async () => {
    hub.fault = { kind: 'cut', file: WEIGHTS, after: 3000, times: 2 };
    await (await get()).dispose();
    const ranges = hub.requests.filter(({ path }) => path === WEIGHTS).map(({ range }) => range);
    expect(ranges).toEqual([null, 'bytes=3000-', 'bytes=6000-']);
    expect(incomplete()).toEqual([]);
  });

  it('keeps the bytes of a download that was given up, and a later one goes on from them', async () => {
    hub.fault = { kind: 'cut', file: WEIGHTS, after: 0, times: 100 };
    const partial = async () => {
      await expect(get()).rejects.toThrow(/a connection that broke at \d+; they are kept, run again to go on/);
    };
    await partial();
    hub.fault = { kind: 'cut', file: WEIGHTS, after: 4000, times: 1 };
    const abort = new AbortController();
    const cancelled = get({
      signal: abort.signal,
      onProgress: ({ file, loaded }) => file === WEIGHTS && loaded > 2000 && abort.abort(),
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    expect(incomplete()).toHaveLength(1);
    const kept = statSync(path.join(repository(), 'blobs', incomplete()[0])).size;
    expect(kept).toBeGreaterThan(0);
    hub.fault = null;
    await (await get()).dispose();
    expect(hub.requests.at(-1)).toEqual({ path: WEIGHTS, range: `bytes=${kept}-` });
  });

  it('refuses wrong bytes, keeps none of them, and a later download is right', async () => {
    hub.fault = { kind: 'corrupt', file: 'config.json' };
    await expect(get()).rejects.toThrow(/config.json: expected git-sha1 [0-9a-f]{40}, found [0-9a-f]{40}/);
    hub.fault = { kind: 'corrupt', file: WEIGHTS };
    await expect(get()).rejects.toThrow(
      /model.safetensors: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; the download was discarded/,
    );
    expect(incomplete()).toEqual([]);
    hub.fault = null;
    await (await get()).dispose();
  });

  it('lets concurrent downloads of one file wait for each other: every byte travels once', async () => {
    hub.fault = { kind: 'slow', file: WEIGHTS };
    const all = await Promise.all([get(), get(), get()]);
    for (const checkpoint of all) await checkpoint.dispose();
    expect(hub.sent()).toBe(content[WEIGHTS].length + content['config.json'].length);
  });

  it('lets other processes wait too', async () => {
    hub.fault = { kind: 'slow', file: WEIGHTS };
    const script = `require('./weights').fromPretrained('org/tiny').then((c) => c.dispose()).then(() => console.log('ok'))`;
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cacheDirectory, HF_HUB_OFFLINE: '' };
    const run = () =>
      promisify(execFile)(process.execPath, ['-r', 'ts-node/register', '-e', script], { cwd: ROOT, env });
    const runs = await Promise.all([run(), run()]);
    expect(runs.map(({ stdout }) => stdout.trim())).toEqual(['ok', 'ok']);
    expect(hub.sent()).toBe(content[WEIGHTS].length + content['config.json'].length);
  });

  it('goes on after a process that was killed in the middle, with the bytes that it left', async () => {
    hub.fault = { kind: 'stall', file: WEIGHTS, after: STALL };
    const script = `require('./weights').fromPretrained('org/tiny').catch(() => undefined)`;
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cacheDirectory, HF_HUB_OFFLINE: '' };
    const child = spawn(process.execPath, ['-r', 'ts-node/register', '-e', script], { cwd: ROOT, env });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await untilStalled();
    child.kill('SIGKILL');
    await ended;
    const before = new Date(Date.now() - 7_000); // as if its last touch were seven seconds ago
    utimesSync(`${blob}.lock`, before, before);
    hub.fault = null;
    await (await get()).dispose();
    expect(hub.requests.at(-1)).toEqual({ path: WEIGHTS, range: `bytes=${STALL}-` });
    expect(blobs().filter((name) => /\./.test(name))).toEqual([]);
  });

  it('survives a holder that slept, woke and wrote on: the file is whole, and both have it', async () => {
    hub.fault = { kind: 'stall', file: WEIGHTS, after: STALL - 1000 };
    mkdirSync(path.dirname(blob), { recursive: true });
    writeFileSync(`${blob}.incomplete`, content[WEIGHTS].subarray(0, 1000)); // so that the sleeper appends
    const sleeper = get();
    await untilStalled();
    const long = new Date(Date.now() - 60_000);
    utimesSync(`${blob}.lock`, long, long);
    hub.fault = null;
    await (await get()).dispose();
    hub.resume(); // the stalled answer goes on, into the sleeper's open file
    await (await sleeper).dispose();
    expect(readFileSync(blob).equals(Buffer.from(content[WEIGHTS]))).toBe(true);
    expect(hub.requests.filter(({ path }) => path === WEIGHTS).map(({ range }) => range)).toEqual([
      'bytes=1000-',
      `bytes=${STALL}-`,
    ]);
  });

  it('says what is missing: access, repository, revision, weights of this kind, a sensible name', async () => {
    await expect(fromPretrained('org/none', { endpoint: hub.endpoint, cacheDirectory, token: null })).rejects.toThrow(
      /org\/none \(revision main\): expected it on the hub, found nothing \(404\)/,
    );
    await expect(get({ revision: 'v9' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(get({ revision: '../x' })).rejects.toThrow(/expected a branch, tag or commit/);
    await expect(fromPretrained('../../no/such/place')).rejects.toThrow(/expected a checkpoint directory or a hub id/);
    hub.fault = { kind: 'status', status: 403 };
    await expect(get()).rejects.toThrow(/expected access, found status 403: set HF_TOKEN/);
    hub.fault = { kind: 'status', status: 500 };
    await expect(get()).rejects.toMatchObject({ code: 'hub-failed' });
    const old = await fakeHub({ 'config.json': content['config.json'], 'pytorch_model.bin': new Uint8Array(9) });
    await expect(get({ endpoint: old.endpoint })).rejects.toThrow(
      /found only pytorch_model.bin: download it and run scripts\/to_safetensors.py/,
    );
    await old.close();
  });

  it('sends the token to a repository that needs one', async () => {
    const closed = await fakeHub(content, { token: 'hf_secret' });
    await expect(get({ endpoint: closed.endpoint })).rejects.toThrow(/set HF_TOKEN/);
    await (await get({ endpoint: closed.endpoint, token: 'hf_secret' })).dispose();
    await closed.close();
  });

  it('brings every shard of a sharded repository', async () => {
    const sharded = files(path.join(ROOT, 'spec', 'data', 'goldens', 't5-sharded'));
    const other = await fakeHub(sharded);
    const checkpoint = await get({ endpoint: other.endpoint });
    const shards = new Set([...checkpoint.tensors.values()].map(({ file }) => path.basename(file)));
    expect(shards.size).toBeGreaterThan(1);
    await checkpoint.dispose();
    await other.close();
  });

  it('looks into a repository without downloading it', async () => {
    const checkpoint = await get({ lazy: true });
    expect(checkpoint.tensors.get('shared.weight')?.type).toBe('F32');
    expect(hub.sent()).toBeLessThan(content[WEIGHTS].length / 5);
    expect(Buffer.from(await checkpoint.read('shared.weight', 0, 64))).toHaveLength(64);
    await checkpoint.dispose();
    expect(readdirSync(cacheDirectory)).toEqual([]);
  });

  it('reads single ranges over HTTP, and refuses a server that cannot give them', async () => {
    const source = httpSource('tiny', `${hub.endpoint}/storage/${WEIGHTS}`, content[WEIGHTS].length);
    expect(await source.read(100, 50)).toEqual(content[WEIGHTS].slice(100, 150));
    expect(hub.requests).toEqual([{ path: WEIGHTS, range: 'bytes=100-149' }]);
    await expect(source.read(content[WEIGHTS].length - 1, 2)).rejects.toThrow(/inside \d+ bytes/);
    const missing = httpSource('tiny', `${hub.endpoint}/storage/none`, 10);
    await expect(missing.read(0, 5)).rejects.toThrow(/expected bytes=0-4 \(status 206\), found status 404/);
  });
});

describe('the lock', () => {
  it('is taken over when its owner is gone, and held by one at a time', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'tandem-lock-'));
    const file = path.join(directory, 'x.lock');
    writeFileSync(file, '1');
    const long = new Date(Date.now() - 60_000);
    utimesSync(file, long, long);
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(file, undefined, work)));
    expect(most).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
    writeFileSync(file, '1');
    await expect(withLock(file, AbortSignal.abort(), work)).rejects.toMatchObject({ code: 'aborted' });
    rmSync(directory, { recursive: true });
  });

  it('tells a holder that it was taken from, and leaves the new owner’s in place', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'tandem-lock-'));
    const file = path.join(directory, 'x.lock');
    const slept = withLock(file, undefined, async (lock) => {
      await lock.check();
      expect(lock.takenOver).toBe(false);
      const long = new Date(Date.now() - 60_000);
      utimesSync(file, long, long);
      await withLock(file, undefined, async (other) => {
        expect(other.takenOver).toBe(true);
        await other.check();
        await expect(lock.check()).rejects.toBeInstanceOf(LockLost);
      });
      writeFileSync(file, 'a third owner');
    });
    await slept;
    expect(readFileSync(file, 'utf8')).toBe('a third owner');
    rmSync(directory, { recursive: true });
  });
});

describe('the environment', () => {
  it('is read as Hugging Face’s tools read it', () => {
    expect(hubEnvironment({ HF_HOME: '/h' })).toMatchObject({
      cacheDirectory: path.join('/h', 'hub'),
      token: null,
      offline: false,
    });
    expect(hubEnvironment({ XDG_CACHE_HOME: '/x' }).cacheDirectory).toBe(path.join('/x', 'huggingface', 'hub'));
    const all = { HF_HUB_CACHE: '/c', HF_TOKEN: 't', HF_ENDPOINT: 'http://e/', HF_HUB_OFFLINE: '1' };
    expect(hubEnvironment(all)).toEqual({ endpoint: 'http://e', token: 't', cacheDirectory: '/c', offline: true });
  });
});
