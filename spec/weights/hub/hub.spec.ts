import { execFile, spawn } from 'node:child_process';
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
import { fromPretrained } from '../../../weights';
import { bundle } from '../../support/bundle';
import { COMMIT } from '../../support/fake-hub';
import { goldenFiles, type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';

/** Bytes that come before an answer stalls. */
const STALL = 5000;

describe('the hub', () => {
  let room: HubRoom;
  /** Files of a real, tiny checkpoint, and some that are not wanted. */
  const content: Record<string, Uint8Array> = {
    ...goldenFiles(),
    'pytorch_model.bin': new Uint8Array(5000),
    'README.md': new Uint8Array(10),
  };

  /** A folder with the library as one file, for other processes. */
  const library = mkdtempSync(path.join(tmpdir(), 'tandem-library-'));
  beforeAll(() => bundle(['weights/index'], path.join(library, 'weights.js')));
  afterAll(() => rmSync(library, { recursive: true }));

  beforeEach(async () => {
    room = await hubRoom(content);
  });

  afterEach(() => room.dispose());

  const incomplete = () => room.blobs().filter((name) => name.endsWith('.incomplete'));
  const ranges = () => room.hub.requests.filter(({ path }) => path === WEIGHTS).map(({ range }) => range);
  const untilStalled = async () => {
    const size = () => statSync(`${room.blob}.tandem.incomplete`, { throwIfNoEntry: false })?.size;
    while (size() !== STALL) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('gives the model as the directory does, in Hugging Face’s cache layout, and only what is wanted', async () => {
    const seen: number[] = [];
    const checkpoint = await room.get({ onProgress: ({ loaded, total }) => seen.push(loaded / total) });
    expect(Buffer.from(await checkpoint.read('shared.weight'))).toHaveLength(
      checkpoint.tensors.get('shared.weight')?.bytes ?? 0,
    );
    expect(checkpoint.name).toBe('org/tiny');
    await checkpoint.dispose();
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const snapshot = path.join(room.folder, 'snapshots', COMMIT);
    expect(readFileSync(path.join(room.folder, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(readFileSync(path.join(snapshot, WEIGHTS)).equals(Buffer.from(content[WEIGHTS]))).toBe(true);
    expect(room.hub.requests.map(({ path }) => path).sort()).toEqual(['config.json', WEIGHTS].sort());
  });

  it('fetches nothing twice, asks nothing about a commit that it has, and works offline afterwards', async () => {
    await (await room.get()).dispose();
    const { length } = room.hub.requests;
    await (await room.get()).dispose();
    expect(room.hub.requests).toHaveLength(length);
    const asked = room.hub.log.length;
    await (await room.get({ revision: COMMIT })).dispose();
    expect(room.hub.log).toHaveLength(asked);
    await (await room.get({ offline: true })).dispose();
    await (await room.get({ offline: true, revision: COMMIT })).dispose();
    expect(room.hub.log).toHaveLength(asked);
    await expect(room.get({ offline: true, revision: 'v1' })).rejects.toMatchObject({ code: 'offline' });
    await expect(room.get({ offline: true, revision: 'v1' })).rejects.toThrow(
      /revision v1 in the cache .* offline switch is on/,
    );
  });

  it('goes on after a cut connection with the bytes it has', async () => {
    room.hub.fault = { kind: 'cut', file: WEIGHTS, after: 3000, times: 2 };
    await (await room.get()).dispose();
    expect(ranges()).toEqual([null, 'bytes=3000-', 'bytes=6000-']);
    expect(incomplete()).toEqual([]);
  });

  it('keeps the bytes of a download that was given up, and a later one goes on from them', async () => {
    room.hub.fault = { kind: 'cut', file: WEIGHTS, after: 0, times: 100 };
    await expect(room.get()).rejects.toThrow(/model.safetensors: expected an answer, found/);
    room.hub.fault = { kind: 'cut', file: WEIGHTS, after: 4000, times: 1 };
    const abort = new AbortController();
    const cancelled = room.get({
      signal: abort.signal,
      onProgress: ({ file, loaded }) => file === WEIGHTS && loaded > 2000 && abort.abort(),
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    expect(incomplete()).toHaveLength(1);
    const kept = statSync(path.join(room.folder, 'blobs', incomplete()[0])).size;
    expect(kept).toBeGreaterThan(0);
    room.hub.fault = null;
    await (await room.get()).dispose();
    expect(room.hub.requests.at(-1)).toEqual({ path: WEIGHTS, range: `bytes=${kept}-` });
  });

  it('refuses wrong bytes, keeps none of them, and a later download is right', async () => {
    room.hub.fault = { kind: 'corrupt', file: 'config.json' };
    await expect(room.get()).rejects.toThrow(/config.json: expected git-sha1 [0-9a-f]{40}, found [0-9a-f]{40}/);
    room.hub.fault = { kind: 'corrupt', file: WEIGHTS };
    await expect(room.get()).rejects.toThrow(
      /model.safetensors: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; the download was discarded/,
    );
    expect(ranges()).toEqual([null]);
    expect(incomplete()).toEqual([]);
    room.hub.fault = null;
    await (await room.get()).dispose();
  });

  it('starts once more when bytes of an earlier call turn out to be the wrong ones', async () => {
    mkdirSync(path.dirname(room.blob), { recursive: true });
    writeFileSync(`${room.blob}.tandem.incomplete`, new Uint8Array(3000).fill(7));
    await (await room.get()).dispose();
    expect(ranges()).toEqual(['bytes=3000-', null]);
    rmSync(room.blob);
    writeFileSync(`${room.blob}.tandem.incomplete`, new Uint8Array(content[WEIGHTS].length + 1));
    await (await room.get()).dispose();
    expect(ranges().slice(2)).toEqual([null]);
    expect(readFileSync(room.blob).equals(Buffer.from(content[WEIGHTS]))).toBe(true);
  });

  it('lets concurrent downloads of one file wait for each other: every byte travels once', async () => {
    room.hub.fault = { kind: 'slow', file: WEIGHTS };
    const all = await Promise.all([room.get(), room.get(), room.get()]);
    for (const checkpoint of all) await checkpoint.dispose();
    expect(room.hub.sent()).toBe(content[WEIGHTS].length + content['config.json'].length);
  });

  const environment = () => ({
    ...process.env,
    HF_ENDPOINT: room.hub.endpoint,
    HF_HUB_CACHE: room.cacheDir,
    HF_HUB_OFFLINE: '',
  });

  it('lets other processes wait too', async () => {
    room.hub.fault = { kind: 'slow', file: WEIGHTS };
    const script = `require('./weights.js').fromPretrained('org/tiny').then((c) => c.dispose()).then(() => console.log('ok'))`;
    const options = { cwd: library, env: environment() };
    const run = () => promisify(execFile)(process.execPath, ['-e', script], options);
    const runs = await Promise.all([run(), run()]);
    expect(runs.map(({ stdout }) => stdout.trim())).toEqual(['ok', 'ok']);
    expect(room.hub.sent()).toBe(content[WEIGHTS].length + content['config.json'].length);
  });

  it('goes on after a process that was killed in the middle, with the bytes that it left', async () => {
    room.hub.fault = { kind: 'stall', file: WEIGHTS, after: STALL };
    const script = `require('./weights.js').fromPretrained('org/tiny').catch(() => undefined)`;
    const child = spawn(process.execPath, ['-e', script], { cwd: library, env: environment() });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await untilStalled();
    child.kill('SIGKILL');
    await ended;
    const before = new Date(Date.now() - 7_000); // as if its last touch were seven seconds ago
    utimesSync(`${room.blob}.lock`, before, before);
    room.hub.fault = null;
    await (await room.get()).dispose();
    expect(room.hub.requests.at(-1)).toEqual({ path: WEIGHTS, range: `bytes=${STALL}-` });
    expect(room.blobs().filter((name) => /\./.test(name))).toEqual([]);
  });

  it('survives an owner that slept, woke and wrote on: the file is whole, and both have it', async () => {
    room.hub.fault = { kind: 'stall', file: WEIGHTS, after: STALL - 1000 };
    mkdirSync(path.dirname(room.blob), { recursive: true });
    writeFileSync(`${room.blob}.tandem.incomplete`, content[WEIGHTS].subarray(0, 1000)); // so that the sleeper appends
    const sleeper = room.get();
    await untilStalled();
    const long = new Date(Date.now() - 60_000);
    utimesSync(`${room.blob}.lock`, long, long);
    room.hub.fault = null;
    await (await room.get()).dispose();
    room.hub.resume(); // the stalled answer goes on, into the sleeper's open file
    await (await sleeper).dispose();
    expect(readFileSync(room.blob).equals(Buffer.from(content[WEIGHTS]))).toBe(true);
    expect(ranges()).toEqual(['bytes=1000-', `bytes=${STALL}-`]);
  });

  it('brings every shard of a sharded repository, and not a second copy in another type', async () => {
    const sharded = goldenFiles('t5-sharded');
    const variant = { 'model.fp16-00001-of-00002.safetensors': new Uint8Array(2000) };
    const other = await hubRoom({ ...sharded, ...variant });
    const checkpoint = await other.get();
    const shards = new Set([...checkpoint.tensors.values()].map(({ file }) => path.basename(file)));
    expect(shards.size).toBeGreaterThan(1);
    expect(other.hub.requests.map(({ path }) => path)).not.toContain(Object.keys(variant)[0]);
    await checkpoint.dispose();
    await other.dispose();
  });

  it('brings the steps after the encoder that a sentence-t5 keeps in folders', async () => {
    const dense = new Uint8Array(1200).fill(3);
    const steps = { 'modules.json': Buffer.from('[]'), '2_Dense/config.json': Buffer.from('{}') };
    const other = await hubRoom({ ...content, ...steps, '2_Dense/model.safetensors': dense });
    await (await other.get()).dispose();
    const snapshot = path.join(other.folder, 'snapshots', COMMIT);
    expect(readFileSync(path.join(snapshot, '2_Dense', WEIGHTS)).equals(Buffer.from(dense))).toBe(true);
    await (await other.get({ offline: true })).dispose();
    await other.dispose();
  });

  it('looks into a repository without downloading it, and reads from the cache what is there already', async () => {
    const checkpoint = await room.get({ lazy: true });
    expect(checkpoint.tensors.get('shared.weight')?.type).toBe('F32');
    expect(room.hub.sent()).toBeLessThan(content[WEIGHTS].length / 5);
    expect(Buffer.from(await checkpoint.read('shared.weight', 0, 64))).toHaveLength(64);
    await checkpoint.dispose();
    expect(readdirSync(room.cacheDir)).toEqual([]);
    await (await room.get()).dispose();
    const sent = room.hub.sent();
    await (await room.get({ lazy: true })).dispose();
    expect(room.hub.sent()).toBe(sent);
  });

  it('says what is missing: access, repository, revision, weights of this kind', async () => {
    const { endpoint } = room.hub;
    await expect(fromPretrained('org/none', { endpoint, cacheDir: room.cacheDir, token: null })).rejects.toThrow(
      /org\/none \(revision main\): expected it on the hub, found nothing \(status 404\)/,
    );
    await expect(room.get({ revision: 'v9' })).rejects.toMatchObject({ code: 'not-found' });
    room.hub.intercept = (_path, _request, response) => {
      response.writeHead(403, { 'x-error-message': 'Access to model org/tiny is restricted.' }).end();
      return true;
    };
    await expect(room.get()).rejects.toThrow(
      /expected access, found status 403, 'Access to model org\/tiny is restricted.': .*set HF_TOKEN/,
    );
    const old = await hubRoom({ 'config.json': content['config.json'], 'tf_model.h5': new Uint8Array(9) });
    await expect(old.get()).rejects.toThrow(/expected model.safetensors or pytorch_model.bin, found only tf_model.h5/);
    await old.dispose();
  });
});
