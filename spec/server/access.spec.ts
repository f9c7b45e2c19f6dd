import { request } from 'node:http';
import { connect } from 'node:net';
import { checkHost, keyCheck } from '../../server/access';
import { tableServer } from './server';

describe('access', () => {
  const bare = (port: number, headers: Record<string, string>, path = '/health') =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject);
      asked.end();
    });

  test('a server of this machine alone answers to its own names only', async () => {
    const toy = await tableServer();
    const { port } = toy.server;
    for (const host of [`127.0.0.1:${port}`, 'localhost', `[::1]:${port}`, 'a.localhost:1']) {
      expect([host, await bare(port, { Host: host })]).toEqual([host, 200]);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'evil127.0.0.1',
      'evil.example.127.0.0.1',
      'localhost.evil.example',
      '10.0.0.1',
    ]) {
      expect([host, await bare(port, { Host: host })]).toEqual([host, 403]);
    }
    await toy.close();
  });

  test('who names no host, as in HTTP 1.0, is refused', async () => {
    const toy = await tableServer();
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(toy.server.port, '127.0.0.1', () => socket.write('GET /health HTTP/1.0\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 [45]\d\d /);
    await toy.close();
  });

  test('one that other machines reach has the names that they know it by', async () => {
    const toy = await tableServer({ host: '0.0.0.0' });
    expect([toy.server.isLocal, await bare(toy.server.port, { Host: 'box.example' })]).toEqual([false, 200]);
    await toy.close();
  });

  test('the key is asked for everywhere but for the health, and stands in no answer', async () => {
    const toy = await tableServer({ apiKey: 'right-key' });
    const status = async (path: string, headers: Record<string, string>) => {
      const response = await toy.send(path, { headers });
      const text = await response.text();
      expect(text).not.toContain('right-key');
      return response.status;
    };
    expect(await status('/health', {})).toBe(200);
    for (const path of ['/v1/models', '/metrics', '/nowhere']) {
      for (const wrong of [
        {},
        { Authorization: 'Bearer wrong' },
        { Authorization: 'Basic right-key' },
        { Authorization: 'Bearer right-key2' },
      ]) {
        expect(await status(path, wrong as Record<string, string>)).toBe(401);
      }
    }
    const refused = await toy.send('/v1/models');
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect((await refused.json()).error).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
    for (const right of ['Bearer right-key', 'bearer right-key', 'Bearer   right-key  ']) {
      expect([right, await status('/v1/models', { Authorization: right })]).toEqual([right, 200]);
    }
    expect(await status('/v1/models', { Authorization: 'Bearer right-key' })).toBe(200);
    expect((await toy.client.models.list()).data).toHaveLength(1);
    expect(JSON.stringify(toy.answered)).not.toContain('right-key');
    await toy.close();
  });

  test('no page of another origin may read, unless it was named', async () => {
    const preflight = {
      method: 'OPTIONS',
      headers: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST' },
    };
    const closed = await tableServer();
    const refused = await closed.send('/v1/completions', preflight);
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([405, null]);
    await closed.close();
    const open = await tableServer({ cors: ['https://a.example'], apiKey: 'key' });
    const allowed = await open.send('/v1/completions', preflight);
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'https://a.example']);
    const other = await open.send('/v1/models', {
      headers: { Origin: 'https://b.example', Authorization: 'Bearer key' },
    });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    await open.close();
    const all = await tableServer({ cors: ['https://a.example', '*'] });
    for (const Origin of ['https://a.example', 'https://b.example']) {
      const answer = await all.send('/v1/models', { headers: { Origin } });
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-expose-headers')).toBe('Retry-After');
    }
    await all.close();
  });

  test.each([
    [['localhost', 'LOCALHOST:80', '127.0.0.1', '127.255.0.9:1', '[::1]', '[::1]:65535', 'a.localhost'], true],
    [['', 'evil.example', 'x:localhost', 'evil.example:localhost:80', 'localhost:', 'localhost:80a', '::1:80'], false],
    [['[::1', '[::2]', '[::1]x', '127.0.0.1.1', '127.0.0', '128.0.0.1', 'xlocalhost', 'localhost.x'], false],
  ])('%j name this machine: %s', (hosts, isLocal) => {
    for (const host of hosts) {
      let refused: unknown = null;
      try {
        checkHost(host);
      } catch (error) {
        refused = error;
      }
      const details = { code: 'host_not_allowed' };
      expect([host, refused]).toEqual([host, isLocal ? null : expect.objectContaining({ status: 403, details })]);
    }
  });

  test('who is refused hears whether there was a host or a key at all', () => {
    expect(() => checkHost(null)).toThrow(/found none$/);
    expect(() => checkHost('evil.example')).toThrow(/found 'evil\.example'$/);
    expect(() => keyCheck('right')(null)).toThrow(/found none$/);
    expect(() => keyCheck('right')('Bearer wrong')).toThrow(/found another$/);
    for (const wrong of ['', 'right', 'Bearer', 'Bearer right wrong', 'xBearer right', 'Bearer right ,']) {
      expect(() => keyCheck('right')(wrong)).toThrow(/found another$/);
    }
    expect(keyCheck('right')('Bearer right')).toBeUndefined();
  });

  test.each<[string, object, RegExp]>([
    ['a port that is none', { port: 70000 }, /port: expected a whole number from 0 to 65535/],
    ['an unknown option', { prot: 1 }, /^serve: unknown option 'prot'; did you mean 'port'/],
    ['an empty key', { apiKey: '' }, /apiKey: expected text that is not empty/],
    ['an address of no card', { host: '203.0.113.7' }, /expected to listen on '203.0.113.7', port 0, found E/],
  ])('%s is refused before anything listens', async (_, options, message) => {
    await expect(tableServer(options)).rejects.toThrow(message);
  });
});

