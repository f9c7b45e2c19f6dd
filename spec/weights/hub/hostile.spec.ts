import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fromPretrained, WeightsError } from '../../../weights';
import { checkNames } from '../../../weights/hub/names';
import { COMMIT, type Fault } from '../../support/fake-hub';
import { goldenFiles, type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';
import { sendJson } from '../../support/loopback';

describe('a hub that is not to be trusted, or half there', () => {
  let room: HubRoom;
  const content = { ...goldenFiles('t5-sharded'), ...goldenFiles() };

  beforeEach(async () => {
    room = await hubRoom(content);
  });

  afterEach(() => room.dispose());

  it.each<[Fault & { kind: 'lie' }, RegExp]>([
    [
      { kind: 'lie', about: 'commit', value: '../../../outside' },
      /a commit of 40 hex digits .* '\.\.\/\.\.\/\.\.\/out/,
    ],
    [{ kind: 'lie', about: 'oid', value: '../../../outside' }, /a (sha256|git-sha1) in hex digits .* '\.\.\/\.\./],
    [{ kind: 'lie', about: 'oid', value: { toString: 1 } }, /a (sha256|git-sha1) in hex digits .* an object/],
    [{ kind: 'lie', about: 'size', value: -1 }, /a size in bytes from the hub, found -1/],
    [{ kind: 'lie', about: 'size', value: 'many' }, /a size in bytes from the hub, found 'many'/],
  ])('is refused before anything is written when it says %j', async (fault, message) => {
    room.hub.fault = fault;
    await expect(room.get()).rejects.toBeInstanceOf(WeightsError);
    await expect(room.get()).rejects.toThrow(message);
    expect(room.hub.requests).toEqual([]);
    expect(readdirSync(room.cacheDir)).toEqual([]);
  });

  it.each([
    ['no list', { error: 1 }, /a list of files from the hub, found an object/],
    [
      'a file twice',
      [1, 2].map(() => ({ type: 'file', path: 'config.json', size: 1, oid: COMMIT })),
      /found 'it twice'/,
    ],
    ['entries that are none', [null, 5, 'x', [], { type: 'file' }, { type: 'file', path: 5 }], /found no weights/],
    [
      'names that lead outside',
      names('../model-1-of-1.safetensors', '..\\model-1-of-1.safetensors'),
      /found no weights/,
    ],
    ['names with escapes', names('\u001b[31m.bin'), /found only \\x1b\[31m.bin$/],
  ])('is refused when it lists %s', async (_, list, message) => {
    room.hub.intercept = (path, _request, response) => {
      if (!path.includes('/tree/')) return false;
      sendJson(response, 200, list);
      return true;
    };
    await expect(room.get()).rejects.toThrow(message);
    expect(readdirSync(room.cacheDir)).toEqual([]);
  });

  it('is refused when it sends more than it listed, and nothing of it is kept', async () => {
    room.hub.fault = { kind: 'lie', about: 'size', value: 100 };
    await expect(room.get()).rejects.toThrow(/config.json: expected 100 bytes, found more; the download was discarded/);
    await expect(room.get()).rejects.toMatchObject({ code: 'checksum-mismatch' });
    expect(room.blobs()).toEqual([]);
  });

  it('of weights kept twice, whole and in shards, only the whole file is downloaded', async () => {
    await (await room.get()).dispose();
    const asked = room.hub.requests.map(({ path }) => path);
    expect(asked).toContain(WEIGHTS);
    expect(asked.filter((file) => /-of-|index/.test(file))).toEqual([]);
  });

  it('a snapshot that other tools have filled in part is an offline miss that names what is missing', async () => {
    const snapshot = path.join(room.folder, 'snapshots', COMMIT);
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(path.join(room.folder, 'refs'));
    writeFileSync(path.join(room.folder, 'refs', 'main'), COMMIT);
    writeFileSync(path.join(snapshot, 'config.json'), content['config.json']);
    await expect(room.get({ offline: true })).rejects.toMatchObject({ code: 'offline' });
    await expect(room.get({ offline: true })).rejects.toThrow(/found a part of it \(.*expected model.safetensors/);
    writeFileSync(path.join(snapshot, WEIGHTS), content[WEIGHTS]);
    await (await room.get({ offline: true })).dispose();
    writeFileSync(path.join(room.folder, 'refs', 'main'), '../../../outside');
    await expect(room.get({ offline: true })).rejects.toThrow(/found none, and the offline switch is on/);
  });

  it('a cache that cannot be made is named, with the options that name another', async () => {
    const file = path.join(room.cacheDir, 'file');
    writeFileSync(file, '');
    await expect(room.get({ cacheDir: file })).rejects.toThrow(
      /file\/models--org--tiny: expected a cache that can be written, found ENOTDIR; cacheDir or HF_HUB_CACHE/,
    );
  });
});

function names(...paths: string[]): object[] {
  return paths.map((path) => ({ type: 'file', path, size: 9, oid: COMMIT }));
}

describe('names', () => {
  const held = ['main', 'v1.0', 'refs/pr/1', 'feature/a-b_c', COMMIT, 'x'.repeat(200), 'größe'];
  it.each(held)('of a revision like %j are asked for', (revision) => {
    expect(() => checkNames('org/name', revision)).not.toThrow();
  });

  const refused = [
    '.',
    '..',
    './a',
    'a/.',
    'a/..',
    '../x',
    'a/../b',
    '/a',
    'a/',
    'a//b',
    '',
    ' ',
    'a b',
    'a\\b',
    'a:b',
  ];
  refused.push('a\u0000', 'a\n', '.hidden', 'a/.hidden', 'a.lock', 'a.', 'a..b', '~', 'a?', 'a*', 'x'.repeat(201));
  it.each(refused)('like %j are refused as a revision before any request, and make no folder', async (revision) => {
    const room = await hubRoom();
    const options = { endpoint: room.hub.endpoint, cacheDir: room.cacheDir, token: null };
    const code = revision === '' ? 'option-invalid' : 'not-found';
    await expect(fromPretrained('org/tiny', { ...options, revision })).rejects.toMatchObject({ code });
    expect(room.hub.log).toEqual([]);
    expect(readdirSync(room.cacheDir)).toEqual([]);
    await room.dispose();
  });

  it.each([
    '../../no/such/place',
    './here',
    'a/b/c',
    'org/..',
    'org/a..b',
    '-x/y',
    'org/',
    '/etc',
    `o/${'x'.repeat(97)}`,
  ])('like %j are no id of a hub', (id) => {
    expect(() => checkNames(id, 'main')).toThrow(/expected a checkpoint directory or a hub id/);
  });
});
