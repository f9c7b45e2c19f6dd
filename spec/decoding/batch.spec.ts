import fc from 'fast-check';
import {
  Batch,
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  firstOf,
  type GenerationEvent,
  type GenerationResult,
  generateBatch,
  modelDrafter,
  type Pair,
  type SequenceRequest,
  type Settings,
} from '../../decoding';
import { finish } from '../support/exactness';
import { randomTable, type TableModel, tableModel } from '../support/table-model';

const VOCABULARY = 9;
const table = (seed: number): TableModel =>
  tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });

/** The result of every request by its index; of a failed request, the code of its error. */
async function results(run: AsyncIterable<GenerationEvent>): Promise<Map<number, GenerationResult | string>> {
  const found = new Map<number, GenerationResult | string>();
  for await (const event of run) {
    if (event.kind === 'done') found.set(event.index, event.result);
    if (event.kind === 'failed') found.set(event.index, (event.error as { code?: string }).code ?? event.error.message);
  }
  return found;
}

const settings: fc.Arbitrary<Settings> = fc
  .record({
    temperature: fc.constantFrom(0, 0.7, 1),
    topP: fc.constantFrom(0.8, 1),
    seed: fc.nat(9999),
    verification: fc.constantFrom('token' as const, 'block' as const, 'coupled' as const),
    maxNewTokens: fc.integer({ min: 1, max: 14 }),
    shape: fc.oneof(
      fc.record({ gamma: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ branching: fc.constantFrom([2], [3, 1], [2, 2]) }),
      fc.constant({ costs: { c: 0.1, v: [1, 1.05, 1.1] } }),
    ),
  })
  .map(({ shape, verification, topP, ...rest }) => ({
    ...rest,
    ...(rest.temperature > 0 ? { topP } : {}),
    ...shape,
    verification: 'branching' in shape && verification === 'block' ? ('token' as const) : verification,
  }));

const request = fc.record({
  source: fc.array(fc.integer({ min: 2, max: 8 }), { minLength: 1, maxLength: 6 }).map((ids) => [...ids, 1]),
  settings,
});

const drafters: Record<string, (target: TableModel) => Drafter> = {
  'another model': () => modelDrafter(table(77)),
  'the target itself': (target) => modelDrafter(target),
  'its first layers': (target) => earlyExitDrafter(target, 1),
  'copying, then a model': () => firstOf([copyDrafter(VOCABULARY), modelDrafter(table(78))]),
};

