import fc from 'fast-check';
import { type GenerationEvent, type GenerationResult, generate, modelDrafter, type Settings } from '../../decoding';
import { finish } from '../support/exactness';
import { randomTable, tableModel } from '../support/table-model';

const tables = (seed: number, vocabulary = 12) => ({
  target: tableModel({ vocabulary, logits: randomTable(vocabulary, seed), eosTokens: [1] }),
  draft: tableModel({ vocabulary, logits: randomTable(vocabulary, seed + 1), eosTokens: [1] }),
});

type TokenEvent = Extract<GenerationEvent, { kind: 'token' }>;

async function collected(request: Parameters<typeof generate>[0]) {
  const tokens: TokenEvent[] = [];
  const results: GenerationResult[] = [];
  for await (const event of generate(request)) {
    if (event.kind === 'token') tokens.push(event);
    if (event.kind === 'done') results.push(event.result);
  }
  expect(results).toHaveLength(1);
  return { events: tokens, result: results[0] };
}

describe('generate', () => {
  it('is the same greedy text with and without a draft, for any models and γ from 1 to 32', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(9999), fc.integer({ min: 1, max: 32 }), async (seed, gamma) => {
        const { target, draft } = tables(seed);
        const settings = { maxNewTokens: 20 };
        const plain = await finish({ target, source: [1], settings });
        const fast = await finish({
          target,
          drafter: modelDrafter(draft),
          source: [1],
          settings: { ...settings, gamma },
        });
        expect(fast.ids).toEqual(plain.ids);
        expect(fast.stopReason).toBe(plain.stopReason);
        expect(target.open() + draft.open()).toBe(0);
      }),
    );
  });

  it('accepts every proposal of a draft that equals the target: γ + 1 tokens a target call', async () => {
    const { target } = tables(5);
    const settings = { gamma: 4, maxNewTokens: 20, minNewTokens: 20, temperature: 1 };
    const { metrics } = await finish({ target, drafter: modelDrafter(target), source: [1], settings });
    expect(metrics).toMatchObject({ newTokens: 20, targetCalls: 4, proposed: 16, accepted: 16, acceptedShare: 1 });
    expect(metrics.acceptanceRate).toBeCloseTo(1, 12);
  });

  it('says where every token came from, in order; the result has the tokens of the events', async () => {
    const drafted = new Set<string>();
    const alone = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.nat(9999), fc.integer({ min: 0, max: 5 }), async (seed, gamma) => {
        const { target, draft } = tables(seed);
        const settings: Settings = { gamma, temperature: 1, maxNewTokens: 15, seed };
        const { events, result } = await collected({ target, drafter: modelDrafter(draft), source: [1], settings });
        expect(events.map((event) => event.token)).toEqual(result.ids);
        expect(events.map((event) => event.position)).toEqual(result.ids.map((_, i) => i));
        const { metrics } = result;
        expect(metrics.newTokens).toBe(events.length);
        expect(metrics.rounds).toBe(1 + Math.max(...events.map((event) => event.round)));
        expect(metrics.targetCalls).toBe(metrics.rounds);
        expect(metrics.accepted).toBeLessThanOrEqual(metrics.proposed);
        for (const event of events) {
          expect(event.rejected !== null).toBe(event.origin === 'corrected');
          (gamma === 0 ? alone : drafted).add(event.origin);
        }
      }),
    );
    expect([...alone]).toEqual(['target']);
    expect([...drafted]).toEqual(expect.arrayContaining(['accepted', 'bonus', 'corrected']));
  });

  it('ends at EOS inside a run, at the length limit inside a run, and where the reader of tokens says', async () => {
    const eos = tableModel({
      vocabulary: 4,
      logits: (ids) => (ids.length === 3 ? [0, 9, 0, 0] : [0, 0, 9, 0]),
      eosTokens: [1],
    });
    const drafter = modelDrafter(eos);
    const run = (settings: Settings, stopAt = 0) => {
      let seen = 0;
      const readToken = () => ({ text: '', stop: ++seen === stopAt });
      return finish({ target: eos, drafter, source: [1], settings, readToken });
    };
    expect(await run({ gamma: 8 })).toMatchObject({ ids: [2, 2, 1], stopReason: 'eos' });
    expect(await run({ gamma: 8, maxNewTokens: 2 })).toMatchObject({ ids: [2, 2], stopReason: 'length' });
    expect(await run({ gamma: 8 }, 1)).toMatchObject({ ids: [2], stopReason: 'stop' });
    expect(await run({ gamma: 8 }, 2)).toMatchObject({ ids: [2, 2], stopReason: 'stop' });
    expect(eos.open()).toBe(0);
  });

  it('ends by its signal between rounds or when the caller leaves the loop, and gives everything back', async () => {
    const { target, draft } = tables(3);
    const abort = new AbortController();
    const settings = { gamma: 2, minNewTokens: 50 };
    const run = generate({ target, drafter: modelDrafter(draft), source: [1], settings, signal: abort.signal });
    await run.next();
    abort.abort();
    await expect(
      (async () => {
        for await (const _ of run);
      })(),
    ).rejects.toMatchObject({ code: 'aborted' });
    expect(target.open() + draft.open()).toBe(0);
    for await (const event of generate({ target, drafter: modelDrafter(draft), source: [1], settings })) {
      if (event.kind === 'token' && event.position === 4) break;
    }
    expect(target.open() + draft.open()).toBe(0);
  });

  it.each<[Settings, RegExp]>([
    [{ temperature: -1 }, /temperature: expected a number from 0 up, found -1/],
    [{ temperature: Number.NaN }, /temperature: .* found NaN/],
    [{ temperature: 1, topK: 0 }, /topK: expected a whole number from 1 up, found 0/],
    [{ temperature: 1, topP: 0 }, /topP: expected a number above 0, at most 1, found 0/],
    [{ gamma: 1.5 }, /gamma: expected auto, or a whole number from 0 to 64, found 1.5/],
    [{ maxNewTokens: 0 }, /maxNewTokens: /],
    [{ seed: -3 }, /seed: /],
    [{ topK: 3 }, /topK: expected none at temperature 0, which is greedy, found 3/],
    [{ topP: 0.9, temperature: 0 }, /topP: expected none at temperature 0/],
    [{ minP: 0.1 }, /minP: expected none at temperature 0/],
    [{ maxNewToken: 3 } as Settings, /unknown option 'maxNewToken'; did you mean 'maxNewTokens'/],
    [{ suppressTokens: [12] }, /suppressTokens: expected ids from 0 to 11, found 12/],
    [{ badWords: [[]] }, /badWords: expected a list of lists of token ids, none empty/],
  ])('refuses %o by name', async (settings, message) => {
    const { target } = tables(3);
    await expect(finish({ target, source: [1], settings })).rejects.toThrow(message);
  });

  it('refuses a draft with another vocabulary size', async () => {
    const { target } = tables(3);
    const drafter = modelDrafter(tables(3, 13).draft, 'small');
    await expect(finish({ target, drafter, source: [1] })).rejects.toThrow(
      /draft: expected a vocabulary of 12, found 13 \(small\)/,
    );
  });
});
