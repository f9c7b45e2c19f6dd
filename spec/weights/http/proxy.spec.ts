import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createSilent, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { createClient } from '../../../weights/http/client';
import { proxyFor } from '../../../weights/http/proxy.node';
import { createTransport } from '../../../weights/http/transport.node';
import { sendThroughProxy } from '../../../weights/http/tunnel.node';
import { bundle } from '../../support/bundle';
import { selfSigned } from '../../support/certificate';
import { type FakeProxy, fakeProxy } from '../../support/fake-proxy';
import { goldenFiles, type HubRoom, hubRoom } from '../../support/hub-room';
import { loopback } from '../../support/loopback';

const hostOf = (url: string, variables: Record<string, string>) => proxyFor(new URL(url), variables)?.host ?? null;

describe('the proxy of an address', () => {
  it.each<[Record<string, string>, string | null, string | null]>([
    [{}, null, null],
    [{ HTTPS_PROXY: 'http://p:1' }, 'p:1', null],
    [{ HTTP_PROXY: 'http://p:1' }, null, 'p:1'],
    [{ https_proxy: 'p:1', http_proxy: 'q:2' }, 'p:1', 'q:2'],
    [{ https_proxy: 'small:1', HTTPS_PROXY: 'capital:2' }, 'small:1', null],
    [{ https_proxy: ' ', HTTPS_PROXY: 'capital:2' }, 'capital:2', null],
    [{ ALL_PROXY: 'p:1', http_proxy: 'q:2' }, 'p:1', 'q:2'],
    [{ HTTP_PROXY: 'forged:1', REQUEST_METHOD: 'GET' }, null, null],
    [{ http_proxy: 'p:1', REQUEST_METHOD: 'GET' }, null, 'p:1'],
    [{ HTTPS_PROXY: 'https://user:pass@p' }, 'p', null],
  ])('%j', (variables, secure, plain) => {
    expect(hostOf('https://hub.test/x', variables)).toBe(secure);
    expect(hostOf('http://hub.test/x', variables)).toBe(plain);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['*', ['https://hub.test', 'https://10.0.0.1'], []],
    [
      'hub.test',
      ['https://hub.test', 'https://a.hub.test', 'https://HUB.test:8443'],
      ['https://myhub.test', 'https://hub.test.de'],
    ],
    ['.hub.test', ['https://hub.test', 'https://a.b.hub.test'], ['https://ahub.test']],
    ['*.hub.test, other.test', ['https://a.hub.test', 'https://other.test'], ['https://test']],
    ['hub.test:8443', ['https://hub.test:8443'], ['https://hub.test', 'https://hub.test:443']],
    ['hub.test:443', ['https://hub.test'], ['https://hub.test:8443']],
    [
      '10.0.0.0/8 192.168.1.7',
      ['https://10.1.2.3', 'https://192.168.1.7:8'],
      ['https://11.0.0.1', 'https://192.168.1.8'],
    ],
    ['10.1.2.3/33,10.1.2.3/x,/8', [], ['https://10.1.2.3', 'https://hub.test']],
    [
      '::1,fd00::/8,[fe80::1]:443',
      ['https://[::1]', 'https://[fd12::9]:8', 'https://[fe80::1]'],
      ['https://[::2]', 'https://[fe80::1]:8'],
    ],
    ['127.0.0.1', ['https://127.0.0.1', 'https://127.1'], ['https://localhost']],
    ['.', [], ['https://hub.test']],
    [', ,', [], ['https://hub.test']],
  ])('is none where no_proxy is %s', (no_proxy, direct, proxied) => {
    for (const name of ['no_proxy', 'NO_PROXY']) {
      const at = (url: string) => hostOf(url, { https_proxy: 'p:1', [name]: no_proxy });
      expect(direct.map(at)).toEqual(direct.map(() => null));
      expect(proxied.map(at)).toEqual(proxied.map(() => 'p:1'));
    }
  });

  it.each(['socks5://me:secret@p:1', 'ftp://me:secret@p', 'http://me:secret@', 'http://me:secret@p:99999'])(
    'that cannot be used (%s) is refused by the name of its variable, without its password',
    (https_proxy) => {
      const failed = () => hostOf('https://hub.test', { https_proxy });
      expect(failed).toThrow(
        /^https_proxy: expected the address of an HTTP proxy, found '(one for (socks5|ftp):|no address)'$/,
      );
    },
  );
});

