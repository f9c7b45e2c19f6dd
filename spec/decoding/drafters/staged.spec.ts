import fc from 'fast-check';
import {
  type Address,
  copyDrafter,
  type Drafter,
  type DraftRequest,
  type DraftSession,
  earlyExitDrafter,
  generateBatch,
  modelDrafter,
  ngramDrafter,
  type Random,
  randomDrafter,
  type Settings,
  seededRandom,
  selfDrafter,
  TraceRecorder,
} from '../../../decoding';
import { loadModel } from '../../../engine';
import { createBackend } from '../../../kernels';
import { totalVariation } from '../../support/enumerator';
import { finish, SOURCE, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';
import { randomTable, type TableModel, tableModel } from '../../support/table-model';

const VOCABULARY = 12;
const seeds = fc.nat(9999);

const tableOf = (seed: number, early = seed): TableModel => {
  const [logits, first] = [randomTable(VOCABULARY, seed), randomTable(VOCABULARY, early)];
  return tableModel({ vocabulary: VOCABULARY, logits, eosTokens: [1], early: first });
};

/** What may guess for a draft: all of it, most of it or nothing comes true. */
const GUESSERS: Readonly<Record<string, (draft: TableModel, seed: number) => Drafter>> = {
  'the draft itself': (draft) => modelDrafter(draft),
  'its early exit': (draft) => earlyExitDrafter(draft, 1),
  'another model': (_, seed) => modelDrafter(tableOf(seed + 7)),
  copying: () => copyDrafter(VOCABULARY),
  'n-grams': () => ngramDrafter(VOCABULARY, { online: 2 }),
  'random tokens': () => randomDrafter(VOCABULARY),
};

/** Texts, proposals and random choices of a run, as data. */
async function recorded(target: TableModel, drafter: Drafter, settings: Settings, random?: Random) {
  const trace = new TraceRecorder(VOCABULARY);
  await finish({ target, drafter, source: SOURCE, settings, trace, random });
  const { rounds, ids, stopReason } = trace.trace;
  return { ids, stopReason, rounds: rounds.map(({ milliseconds, ...round }) => round) };
}

describe.each(Object.entries(GUESSERS))('a draft for which %s guesses', (_, guesserOf) => {
  const lengths = fc.record({
    gamma: fc.integer({ min: 1, max: 7 }),
    verification: fc.constantFrom('token' as const, 'block' as const, 'coupled' as const),
    maxNewTokens: fc.integer({ min: 1, max: 20 }),
    seed: seeds,
  });
  const kinds = fc.constantFrom<Settings>({}, { temperature: 1 }, { temperature: 2 }, { temperature: 0.7, topK: 3 });
  const settings = fc.tuple(kinds, lengths).map(([kind, rest]): Settings => ({ ...kind, ...rest }));

  it('proposes what it proposes alone, with the same distributions and the same random choices', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 0, max: 6 }), settings, async (seed, gamma, settings) => {
        const [target, draft] = [tableOf(seed), tableOf(seed + 5000, seed + 6000)];
        const staged = modelDrafter(draft, 'draft', { drafter: guesserOf(draft, seed), gamma });
        const alone = await recorded(target, modelDrafter(draft), settings);
        expect(await recorded(target, staged, settings)).toEqual(alone);
        expect([target.open(), draft.open()]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('learns how much to guess from clocks, and proposes the same', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, settings, async (seed, settings) => {
        const [target, draft] = [tableOf(seed), tableOf(seed + 5000, seed + 6000)];
        const staged = modelDrafter(draft, 'draft', { drafter: guesserOf(draft, seed) });
        expect(await recorded(target, staged, settings)).toEqual(await recorded(target, modelDrafter(draft), settings));
      }),
      { numRuns: 10 },
    );
  });
});

