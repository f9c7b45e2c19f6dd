import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { type ByteSource, blobSource, bufferSource, httpSource } from '../../weights';
import { fileSource } from '../../weights/source.node';
import { type Loopback, loopback } from '../support/loopback';

const CONTENT = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);

describe('a source of bytes', () => {
  let folder: string;
  let server: Loopback;
  let sources: ByteSource[];
  /** How the server answers; null answers rightly. */
  let answer: Parameters<typeof loopback>[0] | null;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'tandem-source-'));
    writeFileSync(path.join(folder, 'file'), CONTENT);
    server = await loopback((request, response) => {
      if (answer) return answer(request, response);
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${CONTENT.length}` });
      response.end(CONTENT.subarray(Number(from), Number(to) + 1));
    });
    sources = [
      bufferSource('buffer', CONTENT),
      blobSource('blob', new Blob([CONTENT])),
      await fileSource(path.join(folder, 'file')),
      httpSource('http', server.origin, CONTENT.length),
    ];
  });

  beforeEach(() => {
    answer = null;
  });

  afterAll(async () => {
    for (const source of sources) await source.dispose();
    await server.dispose();
    rmSync(folder, { recursive: true });
  });

  it('gives exactly the range that is asked for, of every kind, and refuses every other', async () => {
    const bound = fc.integer({ min: -3, max: CONTENT.length + 3 });
    await fc.assert(
      fc.asyncProperty(bound, bound, fc.nat(3), async (offset, length, kind) => {
        const source = sources[kind];
        const read = source.read(offset, length);
        if (offset >= 0 && length >= 0 && offset + length <= CONTENT.length) {
          expect(Buffer.from(await read).equals(CONTENT.subarray(offset, offset + length))).toBe(true);
        } else await expect(read).rejects.toThrow(/expected a range inside 1000 bytes, found/);
      }),
      { numRuns: 200 },
    );
  });

  it.each([Number.NaN, 0.5, 2 ** 60])('refuses %p as a place', async (place) => {
    for (const source of sources) await expect(source.read(place, 1)).rejects.toMatchObject({ code: 'io-failed' });
  });

  it('asks a server for nothing where nothing is asked for', async () => {
    const before = server.requests.length;
    expect(await sources[3].read(5, 0)).toHaveLength(0);
    expect(server.requests).toHaveLength(before);
  });

  it.each<[string, () => string, RegExp, string]>([
    ['nothing', () => path.join(folder, 'none'), /expected a readable file, found ENOENT/, 'not-found'],
    ['a directory', () => folder, /expected a file, found a directory/, 'io-failed'],
    ['a device without end', () => '/dev/zero', /expected a file, found a device$/, 'io-failed'],
    ['a pipe without a writer', () => pipe(), /expected a file, found a named pipe$/, 'io-failed'],
  ])('of a file cannot be %s', async (_, where, message, code) => {
    await expect(fileSource(where())).rejects.toThrow(message);
    await expect(fileSource(where())).rejects.toMatchObject({ code });
  });

  const pipe = () => {
    const file = path.join(folder, 'pipe');
    rmSync(file, { force: true });
    execFileSync('mkfifo', [file]);
    return file;
  };

  it('of a file that is cut off while it is open says so', async () => {
    const file = path.join(folder, 'cut');
    writeFileSync(file, CONTENT);
    const source = await fileSource(file);
    truncateSync(file, 10);
    await expect(source.read(5, 10)).rejects.toThrow(/expected 10 bytes at 5, found 5/);
    await source.dispose();
  });

  it('on a server is tried again after a broken connection and a busy answer', async () => {
    let asked = 0;
    answer = (request, response) => {
      asked++;
      if (asked === 1) request.socket.destroy();
      else if (asked === 2) response.writeHead(206).end(CONTENT.subarray(0, 3));
      else response.writeHead(206).end(CONTENT.subarray(0, 8));
    };
    expect(await sources[3].read(0, 8)).toEqual(CONTENT.slice(0, 8));
    expect(asked).toBe(3);
  });

  it.each<[string, Parameters<typeof loopback>[0], RegExp]>([
    [
      'the whole file',
      (_, response) => response.end(CONTENT),
      /expected bytes=8-15 \(status 206\), found the whole file/,
    ],
    [
      'another range',
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 80-87/1000' }).end('12345678'),
      /expected bytes=8-15, found 'bytes 80-87\/1000'/,
    ],
    ['more', (_, response) => response.writeHead(206).end('123456789'), /expected at most 8 bytes, found more/],
    ['nothing', (_, response) => response.writeHead(404).end(), /expected it on the hub, found nothing \(status 404\)/],
  ])('on a server that answers with %s fails at once', async (_, give, message) => {
    const before = server.requests.length;
    answer = give;
    await expect(sources[3].read(8, 8)).rejects.toThrow(message);
    expect(server.requests).toHaveLength(before + 1);
  });

  it('on a server that knows no ranges gives the whole file, and only that', async () => {
    answer = (_, response) => response.end(CONTENT);
    expect(await sources[3].read(0, CONTENT.length)).toEqual(CONTENT);
  });

  it('on a server can be cancelled, and falls silent for no longer than it may', async () => {
    answer = (_, response) => response.writeHead(206).write('1');
    const abort = new AbortController();
    const cancelled = httpSource('x', server.origin, 9, { signal: abort.signal }).read(0, 9);
    setTimeout(() => abort.abort(), 20);
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  });

  it.each(['', 'no address', 'http://'])('on a server cannot have %j as its address', (url) => {
    expect(() => httpSource('x', url, 9)).toThrow(/x: url: expected an address, found/);
  });
});
