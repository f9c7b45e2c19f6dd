import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { COMMIT } from '../../support/fake-hub';
import { type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';
import { loopback } from '../../support/loopback';

let room: HubRoom;

beforeEach(async () => {
  room = await hubRoom();
});

afterEach(() => room.dispose());

const snapshotOf = (file: string) => path.join(room.folder, 'snapshots', COMMIT, file);
const ranges = () => room.hub.requests.filter(({ path }) => path === WEIGHTS).map(({ range }) => range);
const download = async (options = {}) => (await room.get(options)).dispose();

describe('a hub that cannot be reached', () => {
  const down: [string, () => Promise<{ endpoint: string; dispose: () => Promise<void> }>][] = [
    ['refuses connections', async () => ({ endpoint: 'http://127.0.0.1:1', dispose: async () => undefined })],
    ...([429, 500, 503] as const).map((status): (typeof down)[number] => [
      `answers ${status}`,
      () => server((_request, response) => response.writeHead(status).end()),
    ]),
    ['says nothing', () => server(() => undefined)],
    ['breaks every connection', () => server((request) => request.socket.destroy())],
    ['is a page that asks to log in', () => server((_request, response) => response.end('<html>log in</html>'))],
  ];
  const server = async (answer: Parameters<typeof loopback>[0]) => {
    const { origin, dispose } = await loopback(answer);
    return { endpoint: origin, dispose };
  };

  it.each(down)('(it %s) is replaced by a complete cache, with a notice and without pauses', async (_, start) => {
    const { endpoint, dispose } = await start();
    const options = { endpoint, timeoutMs: 60 };
    await expect(room.get(options)).rejects.toMatchObject({ code: 'hub-failed' });
    await download();
    for (const list of [room.pauses, room.notices]) list.length = 0;
    await download(options);
    expect(room.notices).toEqual([
      { kind: 'cached', message: expect.stringMatching(/org\/tiny .*; org\/tiny is opened from the cache/) },
    ]);
    await download({ ...options, lazy: true });
    expect(room.pauses).toEqual([]);
    await expect(room.get({ ...options, revision: 'v1' })).rejects.toMatchObject({ code: 'hub-failed' });
    truncateSync(room.blob, 100);
    await expect(room.get(options)).rejects.toMatchObject({ code: 'hub-failed' });
    await dispose();
  });

  it('is replaced by what Hugging Face’s tools have cached, where it is enough', async () => {
    mkdirSync(path.dirname(snapshotOf('x')), { recursive: true });
    mkdirSync(path.join(room.folder, 'refs'));
    writeFileSync(path.join(room.folder, 'refs', 'main'), COMMIT);
    writeFileSync(snapshotOf('config.json'), room.content['config.json']);
    const endpoint = 'http://127.0.0.1:1';
    await expect(room.get({ endpoint })).rejects.toMatchObject({ code: 'hub-failed' });
    writeFileSync(snapshotOf(WEIGHTS), room.content[WEIGHTS]);
    await download({ endpoint });
    expect(room.notices.at(-1)).toMatchObject({ kind: 'cached' });
  });

  it.each([401, 403, 404, 410])('and one that refuses with %i are two things', async (status) => {
    await download();
    room.hub.intercept = (_path, _request, response) => {
      response.writeHead(status).end();
      return true;
    };
    await expect(room.get()).rejects.toThrow(`status ${status}`);
    expect(room.notices).toEqual([]);
  });

  it('is a warning of the process where nobody listens', async () => {
    await download();
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await download({ endpoint: 'http://127.0.0.1:1', onNotice: undefined });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/org\/tiny is opened from the cache/), 'TandemWarning']]);
    warn.mockRestore();
  });
});

describe('a cache on a disk that cannot be written', () => {
  const NOBODY = 65534;

  /** Runs `work` with a cache that nobody may write: as another user, because root may write everything. */
  const withoutWriting = async (work: () => Promise<void>): Promise<void> => {
    const modes = new Map<string, number>();
    const all = readdirSync(room.cacheDir, { recursive: true, encoding: 'utf8' }).map((name) =>
      path.join(room.cacheDir, name),
    );
    for (const name of [room.cacheDir, ...all]) {
      if (lstatSync(name).isSymbolicLink()) continue;
      modes.set(name, statSync(name).mode);
      chmodSync(name, statSync(name).isDirectory() ? 0o555 : 0o444);
    }
    const isRoot = process.geteuid?.() === 0;
    try {
      if (isRoot) process.seteuid?.(NOBODY);
      await work();
    } finally {
      if (isRoot) process.seteuid?.(0);
      for (const [name, mode] of modes) chmodSync(name, mode);
    }
  };

  it('serves what it has: silently when nothing is new, with a notice when it could not note what is', async () => {
    await download();
    await withoutWriting(async () => {
      await download();
      expect(room.notices).toEqual([]);
      await download({ revision: 'v1' });
      expect(room.notices).toEqual([
        { kind: 'read-only', message: expect.stringMatching(/cannot be written \(EACCES\)/) },
      ]);
      await download({ endpoint: 'http://127.0.0.1:1' });
    });
    rmSync(path.join(room.folder, 'snapshots'), { recursive: true });
    await withoutWriting(() => download()); // from the blobs themselves
    expect(room.notices.at(-1)).toMatchObject({ kind: 'read-only' });
    expect(ranges()).toEqual([null]);
  });

  it('says so when something is missing', async () => {
    await download();
    rmSync(room.blob);
    await withoutWriting(async () => {
      await expect(room.get()).rejects.toThrow(
        /expected a cache that can be written, found EACCES; cacheDir or HF_HUB_CACHE/,
      );
    });
    await withoutWriting(async () => {
      await expect(room.get({ cacheDir: path.join(room.cacheDir, 'new') })).rejects.toMatchObject({
        code: 'io-failed',
      });
    });
  });

  it('is also one whose branch names stand in each other’s way', async () => {
    mkdirSync(path.join(room.folder, 'refs', 'main', 'x'), { recursive: true });
    await download();
    expect(room.notices).toEqual([{ kind: 'read-only', message: expect.stringMatching(/EISDIR|ENOTEMPTY|EEXIST/) }]);
  });
});