describe('what the server tells of itself', () => {
  test('health, metrics that count, and answers without what was asked', async () => {
    const toy = await tableServer();
    const { tandem } = toy;
    expect(await toy.send('/health').then((response) => response.json())).toEqual({ status: 'ok', model: 'toy' });
    await toy.post('/v1/completions', { prompt: 'abc', max_tokens: 5, gamma: 4 });
    await toy.post('/v1/completions', { prompt: 3 });
    const { metrics } = await tandem.generate('abc', { maxNewTokens: 5, gamma: 4 });
    for (const path of ['/v1/models/toy', '/v1/models/other', '/v1/nowhere', '/toString']) await toy.send(path);
    const text = await toy.send('/metrics').then((response) => response.text());
    for (const line of [
      'tandem_requests_total{route="/v1/completions",status="200"} 1',
      'tandem_requests_total{route="/v1/completions",status="400"} 1',
      'tandem_tokens_total{kind="prompt"} 4',
      `tandem_tokens_total{kind="completion"} ${metrics.newTokens}`,
      `tandem_draft_tokens_total{outcome="accepted"} ${metrics.accepted}`,
      `tandem_draft_tokens_total{outcome="rejected"} ${metrics.proposed - metrics.accepted}`,
      'tandem_places_used 0',
      'tandem_places 72',
      'tandem_first_token_seconds_count 1',
      'tandem_request_seconds_count{route="/v1/completions"} 2',
      'tandem_request_seconds_count{route="/health"} 1',
      'tandem_requests_total{route="/v1/models/{id}",status="200"} 1',
      'tandem_requests_total{route="/v1/models/{id}",status="404"} 1',
      'tandem_requests_total{route="other",status="404"} 2',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    const sum = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    expect(sum('tandem_first_token_seconds_sum')).toBeGreaterThan(0);
    // The first token is there before the answer is.
    expect(sum('tandem_first_token_seconds_sum')).toBeLessThanOrEqual(
      sum('tandem_request_seconds_sum\\{route="/v1/completions"\\}'),
    );
    expect(toy.answered.slice(0, 3)).toEqual([
      { method: 'GET', route: '/health', status: 200, seconds: expect.any(Number), error: undefined },
      { method: 'POST', route: '/v1/completions', status: 200, seconds: expect.any(Number), error: undefined },
      { method: 'POST', route: '/v1/completions', status: 400, seconds: expect.any(Number), error: expect.any(Error) },
    ]);
    await toy.close();
  });
});
