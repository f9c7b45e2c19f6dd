import { getEventListeners } from 'node:events';
import { createClient } from '../../../weights/http/client';
import { SilenceWatch } from '../../../weights/http/silence';
import { createTransport } from '../../../weights/http/transport.node';
import { loopback } from '../../support/loopback';

const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('the watch over silence', () => {
  it('ends what is awaited for too long', async () => {
    const watch = new SilenceWatch(20, undefined);
    const step = new Promise((_, reject) => watch.signal.addEventListener('abort', () => reject(new Error('cut'))));
    await expect(watch.wait(step)).rejects.toThrow('silence for 0.02 seconds');
  });

  it('does not count the time in which nothing is awaited', async () => {
    const watch = new SilenceWatch(300, undefined);
    for (let i = 0; i < 4; i++) {
      await watch.wait(Promise.resolve());
      await after(150);
    }
    expect(watch.signal.aborted).toBe(false);
    watch.end();
  });

  it('adds up waits that brought too little, and forgets them when 16 KiB have come', async () => {
    const clock = jest.spyOn(performance, 'now');
    let now = 0;
    clock.mockImplementation(() => now);
    const timer = jest.spyOn(globalThis, 'setTimeout');
    const limits = () => timer.mock.calls.map(([, milliseconds]) => milliseconds);
    const watch = new SilenceWatch(1000, undefined);
    const step = async (milliseconds: number, bytes: number) => {
      const waiting = watch.wait(Promise.resolve());
      now += milliseconds;
      await waiting;
      watch.count(bytes);
    };
    await step(300, 8_000);
    await step(300, 8_000);
    await step(300, 384);
    await step(300, 0);
    await step(1, 16_384);
    await step(1, 0);
    expect(limits()).toEqual([1000, 700, 400, 1000, 700, 1000]);
    timer.mockRestore();
    clock.mockRestore();
    watch.end();
  });

  it('passes on what its caller cancels, and forgets the caller’s signal at its end', () => {
    const abort = new AbortController();
    const first = new SilenceWatch(1000, abort.signal);
    const second = new SilenceWatch(1000, abort.signal);
    second.end();
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
    abort.abort('because');
    expect(first.signal.reason).toBe('because');
    expect(new SilenceWatch(1000, abort.signal).signal.aborted).toBe(true);
  });

  it('leaves nothing on a signal after many requests, however they end', async () => {
    let asked = 0;
    const server = await loopback((request, response) => {
      if (++asked % 3 === 0) request.socket.destroy();
      else response.writeHead(asked % 3 === 1 ? 200 : 503).end('[]');
    });
    const abort = new AbortController();
    const { signal } = abort;
    const client = createClient({ transport: createTransport({}), timeoutMs: 30_000, signal, tries: 1 });
    const ends = { good: 0, bad: 0 };
    for (let i = 0; i < 30; i++) {
      await client.json({ what: 'x', url: server.origin }).then(
        () => ends.good++,
        () => ends.bad++,
      );
    }
    expect(ends).toEqual({ good: 10, bad: 20 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await server.dispose();
  });
});
