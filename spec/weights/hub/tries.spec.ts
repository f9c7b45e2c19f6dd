import { type HubRoom, hubRoom } from '../../support/hub-room';

describe('tries', () => {
  let room: HubRoom;

  beforeEach(async () => {
    room = await hubRoom();
  });

  afterEach(() => room.dispose());

  /** Refuses the first request of a kind. */
  const refuseOnce = (kind: RegExp, method: string, headers: Record<string, string>, status: number) => {
    let left = 1;
    room.hub.intercept = (path, request, response) => {
      if (method === 'HEAD' && path.includes('/tree/')) {
        response.writeHead(404).end();
        return true;
      }
      if (request.method !== method || !kind.test(path) || left-- <= 0) return false;
      response.writeHead(status, headers).end('{"error":"busy"}');
      return true;
    };
  };

  const kinds = [
    { kind: 'model info', pattern: /\/revision\//, method: 'GET', lazy: false },
    { kind: 'list of files', pattern: /\/tree\//, method: 'GET', lazy: false },
    { kind: 'description of a file', pattern: /\/resolve\//, method: 'HEAD', lazy: false },
    { kind: 'content', pattern: /\/storage\//, method: 'GET', lazy: false },
    { kind: 'range', pattern: /\/storage\/model/, method: 'GET', lazy: true },
  ];
  const cases = kinds.flatMap((kind) => [408, 429, 500, 502, 503, 504, 520].map((status) => ({ ...kind, status })));
  it.each(cases)('go on after a $kind that is answered with $status', async ({ pattern, method, lazy, status }) => {
    refuseOnce(pattern, method, {}, status);
    const checkpoint = await room.get({ lazy });
    await checkpoint.dispose();
    expect(room.pauses).toEqual([500]);
    expect(room.notices).toEqual([
      { kind: 'retry', pauseMs: 500, message: expect.stringMatching(`: status ${status}; next try in 0.5 s`) },
    ]);
  });

  it.each([
    ['in seconds', { 'retry-after': '7' }, [7000]],
    ['that has gone by', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, [500]],
    ['that is none', { 'retry-after': 'soon' }, [500]],
    ['of none', { 'retry-after': '0' }, [500]],
    ['in a RateLimit header', { ratelimit: '"api";r=0;t=171' }, [171_000]],
    ['at the limit', { 'retry-after': '300' }, [300_000]],
  ])('wait for a time %s', async (_, headers, pauses) => {
    refuseOnce(/\/tree\//, 'GET', headers, 429);
    await (await room.get()).dispose();
    expect(room.pauses).toEqual(pauses);
  });

  it.each(['301', '999999999999999999999'])('end at once when the hub asks to wait for %s seconds', async (seconds) => {
    refuseOnce(/\/tree\//, 'GET', { 'retry-after': seconds }, 429);
    await expect(room.get()).rejects.toThrow(/found status 429/);
    expect(room.pauses).toEqual([]);
  });
});
