import fc from 'fast-check';
import { type LogitsProcessor, modelDrafter, type Settings } from '../../decoding';
import { totalVariation } from '../support/enumerator';
import { samplerOutcomes, targetOutcomes } from '../support/exactness';
import { cellDistance, coupledTexts, DRAFTERS, KINDS, PROCESSORS, STOPS } from '../support/exactness-grid';
import { randomTable, type TableKind, tableModel } from '../support/table-model';

const LIMIT = 1e-12;

async function distance(
  kinds: [TableKind, TableKind],
  seed: number,
  settings: Settings,
  vocabulary = 3,
): Promise<number> {
  const eosTokens = [1];
  const table = { vocabulary, logits: randomTable(vocabulary, seed, kinds[0]), eosTokens };
  const target = tableModel(table);
  const draft = tableModel({ vocabulary, logits: randomTable(vocabulary, seed + 1000, kinds[1]), eosTokens });
  const outcomes = await samplerOutcomes({ request: { target, settings }, drafter: modelDrafter(draft) });
  expect(target.open() + draft.open()).toBe(0); // every view, stream and source is given back
  return totalVariation(outcomes, targetOutcomes(table, settings));
}

/** A caller's processor that edits in place, and depends on the ids. */
const discourage: LogitsProcessor = (ids, logits) => {
  logits[(ids.length + ids[ids.length - 1]) % logits.length] -= 1.5;
};

/** A caller's processor that returns new logits, some of them −∞. */
const keepLargest: LogitsProcessor = (_, logits) => {
  const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
  return logits.map((logit) => (logit < mean - 1 ? Number.NEGATIVE_INFINITY : logit));
};

/** Allowed tokens that depend on every id: two of four. */
const notTheSum = (ids: readonly number[]) => {
  const sum = ids.reduce((total, id) => total + id, 0);
  return [0, 1, 2, 3].filter((id) => (id + sum) % 4 < 2);
};

