import { createClient } from '../../../weights/http/client';
import type { Transport } from '../../../weights/http/transport';
import { createTransport } from '../../../weights/http/transport.node';
import { loopback } from '../../support/loopback';

/** A client that tries once, over answers that a spec makes. */
const clientOf = (transport: Transport, signal?: AbortSignal) =>
  createClient({ transport, timeoutMs: 1000, tries: 1, signal, pause: async () => undefined });

describe('a client', () => {
  it('lets a body take as long as it likes while each time limit brings 16 KiB', async () => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const timer = jest.spyOn(globalThis, 'setTimeout');
    const pieces = [16 << 10, 16 << 10, 100, 16 << 10, 16 << 10];
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await null; // the wait has begun
          now += 400;
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(new Uint8Array(piece));
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await clientOf(async () => new Response(body)).open({ what: 'x', url: 'http://hub.test/' });
    expect(await answer.bytes(1 << 20)).toHaveLength(4 * (16 << 10) + 100);
    answer.dispose();
    const limits = timer.mock.calls.map(([, milliseconds]) => milliseconds);
    timer.mockRestore();
    clock.mockRestore();
    expect(limits).toEqual([1000, 1000, 1000, 1000, 600, 1000, 1000]); // the headers, five pieces, the end
  });

  it.each<[string, Error, string]>([
    ['a code', Object.assign(new Error('longer words'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    ['no code', new Error('words'), 'words'],
    ['200 characters at most', new Error('x'.repeat(1000)), 'x'.repeat(200)],
    ['no control character', new Error('a\u001b[31m\u0007\nb\u202ec'), 'a\\x1b[31m\\x07\\x0ab\\u202ec'],
  ])('says of a broken connection what its cause says: %s', async (_, cause, found) => {
    const broken = async () => {
      throw new TypeError('fetch failed', { cause });
    };
    const failure = await clientOf(broken)
      .json({ what: 'x', url: 'http://hub.test/' })
      .catch((error) => error);
    expect(failure.message).toBe(`x: expected an answer, found ${found}`);
  });

  it('asks for answers without compression: a file’s bytes are counted and hashed as they are stored', async () => {
    const encodings: unknown[] = [];
    const server = await loopback((request, response) => {
      encodings.push(request.headers['accept-encoding']);
      response.end('[]');
    });
    await clientOf(createTransport({})).json({ what: 'x', url: server.origin });
    await clientOf(createTransport({ http_proxy: server.origin })).json({ what: 'x', url: 'http://hub.test/' });
    await server.dispose();
    expect(encodings).toEqual(['identity', 'identity']);
  });

  it.each(['directly', 'through a proxy'])('that was cancelled before asks nobody: %s', async (way) => {
    const server = await loopback((_request, response) => void response.end('[]'));
    const transport = createTransport(way === 'directly' ? {} : { http_proxy: server.origin });
    const client = clientOf(transport, AbortSignal.abort());
    await expect(client.open({ what: 'x', url: server.origin })).rejects.toMatchObject({ code: 'aborted' });
    expect(server.requests).toEqual([]);
    await server.dispose();
  });

  it.each(['directly', 'through a proxy'])('ends a connection whose body is left in the middle: %s', async (way) => {
    let closed: (value: unknown) => void;
    const ended = new Promise((resolve) => {
      closed = resolve;
    });
    const server = await loopback((_request, response) => {
      response.once('close', closed);
      response.write(new Uint8Array(100));
    });
    const transport = createTransport(way === 'directly' ? {} : { http_proxy: server.origin });
    const url = way === 'directly' ? server.origin : 'http://hub.test/';
    const answer = await clientOf(transport).open({ what: 'x', url });
    for await (const chunk of answer.chunks()) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    answer.dispose();
    await ended; // or this spec never ends
    await server.dispose();
  });
});