describe('a batch', () => {
  it.each(Object.keys(drafters))('gives each sequence what it gets alone, drafted by %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(999),
        async (requests, concurrency, seed) => {
          const target = table(seed);
          const pair = { target, drafter: drafters[name](target) };
          const alone = [];
          for (const one of requests) alone.push((await finish({ ...pair, ...one })).ids);
          const together = await results(generateBatch(pair, requests, { concurrency }));
          expect(requests.map((_, i) => (together.get(i) as GenerationResult).ids)).toEqual(alone);
          expect(target.open()).toBe(0); // streams, views and sources are all given back
        },
      ),
      { numRuns: 25 },
    );
  });

  it('catches the mutant whose random numbers belong to a slot of the batch', async () => {
    const pair = { target: table(5), drafter: modelDrafter(table(6)) };
    const requests = [2, 9, 5, 7].map((maxNewTokens, seed) => ({
      source: [3, 1],
      settings: { temperature: 1, gamma: 4, seed, maxNewTokens, minNewTokens: maxNewTokens },
    }));
    const slotted = requests.map((one, i) => ({ ...one, settings: { ...one.settings, seed: i % 2 } }));
    const text = async (of: readonly SequenceRequest[]) =>
      [...(await results(generateBatch(pair, of, { concurrency: 2 })))]
        .sort(([a], [b]) => a - b)
        .map(([, result]) => (result as GenerationResult).ids);
    const alone = await Promise.all(requests.map(async (one) => (await finish({ ...pair, ...one })).ids));
    expect(await text(requests)).toEqual(alone);
    expect(await text(slotted)).not.toEqual(alone);
  });

  it('makes one target call a round, and starts the next request as soon as one has ended', async () => {
    const target = table(3);
    const lengths = [2, 6, 3, 5, 1];
    const requests = lengths.map((length) => ({
      source: [4, 1],
      settings: { maxNewTokens: length, minNewTokens: length, gamma: 0 },
    }));
    const order: number[] = [];
    for await (const event of generateBatch({ target }, requests, { concurrency: 2 })) {
      if (event.kind === 'done') order.push(event.index);
    }
    // Two at once: 0 (2 rounds), then 2 (3), then 3 (5); beside them 1 (6), then 4 (1).
    expect(target.calls()).toBe(10);
    expect(order).toEqual([0, 2, 1, 4, 3]);
  });

  it('makes as many draft calls a round as the deepest proposal has positions', async () => {
    const [target, draft] = [table(3), table(3)];
    const requests = [1, 2, 3].map((seed) => ({
      source: [4, 1],
      settings: { seed, maxNewTokens: 10, minNewTokens: 10, gamma: 4 },
    }));
    await results(generateBatch({ target, drafter: modelDrafter(draft) }, requests));
    expect(target.calls()).toBe(2); // the draft is the target: 5 tokens a round
    expect(draft.calls()).toBe(8);
  });

  it('lets one request fail alone: by wrong settings, by no token left, by its own signal', async () => {
    const target = table(3);
    const pair = { target, drafter: modelDrafter(table(4)) };
    const stopped = new AbortController();
    stopped.abort();
    const good = { source: [4, 1], settings: { gamma: 4, maxNewTokens: 6 } };
    const everything = Array.from({ length: VOCABULARY }, (_, id) => id);
    const found = await results(
      generateBatch(pair, [
        good,
        { source: [4, 1], settings: { temperature: -1 } },
        { source: [4, 1], settings: { suppressTokens: everything } },
        { ...good, signal: stopped.signal },
        good,
      ]),
    );
    const { ids } = await finish({ ...pair, ...good });
    expect([1, 2, 3].map((i) => found.get(i))).toEqual(['option-invalid', 'no-token-left', 'aborted']);
    expect([0, 4].map((i) => (found.get(i) as GenerationResult).ids)).toEqual([ids, ids]);
    expect(target.open()).toBe(0);
  });

  it('finds the request whose source the engine refuses', async () => {
    const target = table(3);
    const strict = {
      ...target,
      encode: async (sources: readonly (readonly number[])[]) => {
        if (sources.some((source) => source.includes(99))) throw new Error('99 is no id');
        return target.encode(sources);
      },
    };
    const good = { source: [4, 1], settings: { maxNewTokens: 3 } };
    const found = await results(generateBatch({ target: strict }, [good, { source: [99, 1] }, good]));
    expect(found.get(1)).toBe('99 is no id');
    expect((found.get(0) as GenerationResult).ids).toEqual((found.get(2) as GenerationResult).ids);
  });

  it('ends by its own signal or when the caller stops reading, and gives everything back', async () => {
    const target = table(3);
    const stop = new AbortController();
    const requests = [8, 8].map((length) => ({
      source: [4, 1],
      settings: { maxNewTokens: length, minNewTokens: length },
    }));
    const run = generateBatch({ target }, requests, { signal: stop.signal });
    await run.next();
    stop.abort();
    await expect(results(run)).rejects.toMatchObject({ code: 'aborted' });
    expect(target.open()).toBe(0);
    for await (const _ of generateBatch({ target }, requests)) break;
    expect(target.open()).toBe(0);
  });

  it('reads requests as they arrive, and does not wait for the next one while others decode', async () => {
    const target = table(3);
    const one = { source: [4, 1], settings: { maxNewTokens: 4, minNewTokens: 4, gamma: 0 } };
    let dispose = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      dispose = resolve;
    });
    const requests = (async function* () {
      yield one;
      await gate;
      yield one;
    })();
    const done: number[] = [];
    for await (const event of generateBatch({ target }, requests)) {
      if (event.kind !== 'done') continue;
      done.push(event.index);
      dispose(); // the second comes only after the first has ended
    }
    expect(done).toEqual([0, 1]);
  });

  it.each([0, 1.5, Number.NaN])('refuses a concurrency of %p', async (concurrency) => {
    const run = generateBatch({ target: table(1) } as Pair, [], { concurrency });
    await expect(run.next()).rejects.toMatchObject({ code: 'option-invalid' });
  });

  it('of no requests gives no events', async () => {
    expect(await new Batch({ target: table(1) }).step()).toEqual([]);
    expect((await results(generateBatch({ target: table(1) }, []))).size).toBe(0);
  });
});
