import fc from 'fast-check';
import { Queue } from '../../decoding/queue';

async function drained<T>(queue: Queue<T>, counts: readonly number[]): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; ; i++) {
    const taken = await queue.take(counts[i % counts.length], true);
    expect(taken.length).toBeLessThanOrEqual(counts[i % counts.length]);
    if (taken.length === 0) return all;
    all.push(...taken);
  }
}

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    yield item;
  }
}

describe('a queue', () => {
  it('gives every item once and in order, from a list and from a source that lets one wait', async () => {
    const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.integer(), fc.constant(undefined)), { maxLength: 12 }),
        counts,
        async (items, sizes) => {
          expect(await drained(new Queue(items), sizes)).toEqual(items);
          expect(await drained(new Queue(slowly(items)), sizes)).toEqual(items);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not wait for what has not arrived unless it is told to', async () => {
    let release: (value: number) => void = () => undefined;
    const source = async function* () {
      yield await new Promise<number>((resolve) => {
        release = resolve;
      });
    };
    const queue = new Queue(source());
    expect(await queue.take(2, false)).toEqual([]);
    const waiting = queue.take(2, true);
    release(5);
    expect(await waiting).toEqual([5]);
    expect(await queue.take(2, true)).toEqual([]);
  });

  it('throws what the source throws, after the items before it', async () => {
    const source = async function* () {
      yield 1;
      throw new Error('the source ends badly');
    };
    const queue = new Queue(source());
    expect(await queue.take(1, true)).toEqual([1]);
    await expect(queue.take(1, true)).rejects.toThrow('the source ends badly');
  });

  it('ends its source when it is disposed, even one that never answers', async () => {
    let ended = 0;
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          ended++;
          return { done: true, value: undefined };
        },
      }),
    };
    const queue = new Queue(source);
    expect(await queue.take(1, false)).toEqual([]);
    queue.dispose();
    queue.dispose();
    expect(ended).toBe(1);
  });
});