describe('through a proxy', () => {
  let room: HubRoom;
  let proxy: FakeProxy;

  beforeEach(async () => {
    room = await hubRoom(goldenFiles(), { token: 'hf_secret' });
    const port = Number(new URL(room.hub.endpoint).port);
    proxy = await fakeProxy({ 'hub.test': port, [`127.0.0.1:${port}`]: port });
  });

  afterEach(async () => {
    await room.dispose();
    await proxy.dispose();
  });

  const through = (user = '') => ({ variables: { HTTP_PROXY: `http://${user}${proxy.host}` } });
  const asked = { endpoint: 'http://hub.test', token: 'hf_secret' };

  it('a model is downloaded, resumed and looked into from a host that only the proxy knows', async () => {
    await (await room.get({ ...asked, lazy: true }, through())).dispose();
    room.hub.fault = { kind: 'cut', file: 'model.safetensors', after: 3000, times: 1 };
    await (await room.get(asked, through())).dispose();
    expect(proxy.asked.length).toBe(room.hub.log.length);
    expect(new Set(proxy.asked.map(({ target }) => new URL(target).host))).toEqual(new Set(['hub.test']));
    expect(room.hub.requests.map(({ range }) => range)).toContain('bytes=3000-');
  });

  it('its user and password go to it alone, and the token through it', async () => {
    await (await room.get(asked, through('me:p%40ss@'))).dispose();
    const user = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(new Set(proxy.asked.map((request) => request.user))).toEqual(new Set([user]));
    expect(proxy.asked[0].authorization).toBe('Bearer hf_secret');
    expect(JSON.stringify(room.hub.log)).not.toContain('Basic');
  });

  it('nothing goes that no_proxy excludes', async () => {
    const variables = { ...through().variables, no_proxy: '127.0.0.1' };
    await (await room.get({ token: 'hf_secret' }, { variables })).dispose();
    expect(proxy.asked).toEqual([]);
  });

  it.each([
    [407, 1, /proxy 127.0.0.1:\d+: expected a connection, found status 407: put user and password into its address/],
    [503, 5, /expected an answer, found status 503/],
  ])('that answers %i, %i tries', async (status, tries, message) => {
    proxy.refuse = status;
    await expect(room.get(asked, through('me:wrong@'))).rejects.toThrow(message);
    expect(proxy.asked).toHaveLength(tries);
  });

  it.each([
    [403, 1, /proxy 127.0.0.1:\d+: expected a connection, found status 403/],
    [407, 1, /found status 407: put user and password into its address/],
    [502, 5, /expected an answer, found proxy 127.0.0.1:\d+: status 502/],
  ])('an https address is asked for by CONNECT; answered %i, %i tries', async (status, tries, message) => {
    proxy.refuse = status;
    const variables = { HTTPS_PROXY: `http://me:pass@${proxy.host}` };
    await expect(room.get({ endpoint: 'https://huggingface.co' }, { variables })).rejects.toThrow(message);
    const user = `Basic ${Buffer.from('me:pass').toString('base64')}`;
    const connect = { method: 'CONNECT', target: 'huggingface.co:443', authorization: null, user };
    expect(proxy.asked).toEqual(Array.from({ length: tries }, () => connect));
  });

  it('that is not there: the error names it, not its password', async () => {
    const variables = { HTTPS_PROXY: 'http://me:secret@127.0.0.1:1' };
    const failure = await room.get({ endpoint: 'https://huggingface.co' }, { variables }).catch((error) => error);
    expect(failure.message).toMatch(/found proxy 127.0.0.1:1: ECONNREFUSED/);
    expect(failure.message).not.toContain('secret');
  });

  it('what comes with the answer to CONNECT is the beginning of the tunnel: what is no TLS there fails, and is not passed over', async () => {
    const sockets: Duplex[] = [];
    const talking = createPlain().on('connect', (_, socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\nthis is no TLS, and nothing comes after it');
    });
    await new Promise<void>((resolve) => talking.listen(0, '127.0.0.1', resolve));
    const proxy = new URL(`http://127.0.0.1:${(talking.address() as AddressInfo).port}`);
    const signal = AbortSignal.timeout(20_000);
    const request = { method: 'GET', headers: {}, signal } as const;
    const sent = sendThroughProxy(proxy, new URL('https://hub.test/'), request);
    await expect(sent).rejects.toMatchObject({ code: expect.stringMatching(/SSL|EPROTO/) });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => talking.close(resolve));
  });

  it('a cancelled request ends, and so does a silent one', async () => {
    const sockets: Socket[] = [];
    const silent = createSilent((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) {
      const variables = { [name]: host };
      const endpoint = name === 'HTTP_PROXY' ? 'http://hub.test' : 'https://hub.test';
      await expect(room.get({ endpoint, timeoutMs: 30 }, { variables })).rejects.toThrow(/silence for 0.03 seconds/);
      const abort = new AbortController();
      const cancelled = room.get({ endpoint, signal: abort.signal }, { variables });
      setTimeout(() => abort.abort(), 30);
      await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    }
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
    expect(sockets.length).toBeGreaterThan(10);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', (body: Buffer) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ] as const)('an answer in %s is read, and a bomb of it is not', async (encoding, compress) => {
    let body = compress(Buffer.from('[1]'));
    const server = await loopback((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    });
    const to = await fakeProxy({ 'hub.test': Number(new URL(server.origin).port) });
    const transport = createTransport({ http_proxy: to.host });
    const client = createClient({ transport, timeoutMs: 30_000 });
    const ask = () => client.json({ what: 'x', url: 'http://hub.test/' });
    expect((await ask()).value).toEqual([1]);
    body = compress(Buffer.alloc(17 << 20, 32));
    await expect(ask()).rejects.toThrow(/x: expected at most 16777216 bytes, found more/);
    await to.dispose();
    await server.dispose();
  });
});

