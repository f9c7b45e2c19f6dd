import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { type GenerationEvent, modelDrafter, type SequenceRequest, SharedBatch } from '../../decoding';
import { finish } from '../support/exactness';
import { randomTable, type TableModel, tableModel } from '../support/table-model';

const VOCABULARY = 7;
const table = (seed: number): TableModel =>
  tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });

const newPair = (seed = 1) => {
  const [target, draft] = [table(seed), table(77)];
  return { target, drafter: modelDrafter(draft), open: () => target.open() + draft.open() };
};

const request = (id: number, maxNewTokens = 5, changes: Partial<SequenceRequest> = {}): SequenceRequest => ({
  source: [2 + (id % 5), 1],
  settings: { maxNewTokens, gamma: id % 3 },
  ...changes,
});

/** Numbers of the requests in the order in which they ended, with their ids or the code of what went wrong. */
async function ends(events: AsyncIterable<GenerationEvent>): Promise<[number, readonly number[] | string][]> {
  const found: [number, readonly number[] | string][] = [];
  for await (const event of events) {
    if (event.kind === 'done') found.push([event.index, event.result.ids]);
    if (event.kind === 'failed') found.push([event.index, (event.error as { code?: string }).code ?? 'an error']);
  }
  return found;
}

/** The requests, and how many of them were taken and given back. */
function watched(requests: readonly SequenceRequest[]) {
  const seen = { taken: 0, returned: 0 };
  function* list() {
    try {
      for (const one of requests) {
        seen.taken++;
        yield one;
      }
    } finally {
      seen.returned++;
    }
  }
  return { seen, list: list() };
}

