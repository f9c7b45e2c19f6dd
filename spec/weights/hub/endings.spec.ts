import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { createClient } from '../../../weights/http/client';
import { pauseByClock } from '../../../weights/http/retry';
import { createTransport } from '../../../weights/http/transport.node';
import { download } from '../../../weights/hub/download.node';
import { type HubRoom, hubRoom, WEIGHTS } from '../../support/hub-room';
import { loopback } from '../../support/loopback';

/** Pauses between five tries that all fail. */
const PAUSES = [500, 1000, 2000, 4000];

describe('a download ends', () => {
  let room: HubRoom;

  beforeEach(async () => {
    room = await hubRoom();
  });

  afterEach(() => room.dispose());

  /** Answers requests for the weights, from the byte that they ask for. */
  const answerWeights = (answer: (response: ServerResponse, rest: Uint8Array, from: number) => void) => {
    let asked = 0;
    room.hub.intercept = (path, request, response) => {
      if (path !== `/storage/${WEIGHTS}`) return false;
      asked++;
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      answer(response, room.content[WEIGHTS].subarray(from), from);
      return true;
    };
    return () => asked;
  };
  const incomplete = () => statSync(`${room.blob}.tandem.incomplete`).size;

  it.each<[string, (response: ServerResponse, rest: Uint8Array, from: number) => void, RegExp, number]>([
    ['an empty answer', (response) => response.writeHead(200).end(), /an answer that ended after 0 of \d+ bytes/, 0],
    [
      'an empty 206',
      (response, _, from) => partial(response, new Uint8Array(0), from),
      /an answer that ended after 0/,
      0,
    ],
    [
      'one byte a connection',
      (response, rest, from) => partial(response, rest.subarray(0, 1), from),
      /ended after 5 of/,
      5,
    ],
    [
      '1 KiB a connection, then a reset',
      (response, rest, from) => {
        response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
        response.write(rest.subarray(0, 1024), () => setTimeout(() => response.destroy(), 10));
      },
      /found /,
      5 * 1024,
    ],
    [
      'half of the file whatever is asked',
      (response, rest, from) => from || response.end(rest.subarray(0, 9)),
      /found/,
      9,
    ],
    [
      'bytes from another place',
      (response, rest, from) => partial(response, rest.subarray(1), from + 1),
      /'bytes 1-/,
      0,
    ],
    ['a reset before the headers', (response) => response.destroy(), /found /, 0],
    ['status 503', (response) => response.writeHead(503).end(), /found status 503/, 0],
    ['status 416', (response) => response.writeHead(416).end(), /found status 416/, 0],
  ])('when the server goes on to answer with %s', async (_, answer, message, kept) => {
    const asked = answerWeights((response, rest, from) => {
      answer(response, rest, from);
      if (!response.writableEnded && !response.destroyed) setTimeout(() => response.destroy(), 10);
    });
    const failure = await room.get().catch((error) => error);
    expect(failure).toMatchObject({ code: 'hub-failed', message: expect.stringMatching(message) });
    expect(asked()).toBe(5);
    expect(room.pauses).toEqual(PAUSES);
    expect(incomplete()).toBe(kept);
    room.hub.intercept = null;
    await (await room.get()).dispose();
    expect(readFileSync(room.blob).equals(Buffer.from(room.content[WEIGHTS]))).toBe(true);
  });

  it('with the file when every connection brings enough, however many break', async () => {
    const asked = answerWeights((response, rest, from) => {
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
      response.write(rest.subarray(0, 66_000), () => setTimeout(() => response.destroy(), 20));
      if (rest.length <= 66_000) response.end();
    });
    await (await room.get()).dispose();
    expect(asked()).toBe(Math.ceil(room.content[WEIGHTS].length / 66_000));
  });

  it.each([201, 202, 204, 300, 400, 404, 410])('at once when the status is %i', async (status) => {
    const asked = answerWeights((response, rest) => response.writeHead(status).end(rest));
    await expect(room.get()).rejects.toThrow(new RegExp(`model.safetensors: expected .*status ${status}`));
    expect(asked()).toBe(1);
    expect(room.pauses).toEqual([]);
  });

  it('with a file that begins once when a server answers a range request with the whole (status 200)', async () => {
    mkdirSync(path.dirname(room.blob), { recursive: true });
    writeFileSync(`${room.blob}.tandem.incomplete`, room.content[WEIGHTS].subarray(0, 3000));
    const asked = answerWeights((response) => response.writeHead(200).end(room.content[WEIGHTS]));
    await (await room.get()).dispose();
    expect(asked()).toBe(1);
    expect(readFileSync(room.blob).equals(Buffer.from(room.content[WEIGHTS]))).toBe(true);
  });

  it('with the file when a server refuses ranges (status 416) and gives the whole', async () => {
    mkdirSync(path.dirname(room.blob), { recursive: true });
    writeFileSync(`${room.blob}.tandem.incomplete`, new Uint8Array(3000));
    const asked = answerWeights((response, rest, from) => response.writeHead(from > 0 ? 416 : 200).end(rest));
    await (await room.get()).dispose();
    expect(asked()).toBe(2);
    expect(readFileSync(room.blob).equals(Buffer.from(room.content[WEIGHTS]))).toBe(true);
  });

  it('when a server begins anew each time and gets no further than it was', async () => {
    let tries = 0;
    const asked = answerWeights((response) => {
      const bytes = tries++ % 2 === 0 ? 100_000 : 10_000;
      response.writeHead(200, { 'content-length': room.content[WEIGHTS].length });
      response.write(room.content[WEIGHTS].subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
      if (tries > 20) response.destroy(); // or this spec never ends
    });
    await expect(room.get()).rejects.toMatchObject({ code: 'hub-failed' });
    expect(asked()).toBeLessThanOrEqual(6); // 100,000 bytes are progress once
  });

  it('when a server that knows no ranges breaks off in the middle each time', async () => {
    const asked = answerWeights((response) => {
      response.writeHead(200, { 'content-length': room.content[WEIGHTS].length });
      response.write(room.content[WEIGHTS].subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20));
    });
    await expect(room.get()).rejects.toMatchObject({ code: 'hub-failed' });
    expect(asked()).toBeGreaterThanOrEqual(5);
    expect(asked()).toBeLessThanOrEqual(6); // the first one brought 100,000 new bytes, the others none
  });

  describe('in silence', () => {
    const timeoutMs = 40;

    it.each<[string, (response: ServerResponse, rest: Uint8Array, from: number) => void]>([
      ['before the headers', () => undefined],
      ['after the headers', (response) => response.writeHead(200).flushHeaders()],
      ['after some bytes', (response, rest, from) => response.writeHead(from ? 206 : 200).write(rest.subarray(0, 10))],
      [
        'but for a byte now and then',
        (response, rest, from) => {
          response.writeHead(from > 0 ? 206 : 200);
          let sent = 0;
          const timer = setInterval(() => response.write(rest.subarray(sent, ++sent)), 5);
          response.once('close', () => clearInterval(timer));
        },
      ],
    ])('%s: after the time limit, the tries and the pauses', async (_, answer) => {
      const asked = answerWeights(answer);
      const pauses: number[] = [];
      const pause = async (milliseconds: number) => {
        pauses.push(milliseconds);
      };
      const client = createClient({ transport: createTransport({}), timeoutMs, pause });
      const hash = { kind: 'sha256' as const, hex: path.basename(room.blob) };
      const url = `${room.hub.endpoint}/storage/${WEIGHTS}`;
      const file = { path: WEIGHTS, size: room.content[WEIGHTS].length, hash, url };
      await expect(download(file, room.blob, { client })).rejects.toThrow(
        /model.safetensors: expected an answer, found silence for 0.04 seconds/,
      );
      expect(asked()).toBe(5);
      expect(pauses).toEqual(PAUSES);
    });

    it('of the list of files', async () => {
      const silent = await loopback(() => undefined);
      await expect(room.get({ endpoint: silent.origin, timeoutMs })).rejects.toThrow(/found silence for 0.04 seconds/);
      expect(silent.requests).toHaveLength(5);
      await silent.dispose();
    });
  });

  it('with the error of a program that fails while it hears of progress, and does not try again', async () => {
    const failure = new Error('from the program');
    const onProgress = () => {
      throw failure;
    };
    await expect(room.get({ onProgress })).rejects.toBe(failure);
    expect(room.hub.requests).toHaveLength(1);
    await (await room.get()).dispose();
  });

  it('at once when it is cancelled between two tries', async () => {
    const abort = new AbortController();
    const asked = answerWeights((response) => response.writeHead(503, { 'retry-after': '200' }).end());
    const onNotice = () => setTimeout(() => abort.abort(), 10);
    const cancelled = room.get({ signal: abort.signal, onNotice }, { pause: pauseByClock }); // or this spec lasts 200 s
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    expect(asked()).toBe(1);
  });

  it('as cancelled or whole wherever it is cancelled, and leaves no lock', async () => {
    let cancelled = 0;
    let whole = 0;
    for (let step = 0; whole === 0; step++) {
      const fresh = await hubRoom();
      const abort = new AbortController();
      let steps = 0;
      const count = () => {
        if (steps++ === step) abort.abort();
      };
      fresh.hub.intercept = () => {
        count();
        return false;
      };
      fresh.hub.fault = { kind: 'cut', file: WEIGHTS, after: 3000, times: 2 };
      const get = fresh.get({ signal: abort.signal, onProgress: count, onNotice: count });
      const outcome = await get
        .then((checkpoint) => checkpoint.dispose())
        .catch((error: { code: string }) => error.code);
      if (outcome === undefined) whole++;
      else {
        expect(outcome).toBe('aborted');
        cancelled++;
      }
      const left = readdirSync(fresh.cacheDir, { recursive: true, encoding: 'utf8' });
      expect(left.filter((name) => name.includes('.lock'))).toEqual([]);
      await (await fresh.get()).dispose();
      await fresh.dispose();
    }
    expect(cancelled).toBeGreaterThan(12);
  });
});

function partial(response: ServerResponse, bytes: Uint8Array, from: number): void {
  const range = { 'content-range': `bytes ${from}-${from + bytes.length - 1}/*`, 'content-length': bytes.length };
  response.writeHead(206, range).end(bytes);
}
