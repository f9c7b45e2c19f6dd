import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parseShallowJson } from '../../../common';
import { httpSource } from '../../../weights';
import type { Intercept } from '../../support/fake-hub';
import { goldenFiles, type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';
import { loopback, sendForever, sendJson } from '../../support/loopback';

const MIB = 1 << 20;

describe('what a hub sends costs at most what is read of it', () => {
  let room: HubRoom;

  beforeEach(async () => {
    room = await hubRoom();
  });

  afterEach(() => room.dispose());

  /** Answers the requests of one kind. */
  const answer = (kind: string, give: (...arguments_: Parameters<Intercept>) => void) => {
    room.hub.intercept = (path, request, response) => {
      if (!path.includes(kind)) return false;
      give(path, request, response);
      return true;
    };
  };

  it.each(['/revision/', '/tree/'])('a gzip bomb in place of %s: 2.5 GiB of JSON in 2.5 MB', async (kind) => {
    const member = gzipSync(Buffer.alloc(64 * MIB, '[1],'));
    const bomb = Buffer.concat(Array.from({ length: 40 }, () => member));
    answer(kind, (_path, _request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    });
    const message = expect.stringMatching(/expected at most 16777216 bytes, found more/);
    await expect(room.get()).rejects.toMatchObject({ code: 'hub-failed', message });
  });

  it.each(['/revision/', '/tree/'])('JSON without end in place of %s', async (kind) => {
    let sent = 0;
    answer(kind, (_path, request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      sendForever(request, response, Buffer.alloc(64 << 10, '[1],'), (bytes) => {
        sent += bytes;
      });
    });
    await expect(room.get()).rejects.toThrow(/expected at most 16777216 bytes, found more/);
    expect(sent).toBeLessThan(48 * MIB); // what was read, and what the buffers of two sockets hold
  });

  it('a JSON answer that is compressed, and small, is read', async () => {
    answer('/tree/', (_path, _request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('[]'));
    });
    await expect(room.get()).rejects.toThrow(/found no weights/);
  });

  it.each<[string, (url: string, page: number) => string]>([
    ['pages without end', (url, page) => `${url.replace(/&cursor=.*/, '')}&cursor=${page}`],
    ['a page that is its own next one', (url) => url],
  ])('%s', async (_, next) => {
    let pages = 0;
    answer('/tree/', (_path, request, response) => {
      sendJson(response, 200, [], { link: `<${next(request.url ?? '', ++pages)}>; rel="next"` });
    });
    await expect(room.get()).rejects.toThrow(/expected at most 100 pages of files, found more/);
    expect(pages).toBe(100);
  });

  it.each(['[', '{"a":', '[{"a":'])('JSON that is nested a million deep: %s', async (open) => {
    const text = open.repeat(1e6);
    answer('/tree/', (_path, _request, response) => {
      response.writeHead(200).end(text);
    });
    const failure = await room.get().catch((error) => error);
    expect(failure).toMatchObject({ code: 'hub-failed', message: expect.stringMatching(/more than 64 levels/) });
    expect(failure.message.length).toBeLessThan(1000);
  });

  it.each<[string, string]>([
    ['a page of HTML', `<!DOCTYPE html>${'\u001b[31m'.repeat(1e5)}`],
    ['bytes that are no text', '\u0000\ufffd'.repeat(1e5)],
    ['nothing', ''],
  ])('%s in place of JSON: an error of one line that a terminal can show', async (_, text) => {
    answer('/revision/', (_path, _request, response) => {
      response.writeHead(200).end(text);
    });
    const failure = await room.get().catch((error) => error);
    expect(failure).toMatchObject({ code: 'hub-failed', message: expect.stringMatching(/expected JSON from the hub/) });
    expect(failure.message.length).toBeLessThan(1000);
    expect(failure.message).toMatch(/^[\u0020-\u007e\u00a0-\uffff]*$/);
  });

  it('an answer without end to a range read of 8 bytes', async () => {
    let sent = 0;
    const server = await loopback((request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-7/1000000000' });
      sendForever(request, response, Buffer.alloc(64 << 10), (bytes) => {
        sent += bytes;
      });
    });
    const source = httpSource('x', server.origin, 1e9);
    await expect(source.read(0, 8)).rejects.toThrow(/x: expected at most 8 bytes, found more/);
    expect(sent).toBeLessThan(16 * MIB);
    await server.dispose();
  });

  it('a file without end in place of one of the listed size', async () => {
    let sent = 0;
    answer(`/storage/${WEIGHTS}`, (_path, request, response) => {
      response.writeHead(200);
      sendForever(request, response, Buffer.alloc(64 << 10), (bytes) => {
        sent += bytes;
      });
    });
    await expect(room.get()).rejects.toThrow(/expected 221560 bytes, found more/);
    expect(sent).toBeLessThan(16 * MIB);
    expect(room.blobs().filter((name) => name.includes(room.blob))).toEqual([]);
  });

  it('a size that no disk has room for is refused before a byte is asked for', async () => {
    room.hub.fault = { kind: 'lie', about: 'size', value: 2 ** 52 };
    await expect(room.get()).rejects.toThrow(/org--tiny: expected room for \d+ bytes, found \d+ free/);
    await expect(room.get()).rejects.toMatchObject({ code: 'io-failed' });
    expect(room.hub.requests).toEqual([]);
    expect(readdirSync(room.cacheDir)).toEqual([]);
  });

  it('room is needed for what is not on disk yet, to the byte', async () => {
    const total = room.content[WEIGHTS].length + room.content['config.json'].length;
    const free = (bytes: number | null) => ({ freeBytes: async () => bytes });
    await expect(room.get({}, free(total - 1))).rejects.toThrow(
      `expected room for ${total} bytes, found ${total - 1} free`,
    );
    room.hub.fault = { kind: 'cut', file: WEIGHTS, after: 1000, times: 5 };
    await expect(room.get({}, free(total))).rejects.toMatchObject({ code: 'hub-failed' });
    const rest = room.content[WEIGHTS].length - 5000;
    await expect(room.get({}, free(rest - 1))).rejects.toThrow(`expected room for ${rest} bytes`);
    await (await room.get({}, free(rest))).dispose();
    await (await room.get({}, free(0))).dispose(); // everything is there
    const other = await hubRoom(goldenFiles('t5-sharded'));
    await (await other.get({}, free(null))).dispose(); // a system that does not say
    await other.dispose();
  });
});

describe('JSON of limited depth', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member)))
      : 0;

  it('is what JSON.parse makes of it, and refused exactly where it is deeper than 64', () => {
    const wrapped = fc.tuple(fc.jsonValue(), fc.array(fc.constantFrom('list', 'object'), { maxLength: 80 }));
    fc.assert(
      fc.property(wrapped, ([core, wrappers]) => {
        const value = wrappers.reduce<unknown>(
          (inner, kind) => (kind === 'list' ? [inner, '[{"\\'] : { '}]': inner }),
          core,
        );
        const text = JSON.stringify(value);
        if (depthOf(value) <= 64) expect(parseShallowJson(text)).toEqual(JSON.parse(text));
        else expect(() => parseShallowJson(text)).toThrow(/more than 64 levels of nesting/);
      }),
    );
  });
});