it.each(['token', 'block'] as const)(
  'three stages have the target’s distribution under %s verification (total variation ≤ 1e-12)',
  async (verification) => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 3 }), async (seed, gamma) => {
        const table = (offset: number) => ({ vocabulary: 3, logits: randomTable(3, seed + offset), eosTokens: [1] });
        const [target, middle, first] = [table(0), table(50), table(90)].map(tableModel);
        const settings = { gamma, temperature: 1, maxNewTokens: 4, verification };
        const drafter = modelDrafter(middle, 'middle', { drafter: modelDrafter(first), gamma: 2 });
        const outcomes = await samplerOutcomes({ request: { target, settings }, drafter });
        expect(totalVariation(outcomes, targetOutcomes(table(0), settings))).toBeLessThanOrEqual(1e-12);
        expect(target.open() + middle.open() + first.open()).toBe(0);
      }),
      { numRuns: 10 },
    );
  },
);

describe('a draft with a draft of its own', () => {
  const settings = { gamma: 6, maxNewTokens: 28, minNewTokens: 28 };

  it.each([
    ['greedy', {}],
    ['sampling', { temperature: 1, verification: 'coupled' }],
    ['sampling with token verification', { temperature: 1, verification: 'token' }],
  ] as [string, Settings][])('%s: takes one call for all guesses that come true', async (_, kind) => {
    const [target, draft] = [tableOf(3), tableOf(3)];
    const drafter = modelDrafter(draft, 'draft', { drafter: modelDrafter(tableOf(3)), gamma: 5 });
    const { metrics } = await finish({ target, drafter, source: SOURCE, settings: { ...settings, ...kind } });
    expect(metrics.targetCalls).toBe(4); // 28 tokens, seven a round
    expect(draft.calls()).toBe(4);
    expect(metrics.draftCalls).toBe(24);
  });

  it('takes none of the numbers of a caller, which may come one after another', async () => {
    const [target, draft] = [tableOf(3), tableOf(4)];
    const kind: Settings = { gamma: 5, temperature: 1, verification: 'token', maxNewTokens: 30 };
    const staged = modelDrafter(draft, 'draft', { drafter: modelDrafter(tableOf(4)), gamma: 2 });
    const alone = await recorded(target, modelDrafter(draft), kind, inTurn(9));
    expect(await recorded(target, staged, kind, inTurn(9))).toEqual(alone);
  });

  it('computes no token twice: a call has a row for each guess, and one or two for what is certain', async () => {
    const rows: number[] = [];
    const draft = tableOf(3);
    const forward: TableModel['forward'] = (asked, options) => {
      rows.push(asked.length);
      return draft.forward(asked, options);
    };
    const model = Object.create(draft, { forward: { value: forward } });
    const drafter = modelDrafter(model, 'draft', { drafter: modelDrafter(tableOf(3)), gamma: 2 });
    await finish({ target: tableOf(3), drafter, source: SOURCE, settings });
    expect(rows).toEqual([3, 3, 4, 3, 4, 3, 4, 3]);
  });

  it('guesses γ − 1 tokens at most, because a call brings one more', async () => {
    const asked: number[] = [];
    const inner = modelDrafter(tableOf(3));
    const drafter = modelDrafter(tableOf(3), 'draft', {
      drafter: { ...inner, proposeAll: undefined, open: async (...args) => noting(await inner.open(...args), asked) },
      gamma: 64,
    });
    await finish({ target: tableOf(3), drafter, source: SOURCE, settings });
    expect(new Set(asked)).toEqual(new Set([5]));
  });

  it('drafts a tree alone', async () => {
    const [target, draft] = [tableOf(3), tableOf(4)];
    const first = modelDrafter(tableOf(4));
    const tree = { branching: [2, 2], temperature: 1, maxNewTokens: 12, seed: 5 };
    const staged = await recorded(target, modelDrafter(draft, 'draft', { drafter: first, gamma: 3 }), tree);
    expect(staged).toEqual(await recorded(target, modelDrafter(draft), tree));
  });

  it('gives everything back when what guesses fails, and the others of a batch go on', async () => {
    const [target, draft] = [tableOf(3), tableOf(4)];
    const inner = copyDrafter(VOCABULARY);
    const failing: Drafter = {
      ...inner,
      open: async (source) => {
        const session = await inner.open(source);
        if (source.length !== 2) return session;
        return { ...session, propose: () => Promise.reject(new Error('no guess')) };
      },
    };
    const drafter = modelDrafter(draft, 'draft', { drafter: failing, gamma: 3 });
    const requests = [
      [2, 5, 3],
      [2, 4],
      [7, 2, 5, 2],
    ].map((source) => ({ source, settings: { maxNewTokens: 9, gamma: 4 } }));
    const ends: [number, string][] = [];
    for await (const event of generateBatch({ target, drafter }, requests)) {
      if (event.kind !== 'token') ends.push([event.index, event.kind === 'failed' ? String(event.error) : event.kind]);
    }
    expect(new Map(ends).get(1)).toBe('Error: no guess');
    expect(ends.filter(([index, end]) => index !== 1 && end.includes('Error'))).toEqual([]);
    expect(new Set(ends.map(([index]) => index))).toEqual(new Set([0, 1, 2]));
    expect([target.open(), draft.open()]).toEqual([0, 0]);
  });

  it('does not open where what guesses does not, and gives its own state back', async () => {
    const draft = tableOf(4);
    const first: Drafter = { ...copyDrafter(VOCABULARY), open: () => Promise.reject(new Error('not opened')) };
    const drafter = modelDrafter(draft, 'draft', { drafter: first });
    await expect(finish({ target: tableOf(3), drafter, source: SOURCE, settings })).rejects.toThrow('not opened');
    expect(draft.open()).toBe(0);
  });

  it('has both names, and wants one vocabulary', () => {
    const first = randomDrafter(VOCABULARY);
    expect(modelDrafter(tableOf(1), 'small', { drafter: first }).name).toBe('small, drafted by random');
    expect(() => modelDrafter(tableOf(1), 'small', { drafter: randomDrafter(3) })).toThrow(
      /^draft random: expected a vocabulary of 12, found 3$/,
    );
  });
});

