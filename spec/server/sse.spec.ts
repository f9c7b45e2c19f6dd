import fc from 'fast-check';
import { RequestError } from '../../server/failure';
import { eventStream } from '../../server/sse';

/** Objects one after the other, then perhaps an error; `read` counts those that were asked for. */
function source(objects: readonly object[], error?: Error) {
  const state = { read: 0 };
  const generator = (async function* () {
    for (const object of objects) {
      state.read++;
      yield object;
    }
    if (error) throw error;
  })();
  return { state, generator };
}

/** Who hears of the ends, and how often. */
function ends() {
  const heard = { end: 0, over: 0 };
  return { heard, end: () => heard.end++, onOver: () => heard.over++ };
}

const objects = fc.array(fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), { maxLength: 6 });
/** Lets a stream go on that waits for nobody: some turns of the event loop are more than it takes. */
async function settle() {
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a stream of events', () => {
  test('has one event an object, in order, and [DONE] after the last; what an object says ends no event', async () => {
    await fc.assert(
      fc.asyncProperty(objects, async (list) => {
        const told = ends();
        const response = await eventStream(source(list).generator, told);
        expect([response.status, Object.fromEntries(response.headers)]).toEqual([
          200,
          {
            'content-type': 'text/event-stream; charset=utf-8',
            'cache-control': 'no-cache',
            'x-accel-buffering': 'no',
          },
        ]);
        const text = await response.text();
        expect(text).toBe(
          [...list.map((one) => JSON.stringify(one)), '[DONE]'].map((one) => `data: ${one}\n\n`).join(''),
        );
        expect(told.heard).toEqual({ end: 0, over: 1 });
      }),
    );
  });

  test('an error before the first object is thrown; a later one is the last event, without [DONE]', async () => {
    await fc.assert(
      fc.asyncProperty(objects, async (list) => {
        const told = ends();
        const error = new RequestError(400, 'lost', { code: 'lost', param: 'prompt' });
        const asked = eventStream(source(list, error).generator, told);
        if (list.length === 0) {
          await expect(asked).rejects.toBe(error);
          expect(told.heard).toEqual({ end: 0, over: 0 });
          return;
        }
        const events = (await (await asked).text()).split('\n\n');
        const said = { error: { message: 'lost', type: 'invalid_request_error', param: 'prompt', code: 'lost' } };
        expect(events.map((event) => event.replace(/^data: /, ''))).toEqual([
          ...list.map((one) => JSON.stringify(one)),
          JSON.stringify(said),
          '',
        ]);
        expect(told.heard).toEqual({ end: 0, over: 1 });
      }),
    );
  });

  test('is taken to its end though nobody reads; a client that goes away is told of once, and gets nothing more', async () => {
    const list = Array.from({ length: 50 }, (_, i) => ({ i }));
    const { state, generator } = source(list);
    const told = ends();
    await eventStream(generator, told);
    await settle();
    expect([state.read, told.heard]).toEqual([50, { end: 0, over: 1 }]);

    let release = () => {};
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = (async function* () {
      yield { first: true };
      await opened;
      yield { second: true };
    })();
    const left = ends();
    const response = await eventStream(slow, left);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('data: {"first":true}\n\n');
    await reader.cancel();
    expect(left.heard).toEqual({ end: 1, over: 0 });
    release();
    await settle(); // an event to a stream that is closed would be an unhandled rejection
    expect(left.heard).toEqual({ end: 1, over: 1 });
  });
});
