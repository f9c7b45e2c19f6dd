import fc from 'fast-check';
import { untilAborted, withEventLoop, yieldToEventLoop } from '../../cli/event-loop';

const never = new AbortController().signal;
afterEach(() => jest.restoreAllMocks());

describe('work on one thread', () => {
  it('lets the event loop turn when 16 ms have passed since it did, and not before', async () => {
    let now = performance.now() + 1e6; // later than the last turn of this worker, which may have run for long
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const turns = jest.spyOn(globalThis, 'setImmediate');
    await yieldToEventLoop(never);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(0, 1, 7, 8, 15, 16, 17, 100), { maxLength: 20 }), async (steps) => {
        now += 100;
        await yieldToEventLoop(never); // a turn: what comes is measured from here
        let since = 0;
        for (const step of steps) {
          now += step;
          since += step;
          turns.mockClear();
          await yieldToEventLoop(never);
          expect([steps, step, turns.mock.calls.length]).toEqual([steps, step, since >= 16 ? 1 : 0]);
          if (since >= 16) since = 0;
        }
      }),
      { numRuns: 30 },
    );
  });

  it('ends with what its signal was aborted with, whether the event loop turned or not', async () => {
    const reason = new Error('enough');
    for (const time of [0, 1000]) {
      const from = performance.now();
      jest.spyOn(performance, 'now').mockImplementation(() => from + time);
      await expect(yieldToEventLoop(AbortSignal.abort(reason))).rejects.toBe(reason);
      jest.restoreAllMocks();
    }
  });

  it('gives the same items in their order, up to the abort', async () => {
    const controller = new AbortController();
    async function* numbers() {
      for (let i = 0; ; i++) yield i;
    }
    const seen: number[] = [];
    const all = async () => {
      for await (const number of withEventLoop(numbers(), controller.signal)) {
        seen.push(number);
        if (number === 5) controller.abort(new Error('enough'));
      }
    };
    await expect(all()).rejects.toThrow('enough');
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

test('who waits for a signal goes on with it, or at once', async () => {
  const controller = new AbortController();
  let isOver = false;
  const waiting = untilAborted(controller.signal).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  controller.abort();
  await waiting;
  await untilAborted(controller.signal);
});
