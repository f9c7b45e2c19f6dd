import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type FromPretrainedOptions, fromPretrained, httpSource, WeightsError } from '../../../weights';
import { hubEnvironment } from '../../../weights/hub/environment.node';
import { COMMIT, type FakeHub, type Fault, fakeHub } from '../../support/fake-hub';

const GOLDENS = path.join(__dirname, '..', '..', 'data', 'goldens');
const WEIGHTS = 'model.safetensors';

function files(family: string): Record<string, Uint8Array> {
  const directory = path.join(GOLDENS, family);
  return Object.fromEntries(
    readdirSync(directory).map((file) => [file, new Uint8Array(readFileSync(path.join(directory, file)))]),
  );
}

describe('a hub that is not to be trusted, or half there', () => {
  let hub: FakeHub;
  let parent: string;
  let cacheDirectory: string;
  const content = { ...files('t5-sharded'), ...files('t5-v1.0') };

  beforeEach(async () => {
    hub = await fakeHub(content);
    parent = mkdtempSync(path.join(tmpdir(), 'tandem-hub-'));
    cacheDirectory = path.join(parent, 'hub');
  });

  afterEach(async () => {
    await hub.close();
    rmSync(parent, { recursive: true, force: true });
  });

  const get = (options: FromPretrainedOptions = {}) =>
    fromPretrained('org/tiny', { endpoint: hub.endpoint, cacheDirectory, token: null, offline: false, ...options });

  it.each<[Fault & { kind: 'lie' }, RegExp]>([
    [
      { kind: 'lie', about: 'commit', value: '../../../outside' },
      /a commit of 40 hex digits .* "\.\.\/\.\.\/\.\.\/out/,
    ],
    [{ kind: 'lie', about: 'oid', value: '../../../outside' }, /a (sha256|git-sha1) in hex digits .* "\.\.\/\.\./],
    [{ kind: 'lie', about: 'size', value: -1 }, /a size in bytes from the hub, found -1/],
    [{ kind: 'lie', about: 'size', value: 'many' }, /a size in bytes from the hub, found "many"/],
  ])('is refused before anything is written when it says %j', async (fault, message) => {
    hub.fault = fault;
    await expect(get()).rejects.toBeInstanceOf(WeightsError);
    await expect(get()).rejects.toThrow(message);
    expect(hub.requests).toEqual([]);
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is refused when it sends more than it listed, and nothing of it is kept', async () => {
    hub.fault = { kind: 'lie', about: 'size', value: 100 };
    await expect(get()).rejects.toThrow(/config.json: expected 100 bytes, found more; the download was discarded/);
    await expect(get()).rejects.toMatchObject({ code: 'checksum-mismatch' });
    const blobs = path.join(cacheDirectory, 'models--org--tiny', 'blobs');
    expect(readdirSync(blobs)).toEqual([]);
  });

  it('of weights kept twice, whole and in shards, only the whole file is downloaded', async () => {
    await (await get()).dispose();
    const asked = hub.requests.map(({ path }) => path);
    expect(asked).toContain(WEIGHTS);
    expect(asked.filter((file) => /-of-|index/.test(file))).toEqual([]);
  });

  it('a snapshot that other tools have filled in part is an offline miss that names what is missing', async () => {
    const repository = path.join(cacheDirectory, 'models--org--tiny');
    const snapshot = path.join(repository, 'snapshots', COMMIT);
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'refs', 'main'), COMMIT);
    writeFileSync(path.join(snapshot, 'config.json'), content['config.json']);
    await expect(get({ offline: true })).rejects.toMatchObject({ code: 'offline' });
    await expect(get({ offline: true })).rejects.toThrow(/found a part of it \(.*expected model.safetensors/);
    writeFileSync(path.join(snapshot, WEIGHTS), content[WEIGHTS]);
    await (await get({ offline: true })).dispose();
    writeFileSync(path.join(repository, 'refs', 'main'), '../../../outside');
    await expect(get({ offline: true })).rejects.toThrow(/found none, and the offline switch is on/);
  });

  it('a cache that cannot be written is named', async () => {
    writeFileSync(path.join(parent, 'file'), '');
    const refused = get({ cacheDirectory: path.join(parent, 'file') });
    await expect(refused).rejects.toThrow(
      /file\/models--org--tiny: expected a cache that can be written, found ENOTDIR/,
    );
  });

  it('range reads end in a closed error when the body breaks, is another range, or is cancelled', async () => {
    const abort = new AbortController();
    const { length } = content[WEIGHTS];
    const source = httpSource('tiny', `${hub.endpoint}/storage/${WEIGHTS}`, length, { signal: abort.signal });
    hub.fault = { kind: 'cut', file: WEIGHTS, after: 10, times: 1 };
    await expect(source.read(100, 50)).rejects.toMatchObject({ code: 'io-failed' });
    hub.fault = { kind: 'shifted', file: WEIGHTS };
    await expect(source.read(100, 50)).rejects.toThrow(/expected bytes=100-149, found bytes 101-/);
    hub.fault = { kind: 'stall', file: WEIGHTS, after: 10 };
    const cancelled = source.read(100, 50);
    setTimeout(() => abort.abort(), 20);
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  });

  it('a file of one byte more or less than asked never passes for it', async () => {
    const { length } = content[WEIGHTS];
    const source = httpSource('tiny', `${hub.endpoint}/storage/${WEIGHTS}`, length + 5);
    await expect(source.read(length - 5, 10)).rejects.toThrow(/expected 10 bytes at \d+, found 5/);
  });
});

describe('the token', () => {
  it('comes from HF_TOKEN, else the file that HF_TOKEN_PATH names, else the one under HF_HOME', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'tandem-token-'));
    writeFileSync(path.join(home, 'token'), 'hf_home\n');
    writeFileSync(path.join(home, 'other'), 'hf_other\n');
    const named = { HF_HOME: home, HF_TOKEN_PATH: path.join(home, 'other') };
    expect(hubEnvironment({ ...named, HF_TOKEN: 'hf_given' }).token).toBe('hf_given');
    expect(hubEnvironment(named).token).toBe('hf_other');
    expect(hubEnvironment({ HF_HOME: home }).token).toBe('hf_home');
    expect(hubEnvironment({ HF_HOME: path.join(home, 'none') }).token).toBeNull();
    rmSync(home, { recursive: true });
  });
});