/** Numbers whose order is all that they depend on. */
function inTurn(seed: number): Random {
  let position = 0;
  const numbers = seededRandom(seed);
  const next = (at: Address) => ({ ...at, position: position++ });
  return {
    accept: (weight, of, at) => numbers.accept(weight, of, next(at)),
    categorical: (distribution, at) => numbers.categorical(distribution, next(at)),
    exponential: numbers.exponential,
  };
}

function noting(session: DraftSession, asked: number[]): DraftSession {
  const propose = (request: DraftRequest) => {
    asked.push(request.gamma);
    return session.propose(request);
  };
  return Object.create(session, { propose: { value: propose } });
}

it('the copy of a real target is asked with the rows of all guesses at once, and its texts are those without it', async () => {
  const backend = await createBackend('cpu');
  const target = await loadModel(randomCheckpoint(tinyConfig({ decoderLayers: 3 }), 21), backend, { copy: 'q8' });
  const slots = Reflect.get(target, 'selfSlots') as { inUse: number };
  for (const temperature of [0, 1]) {
    const settings = { maxNewTokens: 24, minNewTokens: 24, gamma: 5, temperature, verification: 'coupled' as const };
    const request = { target, source: [5, 9, 2, 7, 1], settings };
    const alone = await finish(request);
    const one = await finish({ ...request, drafter: selfDrafter(target, 'self') });
    const first = { drafter: earlyExitDrafter(target, 3), gamma: 4 };
    const staged = await finish({ ...request, drafter: selfDrafter(target, 'self', first) });
    expect([one.ids, staged.ids]).toEqual([alone.ids, alone.ids]);
    expect(staged.metrics.proposed).toBe(one.metrics.proposed);
  }
  expect(slots.inUse).toBe(0);
  target.dispose();
  await backend.dispose();
});