describe('through a tunnel', () => {
  it('TLS is checked against the host, with the certificates that NODE_EXTRA_CA_CERTS adds', async () => {
    const { key, cert } = selfSigned('hub.test');
    const secure = createServer({ key, cert }, (request, response) => {
      response
        .writeHead(200, { 'x-seen': `${request.headers.host} ${request.headers.authorization}` })
        .end('["secret"]');
    });
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const { port } = secure.address() as AddressInfo;
    const proxy = await fakeProxy({ 'hub.test:443': port, 'else.test:443': port });
    const folder = mkdtempSync(path.join(tmpdir(), 'tandem-tls-'));
    writeFileSync(path.join(folder, 'ca.pem'), cert);
    bundle(['weights/http/client', 'weights/http/transport.node'], path.join(folder, 'http.js'));
    const script = `
      const { createClient, createTransport } = require('./http');
      const secret = { origin: 'https://hub.test', headers: { authorization: 'Bearer t' } };
      const client = createClient({ transport: createTransport(), secret, timeoutMs: 30000, pause: async () => undefined });
      const ask = (url) => client.json({ what: 'x', url }).then(({ value, headers }) => [value, headers.get('x-seen')], (error) => error.message);
      (async () => console.log(JSON.stringify([await ask('https://hub.test/a'), await ask('https://else.test/')])))();
    `;
    const run = async (extra: object) => {
      const env = { ...process.env, HTTPS_PROXY: `http://${proxy.host}`, ...extra };
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: folder, env });
      return JSON.parse(stdout);
    };
    const trusted = await run({ NODE_EXTRA_CA_CERTS: path.join(folder, 'ca.pem') });
    expect(trusted[0]).toEqual([['secret'], 'hub.test Bearer t']);
    expect(trusted[1]).toMatch(/expected a certificate that is trusted, found ERR_TLS_CERT_ALTNAME_INVALID/);
    expect(proxy.asked.map(({ target, authorization }) => [target, authorization])).toEqual([
      ['hub.test:443', null],
      ['else.test:443', null],
    ]);
    const untrusted = await run({});
    expect(untrusted[0]).toMatch(
      /found (DEPTH_ZERO_)?SELF_SIGNED_CERT\w*; a company network .* NODE_EXTRA_CA_CERTS=FILE/,
    );
    secure.closeAllConnections();
    await new Promise((resolve) => secure.close(resolve));
    await proxy.dispose();
    rmSync(folder, { recursive: true });
  });
});