describe('speculative sampling has the target distribution, by enumeration of every path (total variation ≤ 1e-12)', () => {
  const seed = fc.integer({ min: 1, max: 999 });

  it.each([0, 1, 2, 3, 4])('at γ = %i, with EOS and the length limit falling anywhere in a run', async (gamma) => {
    const settings = { gamma, temperature: 1, maxNewTokens: 4 };
    await fc.assert(
      fc.asyncProperty(seed, async (seed) => {
        expect(await distance(['soft', 'soft'], seed, settings)).toBeLessThanOrEqual(LIMIT);
      }),
      { numRuns: 15 },
    );
  });

  const kinds: [TableKind, TableKind][] = [
    ['soft', 'holes'],
    ['holes', 'soft'],
    ['holes', 'holes'],
    ['soft', 'one-hot'],
    ['one-hot', 'soft'],
    ['sharp', 'sharp'],
  ];
  it.each(kinds)('of a %s target under a %s draft', async (target, draft) => {
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 1, max: 3 }), async (seed, gamma) => {
        const settings = { gamma, temperature: 1, maxNewTokens: 4 };
        expect(await distance([target, draft], seed, settings)).toBeLessThanOrEqual(LIMIT);
      }),
      { numRuns: 15 },
    );
  });

  const processors: [string, Settings][] = [
    ['temperature 0', { temperature: 0 }],
    ['temperature 0.7', { temperature: 0.7 }],
    ['temperature 2', { temperature: 2 }],
    ['top-k', { temperature: 1, topK: 2 }],
    ['top-p', { temperature: 1, topP: 0.7 }],
    ['min-p', { temperature: 1.3, minP: 0.5 }],
    ['repetition penalty', { temperature: 1, repetitionPenalty: 1.7 }],
    ['no repeated bigram', { temperature: 1, noRepeatNgramSize: 2 }],
    ['minimum length', { temperature: 1, minNewTokens: 2 }],
    ['suppressed tokens', { temperature: 1, suppressTokens: [2] }],
    ['bad words', { temperature: 1, badWords: [[2, 0], [3]] }],
    ['forced prefix', { temperature: 1, forcedPrefix: [2, 3] }],
    ['the caller’s own processors', { temperature: 1, processors: [discourage, keepLargest] }],
    ['own processors that depend on the ids, greedy', { temperature: 0, processors: [discourage] }],
    ['own processors after the others', { temperature: 0.7, topK: 3, suppressTokens: [2], processors: [discourage] }],
    [
      'sequence biases',
      {
        temperature: 1,
        sequenceBias: [
          [[2], 1.5],
          [[2, 0], -2],
          [[0, 3, 2], 1],
        ],
      },
    ],
    ['a penalty on the source', { temperature: 1, encoderRepetitionPenalty: 0.4 }],
    ['no n-gram of the source', { temperature: 1, encoderNoRepeatNgramSize: 2 }],
    ['allowed tokens', { temperature: 1, prefixAllowedTokens: notTheSum }],
    [
      'allowed tokens that other rules forbid',
      { temperature: 1, badWords: [[2], [3]], prefixAllowedTokens: () => [2, 3] },
    ],
    ['a forced first token', { temperature: 1, forcedBosToken: 3, beginSuppressTokens: [0, 1] }],
    ['no token of some first', { temperature: 1, beginSuppressTokens: [2, 1] }],
    ['a forced end', { temperature: 1, forcedEosToken: 1 }],
    ['one of several forced ends', { temperature: 1, forcedEosToken: [1, 3] }],
    ['a decay of length', { temperature: 1, exponentialDecayLengthPenalty: [1, 2.5] }],
    ['top-h', { temperature: 1, topH: 0.6 }],
    ['typical', { temperature: 1, typicalP: 0.6 }],
    ['epsilon', { temperature: 1, epsilonCutoff: 0.2 }],
    ['eta', { temperature: 1, etaCutoff: 0.4 }],
    ['all truncations', { temperature: 1.5, topH: 0.9, topK: 3, topP: 0.95, minP: 0.1, typicalP: 0.9, etaCutoff: 0.1 }],
    ['several at once', { temperature: 0.8, topK: 3, topP: 0.9, repetitionPenalty: 1.2, minNewTokens: 1 }],
  ];
  it.each(processors)('after %s', async (_, processing) => {
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 1, max: 3 }), async (seed, gamma) => {
        const settings = { ...processing, gamma, maxNewTokens: 3 };
        expect(await distance(['soft', 'sharp'], seed, settings, 4)).toBeLessThanOrEqual(LIMIT);
      }),
      { numRuns: 3 },
    );
  });
});

describe('every verification × drafter × processor × stop rule', () => {
  const pairs = Object.keys(KINDS).flatMap((kind) => Object.keys(DRAFTERS).map((drafter) => [kind, drafter] as const));
  const cells = Object.values(PROCESSORS).flatMap((processing) =>
    Object.values(STOPS).map((stop) => ({ processing, stop })),
  );

  it.each(pairs)('%s verification, drafts: %s, by enumeration (total variation ≤ 1e-12)', async (kind, drafter) => {
    for (const [i, cell] of cells.entries()) {
      const found = await cellDistance({ ...cell, kind: KINDS[kind], drafter, seed: 1 + i });
      expect({ ...cell, exact: found <= LIMIT, found }).toMatchObject({ exact: true });
    }
  });

  it.each(Object.keys(DRAFTERS))('coupled verification, drafts: %s: the seed fixes the text', async (drafter) => {
    for (const kind of [{ gamma: 3 }, { branching: [2, 2] }]) {
      for (const [i, cell] of cells.entries()) {
        for (let seed = 10 * i; seed < 10 * i + 10; seed++) {
          const [drafted, alone] = await coupledTexts({ ...cell, kind, drafter, seed });
          expect({ ...cell, seed, text: drafted }).toMatchObject({ text: alone });
        }
      }
    }
  });
});
