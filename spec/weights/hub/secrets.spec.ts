import { httpSource } from '../../../weights';
import type { FakeHub } from '../../support/fake-hub';
import { gitHash, goldenFiles, type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';
import { type Loopback, loopback, sendJson } from '../../support/loopback';

const TOKEN = 'hf_secret';
const SENT = `Bearer ${TOKEN}`;

/** Every kind of request that `fromPretrained` sends, and how a call comes to send it. */
const KINDS: readonly { kind: string; method: string; path: RegExp; lazy?: boolean; withoutTree?: boolean }[] = [
  { kind: 'model info', method: 'GET', path: /^\/api\/models\/org\/tiny\/revision\/main$/ },
  { kind: 'list of files', method: 'GET', path: /\/tree\// },
  { kind: 'content of a small file', method: 'GET', path: /\/resolve\/.*config\.json$/ },
  { kind: 'content of a large file', method: 'GET', path: /\/resolve\/.*model\.safetensors$/ },
  { kind: 'range of a file', method: 'GET', path: /\/resolve\/.*model\.safetensors$/, lazy: true },
  { kind: 'description of a file', method: 'HEAD', path: /\/resolve\/.*model\.safetensors$/, withoutTree: true },
];

describe('the token stays with its origin', () => {
  let room: HubRoom;
  /** Another origin: the same files without a token. */
  let other: HubRoom;

  beforeEach(async () => {
    room = await hubRoom(goldenFiles(), { token: TOKEN });
    other = await hubRoom(goldenFiles());
  });

  afterEach(async () => {
    await room.dispose();
    await other.dispose();
  });

  const tokens = (hub: FakeHub) => [...new Set(hub.log.map(({ authorization }) => authorization))];
  const noTree = (path: string) => path.includes('/tree/');

  it('and goes there with every request of the hub’s own', async () => {
    await (await room.get({ token: TOKEN, lazy: true })).dispose();
    await (await room.get({ token: TOKEN })).dispose();
    const own = room.hub.log.filter(({ path }) => !path.startsWith('/storage'));
    expect(own.length).toBeGreaterThan(6);
    expect([...new Set(own.map(({ authorization }) => authorization))]).toEqual([SENT]);
    await expect(room.get({ revision: 'v1' })).rejects.toThrow(/set HF_TOKEN/);
  });

  const cases = KINDS.flatMap((kind) => [301, 302, 303, 307, 308].map((status) => ({ ...kind, status })));
  it.each(cases)('when the $kind is redirected to another origin with $status', async (kind) => {
    let redirected = 0;
    room.hub.intercept = (path, request, response) => {
      if (kind.withoutTree && noTree(path)) {
        response.writeHead(404).end();
        return true;
      }
      if (request.method !== kind.method || !kind.path.test(path)) return false;
      redirected++;
      const described = {
        'x-linked-etag': `"${room.blob.split('/').at(-1)}"`,
        'x-linked-size': String(room.content[WEIGHTS].length),
      };
      response.writeHead(kind.status, { location: `${other.hub.endpoint}${request.url}`, ...described }).end();
      return true;
    };
    await (await room.get({ token: TOKEN, lazy: kind.lazy })).dispose();
    expect(redirected).toBeGreaterThan(0);
    if (kind.method === 'HEAD')
      expect(other.hub.log).toEqual([]); // the redirect itself was the answer
    else expect(tokens(other.hub)).toEqual([null]);
    const own = room.hub.log.filter(({ path }) => !path.startsWith('/storage'));
    expect([...new Set(own.map(({ authorization }) => authorization))]).toEqual([SENT]);
  });

  it.each(KINDS.filter(({ method }) => method === 'GET'))(
    'when the $kind is redirected away and back: it does not come back either',
    async ({ path: wanted, lazy }) => {
      const away = await loopback((request, response) => {
        response.writeHead(307, { location: `${room.hub.endpoint}${request.url?.replace(/\?.*/, '')}?back` }).end();
      });
      room.hub.intercept = (path, request, response) => {
        if (!wanted.test(path) || request.url?.endsWith('?back')) return false;
        response.writeHead(307, { location: `${away.origin}${request.url}` }).end();
        return true;
      };
      await expect(room.get({ token: TOKEN, lazy })).rejects.toThrow(/expected access, found status 401/);
      const back = room.hub.log.filter(({ path }) => path.endsWith('?back'));
      expect(back.map(({ authorization }) => authorization)).toEqual([null]);
      expect(away.requests.map(({ authorization }) => authorization)).toEqual([null]);
      await away.dispose();
    },
  );

  it('when a download goes on after a broken connection to another origin', async () => {
    other.hub.fault = { kind: 'cut', file: WEIGHTS, after: 3000, times: 2 };
    room.hub.intercept = (path, request, response) => {
      if (!path.includes('/resolve/')) return false;
      response.writeHead(302, { location: `${other.hub.endpoint}${request.url}` }).end();
      return true;
    };
    await (await room.get({ token: TOKEN })).dispose();
    expect(other.hub.requests.filter(({ path }) => path === WEIGHTS)).toHaveLength(3);
    expect(tokens(other.hub)).toEqual([null]);
  });

  describe('when the next page of the list', () => {
    const paged = (link: (url: string) => string) => {
      room.hub.intercept = (path, request, response) => {
        if (!noTree(path)) return false;
        const second = request.url?.includes('cursor=2');
        const file = second ? WEIGHTS : 'config.json';
        const listing = fakeListing(room, file);
        sendJson(response, 200, [listing], second ? {} : { link: link(request.url ?? '') });
        return true;
      };
    };

    it('is on the hub, it is asked with the token', async () => {
      paged((url) => `<${room.hub.endpoint}${url}&cursor=2>; rel="next"`);
      await (await room.get({ token: TOKEN })).dispose();
      paged((url) => `<${url}&cursor=2>; rel=next`);
      await (await room.get({ token: TOKEN })).dispose();
      expect(room.hub.log.filter(({ path }) => path.includes('cursor=2'))).toHaveLength(2);
    });

    it.each<[string, (url: string) => string]>([
      ['another port', (url) => `<${other.hub.endpoint}${url}>; rel="next"`],
      ['another host', (url) => `<${room.hub.endpoint.replace('127.0.0.1', 'localhost')}${url}>; rel="next"`],
      ['another scheme', (url) => `<${room.hub.endpoint.replace('http:', 'https:')}${url}>; rel="next"`],
      ['no host', () => `<data:application/json,[]>; rel="next"`],
    ])('is on %s, nobody is asked', async (_, link) => {
      paged(link);
      await expect(room.get({ token: TOKEN })).rejects.toThrow(/expected the next page of files at http.*, found '/);
      expect(other.hub.log).toEqual([]);
      expect(room.hub.requests).toEqual([]);
    });
  });

  it.each(['file:///etc/passwd', 'data:text/plain,x', 'ftp://127.0.0.1/x', 'http://me:pass@127.0.0.1/', 'http://'])(
    'and a redirect to %s is refused at once',
    async (location) => {
      room.hub.intercept = (_path, _request, response) => {
        response.writeHead(302, { location }).end();
        return true;
      };
      await expect(room.get({ token: TOKEN })).rejects.toThrow(/expected a redirect to an HTTP address, found '/);
      expect(room.hub.log).toHaveLength(1);
    },
  );

  it('and redirects that never end do end', async () => {
    room.hub.intercept = (_path, request, response) => {
      response.writeHead(302, { location: `${request.url}x` }).end();
      return true;
    };
    await expect(room.get({ token: TOKEN })).rejects.toThrow(/found more than 10 redirects/);
    expect(room.hub.log).toHaveLength(11);
  });

  it('and so do the headers of a source that reads ranges', async () => {
    const away: Loopback = await loopback((_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-3/9' }).end('abcd');
    });
    const near = await loopback((_request, response) => {
      response.writeHead(302, { location: away.origin }).end();
    });
    const source = httpSource('x', `${near.origin}/x`, 9, { headers: { authorization: SENT } });
    expect(Buffer.from(await source.read(0, 4)).toString()).toBe('abcd');
    expect(near.requests[0].authorization).toBe(SENT);
    expect(away.requests[0]).toMatchObject({ authorization: null, range: 'bytes=0-3' });
    await near.dispose();
    await away.dispose();
  });
});

function fakeListing(room: HubRoom, path: string): object {
  const size = room.content[path].length;
  const sha = room.blob.split('/').at(-1);
  if (path === WEIGHTS) return { type: 'file', path, size, oid: '0'.repeat(40), lfs: { oid: sha, size } };
  return { type: 'file', path, size, oid: gitHash(room.content[path]) };
}
