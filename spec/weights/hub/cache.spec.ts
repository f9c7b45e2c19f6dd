import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { COMMIT } from '../../support/fake-hub';
import { type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';

let room: HubRoom;

beforeEach(async () => {
  room = await hubRoom();
});

afterEach(() => room.dispose());

const snapshotOf = (file: string) => path.join(room.folder, 'snapshots', COMMIT, file);
const isWhole = (file: string) => readFileSync(file).equals(Buffer.from(room.content[WEIGHTS]));
const ranges = () => room.hub.requests.filter(({ path }) => path === WEIGHTS).map(({ range }) => range);
const download = async (options = {}) => (await room.get(options)).dispose();

describe('a file in the cache', () => {
  const size = () => room.content[WEIGHTS].length;

  it.each([0, 1, 5000])('that was cut off after %i bytes is noticed, and its missing part is fetched', async (kept) => {
    await download();
    truncateSync(room.blob, kept);
    await expect(room.get({ offline: true })).rejects.toThrow(
      `found a part of it (${kept} of ${size()} bytes of model.safetensors), and the offline switch is on`,
    );
    await download({ revision: COMMIT }); // also where the commit alone would ask nothing
    expect(isWhole(room.blob)).toBe(true);
    expect(ranges()).toEqual([null, kept === 0 ? null : `bytes=${kept}-`]);
    await download({ offline: true });
  });

  it('that is too long, or cut off and wrong, is fetched anew', async () => {
    await download();
    writeFileSync(room.blob, new Uint8Array(size() + 1));
    await download();
    expect(isWhole(room.blob)).toBe(true);
    writeFileSync(room.blob, new Uint8Array(size() - 1));
    await download();
    expect(isWhole(room.blob)).toBe(true);
    expect(room.blobs().filter((name) => name.includes('.'))).toEqual([]);
  });

  it('that is right stays, whatever size the hub lists', async () => {
    await download();
    room.hub.fault = { kind: 'lie', about: 'size', value: 2 };
    const { length } = room.hub.requests;
    await download();
    expect(room.hub.requests).toHaveLength(length);
    expect(isWhole(room.blob)).toBe(true);
    await download({ offline: true });
  });

  it('that is a copy in the snapshot, as on a file system without links, is checked and replaced as well', async () => {
    await download();
    rmSync(snapshotOf(WEIGHTS));
    copyFileSync(room.blob, snapshotOf(WEIGHTS));
    await download();
    expect(lstatSync(snapshotOf(WEIGHTS)).isSymbolicLink()).toBe(false); // a good copy stays
    truncateSync(snapshotOf(WEIGHTS), 100);
    await download();
    expect(isWhole(snapshotOf(WEIGHTS))).toBe(true);
  });

  it('of a version that wanted other files is looked up again', async () => {
    await download({ revision: COMMIT });
    const asked = room.hub.log.length;
    await download({ revision: COMMIT });
    expect(room.hub.log).toHaveLength(asked);
    const note = snapshotOf('.tandem-complete');
    writeFileSync(note, readFileSync(note, 'utf8').replace(/^wanted \w+/, 'wanted 0'));
    await download({ revision: COMMIT });
    expect(room.hub.log.length).toBeGreaterThan(asked);
  });
});

describe('what is no file of the cache', () => {
  let victim: string;

  beforeEach(() => {
    victim = path.join(room.cacheDir, 'victim');
    writeFileSync(victim, 'precious');
    mkdirSync(path.dirname(room.blob), { recursive: true });
  });

  afterEach(() => expect(readFileSync(victim, 'utf8')).toBe('precious'));

  it.each<[string, (path: string) => void]>([
    ['a link', (path) => symlinkSync(victim, path)],
    ['a link to nothing', (path) => symlinkSync(`${victim}.none`, path)],
    ['a hard link', (path) => linkSync(victim, path)],
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ])('%s in place of a partial file is never written through', async (_, make) => {
    make(`${room.blob}.tandem.incomplete`);
    await download();
    expect(isWhole(room.blob)).toBe(true);
    expect(readdirSync(room.cacheDir)).not.toContain('victim.none');
  });

  it('a link in place of a blob, or of a file in the snapshot, leads nowhere', async () => {
    symlinkSync(victim, room.blob);
    mkdirSync(path.dirname(snapshotOf(WEIGHTS)), { recursive: true });
    symlinkSync(victim, snapshotOf(WEIGHTS));
    await download();
    expect(lstatSync(room.blob).isFile()).toBe(true);
    expect(isWhole(snapshotOf(WEIGHTS))).toBe(true);
  });

  it('a directory in place of a partial file is an error that names it', async () => {
    mkdirSync(path.join(`${room.blob}.tandem.incomplete`, 'x'), { recursive: true });
    await expect(room.get()).rejects.toMatchObject({ code: 'io-failed' });
    expect(readdirSync(`${room.blob}.tandem.incomplete`)).toEqual(['x']);
  });
});

describe('calls of one process at the same time', () => {
  it.each<[string, () => Promise<void> | void]>([
    ['an empty cache', () => undefined],
    [
      'blobs without a snapshot',
      async () => {
        await download();
        rmSync(path.join(room.folder, 'snapshots'), { recursive: true });
        rmSync(path.join(room.folder, 'refs'), { recursive: true });
      },
    ],
    [
      'a snapshot without its note',
      async () => {
        await download();
        rmSync(snapshotOf('.tandem-complete'));
      },
    ],
    [
      'a blob that was cut off',
      async () => {
        await download();
        truncateSync(room.blob, 1234);
      },
    ],
    ['a complete cache', () => download()],
  ])('all open the model from %s, and every byte travels once', async (_, prepare) => {
    await prepare();
    const before = room.hub.sent();
    const missing = Object.entries(room.content).reduce((sum, [name, bytes]) => sum + bytes.length - onDisk(name), 0);
    const names = ['main', 'main', 'main', 'v1', COMMIT, 'main', 'v1', 'main'];
    for (let round = 0; round < 3; round++) {
      const opened = await Promise.all(names.map((revision) => room.get({ revision })));
      for (const checkpoint of opened) await checkpoint.dispose();
    }
    expect(room.hub.sent() - before).toBe(missing);
    const files = readdirSync(room.cacheDir, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => /new$|lock|incomplete/.test(name))).toEqual([]);
    expect(isWhole(snapshotOf(WEIGHTS))).toBe(true);
  });

  const onDisk = (name: string) => {
    const blobs = path.join(room.folder, 'blobs');
    const sizes = statSync(blobs, { throwIfNoEntry: false })
      ? room.blobs().map((blob) => statSync(path.join(blobs, blob)).size)
      : [];
    if (name === WEIGHTS) return statSync(room.blob, { throwIfNoEntry: false })?.size ?? 0;
    return sizes.includes(room.content[name].length) ? room.content[name].length : 0;
  };
});

it('a call without a cache folder makes one', async () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'tandem-parent-'));
  await download({ cacheDir: path.join(parent, 'a', 'b') });
  expect(readdirSync(path.join(parent, 'a', 'b'))).toEqual(['models--org--tiny']);
  rmSync(parent, { recursive: true });
});
