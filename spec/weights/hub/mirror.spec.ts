import { COMMIT } from '../../support/fake-hub';
import { goldenFiles, type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';
import { sendJson } from '../../support/loopback';

describe('a mirror of a company', () => {
  let room: HubRoom;

  beforeEach(async () => {
    room = await hubRoom({ ...goldenFiles(), 'pytorch_model.bin': new Uint8Array(9) });
  });

  afterEach(() => room.dispose());

  it.each(['cmVmdGtuOjAx', 'user:pass', 'a', '~!@#$%^&*()', 'x'.repeat(4000)])(
    'may ask for a token of any form: %.20s',
    async (token) => {
      const closed = await hubRoom(goldenFiles(), { token });
      await expect(closed.get()).rejects.toThrow(/status 401/);
      await (await closed.get({ token })).dispose();
      await closed.dispose();
    },
  );

  it('may know no `expand`: nobody asks for it', async () => {
    await (await room.get()).dispose();
    expect(room.hub.log.filter(({ path }) => path.includes('expand'))).toEqual([]);
    expect(room.hub.log.length).toBeGreaterThan(3);
  });

  it('may have its addresses below a path', async () => {
    const below = await hubRoom(goldenFiles(), { prefix: '/artifactory/api/huggingfaceml/hub' });
    const endpoint = `${below.hub.endpoint}/artifactory/api/huggingfaceml/hub/`;
    await (await below.get({ endpoint })).dispose();
    await (await below.get({ endpoint, revision: 'v1', lazy: true })).dispose();
    const own = below.hub.log.filter(({ path }) => !path.startsWith('/storage'));
    expect(own.filter(({ path }) => !path.startsWith('/artifactory/api/huggingfaceml/hub/'))).toEqual([]);
    await below.dispose();
  });

  it('may be asked for any revision that git knows', async () => {
    await (await room.get({ revision: 'refs/pr/1' })).dispose();
    expect(room.hub.log[0].path).toBe('/api/models/org/tiny/revision/refs%2Fpr%2F1');
    await (await room.get({ revision: 'refs/pr/1', offline: true })).dispose();
  });

  it('may list the size of a pointer beside that of the file', async () => {
    room.hub.fault = { kind: 'pointers' };
    let total = 0;
    const onProgress = (progress: { total: number }) => {
      ({ total } = progress);
    };
    await (await room.get({ onProgress })).dispose();
    expect(total).toBe(room.content[WEIGHTS].length + room.content['config.json'].length);
  });

  describe('may know no list of files', () => {
    const withoutTree = (info: object | null = null, head: Record<string, string> | null = null) => {
      room.hub.intercept = (path, request, response) => {
        if (path.includes('/tree/')) {
          sendJson(response, 404, { errors: [{ status: 404 }] });
          return true;
        }
        if (info && path.includes('/revision/')) {
          sendJson(response, 200, info);
          return true;
        }
        if (!head || request.method !== 'HEAD') return false;
        response.writeHead(200, head).end();
        return true;
      };
    };

    it('then names come from the model’s info, sizes and hashes from the files’ own headers', async () => {
      withoutTree();
      await (await room.get()).dispose();
      const heads = room.hub.log.filter(({ method }) => method === 'HEAD').map(({ path }) => path.split('/').at(-1));
      expect(heads.sort()).toEqual(['config.json', WEIGHTS]); // and nothing about what is not wanted
      await (await room.get({ offline: true })).dispose();
    });

    /** Redirects every question about the weights, which carries what is said of them itself. */
    const redirectWeights = (location: (url: string) => string) => {
      const hash = { etag: `"${room.blob.split('/').at(-1)}"`, 'content-length': room.content[WEIGHTS].length };
      withoutTree();
      const inner = room.hub.intercept;
      room.hub.intercept = (name, request, response) => {
        const isAsked = request.method === 'HEAD' && name.endsWith(WEIGHTS) && !request.url?.endsWith('?moved');
        if (!isAsked) return inner?.(name, request, response) ?? false;
        response.writeHead(307, { location: location(request.url ?? ''), ...hash }).end();
        return true;
      };
    };

    it('and keep its files at another address, which is not asked what only the hub may say', async () => {
      const storage = await hubRoom(goldenFiles());
      redirectWeights((url) => `${storage.hub.endpoint}${url}`);
      await (await room.get()).dispose();
      expect(storage.hub.log).toEqual([]);
      await storage.dispose();
    });

    it('and move a file within itself: then the new place is asked', async () => {
      redirectWeights((url) => `${url}?moved`);
      await (await room.get()).dispose();
      expect(room.hub.log.filter(({ path }) => path.endsWith('?moved'))).toHaveLength(1);
    });

    it('and no names either: then the refusal of the list stands', async () => {
      withoutTree({ sha: COMMIT });
      await expect(room.get()).rejects.toThrow(/list of files\): expected it on the hub, found nothing \(status 404\)/);
    });

    it('nor hold weights that can be read', async () => {
      withoutTree({ sha: COMMIT, siblings: [{ rfilename: 'tf_model.h5' }, { rfilename: 5 }, null] });
      await expect(room.get()).rejects.toThrow(/found only tf_model.h5/);
    });

    it.each<[string, Record<string, string>, RegExp]>([
      ['no hash', { 'content-length': '9' }, /a git-sha1 in hex digits from the hub, found ''/],
      [
        'a hash that is a path',
        { etag: '"../../x"', 'content-length': '9' },
        /a git-sha1 in hex digits .*'\.\.\/\.\.\/x'/,
      ],
      ['no size', { etag: `"${COMMIT}"`, 'transfer-encoding': 'chunked' }, /a size in bytes from the hub, found null/],
      [
        'a strange size',
        { etag: `W/"${COMMIT}"`, 'x-linked-size': '1e400' },
        /a size in bytes from the hub, found Infinity/,
      ],
    ])('and say %s of a file: refused', async (_, head, message) => {
      withoutTree(null, head);
      await expect(room.get()).rejects.toThrow(message);
      expect(room.hub.requests).toEqual([]);
    });
  });
});