describe('a batch that callers share', () => {
  it('gives each caller what its requests give alone, whoever comes, waits, leaves or is cut off meanwhile', async () => {
    const caller = fc.record({
      lengths: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 4 }),
      concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      end: fc.constantFrom('whole' as const, 'break' as const, 'abort' as const),
      after: fc.nat(6),
      wait: fc.nat(3),
    });
    const cases = fc.record({
      callers: fc.array(caller, { minLength: 1, maxLength: 4 }),
      size: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(99),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ callers, size, seed }) => {
        const pair = newPair(seed);
        const shared = new SharedBatch(pair, size);
        const run = async ({ lengths, concurrency, end, after, wait }: (typeof callers)[number], c: number) => {
          const requests = lengths.map((length, i) => request(10 * c + i, length));
          for (let i = 0; i < wait; i++) await new Promise((resolve) => setImmediate(resolve));
          const controller = new AbortController();
          const { seen, list } = watched(requests);
          const texts = requests.map((): number[] => []);
          let count = 0;
          let error: unknown = null;
          try {
            for await (const event of shared.generate(list, { concurrency, signal: controller.signal })) {
              if (event.kind === 'token') texts[event.index].push(event.token);
              if (event.kind === 'failed') throw event.error;
              if (end === 'whole' || count++ < after) continue;
              if (end === 'break') break;
              controller.abort();
            }
          } catch (thrown) {
            error = thrown;
          }
          if (error !== null) expect([end, error]).toEqual(['abort', expect.objectContaining({ code: 'aborted' })]);
          expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
          expect(seen.returned).toBe(seen.taken === 0 && end !== 'whole' ? seen.returned : 1);
          for (const [i, one] of requests.entries()) {
            const { ids } = await finish({ ...newPair(seed), ...one });
            const isWhole = end === 'whole';
            expect(texts[i]).toEqual(isWhole ? ids : ids.slice(0, texts[i].length));
          }
        };
        await Promise.all(callers.map(run));
        await shared.settle();
        expect(pair.open()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('decodes at most as many sequences as fit, and as many of a caller as it asks for, whose callers take turns', async () => {
    /** By the first id of a source, which is the caller's number: sequences that are in the batch now, and the most there were. */
    const live = new Map<number, number>();
    const most = { all: 0, of: new Map<number, number>() };
    const entered: number[] = [];
    const pair = newPair();
    const encode: TableModel['encode'] = async (sources, options) => {
      const all = await pair.target.encode(sources, options);
      for (const encoded of all) {
        const [owner] = encoded.source;
        const count = (step: number) => live.set(owner, (live.get(owner) ?? 0) + step);
        entered.push(owner);
        count(1);
        most.of.set(owner, Math.max(most.of.get(owner) ?? 0, live.get(owner) ?? 0));
        most.all = Math.max(
          most.all,
          [...live.values()].reduce((sum, one) => sum + one, 0),
        );
        const dispose = encoded.dispose.bind(encoded);
        encoded.dispose = () => {
          count(-1);
          dispose();
        };
      }
      return all;
    };
    const watchedPair = { ...pair, target: { ...pair.target, encode } };
    const asked = (owner: number, count: number) =>
      Array.from({ length: count }, () => ({ source: [owner, 1], settings: { maxNewTokens: 4, gamma: 0 } }));
    const three = new SharedBatch(watchedPair, 3);
    await Promise.all([ends(three.generate(asked(2, 6))), ends(three.generate(asked(3, 5), { concurrency: 1 }))]);
    expect([most.all, most.of.get(3)]).toEqual([3, 1]);
    await ends(three.generate(asked(4, 5), { concurrency: 2 }));
    expect(most.of.get(4)).toBe(2);
    entered.length = 0;
    const one = new SharedBatch(watchedPair, 1);
    await Promise.all([2, 3, 4].map((owner) => ends(one.generate(asked(owner, owner)))));
    // The first one was alone when it came, and stands before those that came after it.
    expect(entered).toEqual([2, 2, 3, 4, 3, 4, 3, 4, 4]);
    expect(pair.open()).toBe(0);
  });

  it('ends a request whose own signal aborts, before or while it is decoded, and no other; it leaves no listener', async () => {
    const shared = new SharedBatch(newPair(), 4);
    const [before, meanwhile, never] = [new AbortController(), new AbortController(), new AbortController()];
    before.abort();
    const asked = [before, meanwhile, never].map(({ signal }, id) => request(id, 60, { signal }));
    const found: string[] = [];
    for await (const event of shared.generate(asked)) {
      if (event.kind === 'token' && event.index === 1) meanwhile.abort();
      if (event.kind === 'failed') found.push(`${event.index} ${(event.error as { code?: string }).code}`);
      if (event.kind === 'done') found.push(`${event.index} done`);
    }
    expect(found.sort()).toEqual(['0 aborted', '1 aborted', '2 done']);
    // One signal may serve the requests of a whole day.
    for (const { signal } of [before, meanwhile, never]) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('refuses a call that was cancelled before, tells a caller what its own list throws, and a bad request alone', async () => {
    const pair = newPair();
    const shared = new SharedBatch(pair, 2);
    const never = watched([request(1)]);
    await expect(ends(shared.generate(never.list, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(never.seen).toEqual({ taken: 0, returned: 0 });
    const broken = function* () {
      yield request(1);
      throw new Error('the list ends badly');
    };
    const fine = ends(shared.generate([request(2), request(3, 0), request(4)]));
    await expect(ends(shared.generate(broken()))).rejects.toThrow('the list ends badly');
    const found = new Map(await fine);
    expect(found.get(1)).toBe('option-invalid');
    for (const [index, id] of [
      [0, 2],
      [2, 4],
    ]) {
      expect(found.get(index)).toEqual((await finish({ ...newPair(), ...request(id) })).ids);
    }
    expect(await ends(shared.generate([]))).toEqual([]);
    await shared.settle();
    expect(pair.open()).toBe(0);
  });

  it('has given back what a caller who left had in it, when it has settled', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.nat(5), async (count, after) => {
        const pair = newPair();
        const shared = new SharedBatch(pair, 4);
        let seen = 0;
        for await (const _ of shared.generate(Array.from({ length: count }, (_, id) => request(id, 30)))) {
          if (seen++ === after) break;
        }
        await shared.settle();
        expect(pair.open()).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('lets a caller leave whose list has nothing to give back', async () => {
    const pair = newPair();
    const shared = new SharedBatch(pair, 1);
    let id = 0;
    const next = () => ({ done: false as const, value: request(id++) });
    for await (const event of shared.generate({ [Symbol.iterator]: () => ({ next }) })) {
      if (event.kind === 'done') break;
    }
    await shared.settle();
    expect(pair.open()).toBe(0);
  });
});
