import fc from 'fast-check';
import { Inbox } from '../../common';

/** Lets everything that waits for no input of its own go on: whoever still waits then was not told. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Takes until the end; what was seen grows while it runs. */
function taker<T>(inbox: Inbox<T>) {
  const seen: (T | Error | 'end')[] = [];
  const take = async () => {
    for await (const item of inbox.take()) seen.push(item);
  };
  take().then(
    () => seen.push('end'),
    (error: Error) => seen.push(error),
  );
  return seen;
}

type Step = number | 'settle' | 'close' | 'fail';
const steps = fc.array(fc.oneof(fc.nat(9), fc.constantFrom<Step>('settle', 'close', 'fail')), { maxLength: 12 });

describe('an inbox', () => {
  it('gives what was put in, in order, as soon as it is there, up to the first end; an error drops what waits', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const inbox = new Inbox<number>();
        const seen = taker(inbox);
        const failure = new Error('broken');
        const expected: (number | Error | 'end')[] = [];
        let waiting: number[] = [];
        let isOver = false;
        for (const step of [...list, 'close' as const]) {
          if (step === 'settle') {
            await settle();
            expected.push(...waiting);
            waiting = [];
            expect(seen).toEqual(isOver ? seen : expected);
          } else if (typeof step === 'number') {
            inbox.put(step);
            if (!isOver) waiting.push(step);
          } else {
            inbox.close(step === 'fail' ? failure : undefined);
            if (!isOver) expected.push(...(step === 'fail' ? [failure] : [...waiting, 'end' as const]));
            if (!isOver) waiting = [];
            isOver = true;
          }
        }
        await settle();
        expect(seen).toEqual(expected);
      }),
    );
  });

  it('wakes whoever waits, once for each thing that comes', async () => {
    const inbox = new Inbox<string>();
    const seen = taker(inbox);
    for (const item of ['a', 'b']) {
      await settle();
      inbox.put(item);
      await settle();
      expect(seen.at(-1)).toBe(item);
    }
    inbox.close();
    await settle();
    expect(seen).toEqual(['a', 'b', 'end']);
    expect(await inbox.take().next()).toEqual({ done: true, value: undefined });
  });
});
