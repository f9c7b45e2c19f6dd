import fc from 'fast-check';
import { generate, modelDrafter, type Random, type Settings } from '../../decoding';
import { expectedTokens } from '../../decoding/gamma/theory';
import { overlap } from '../../decoding/sampling/distribution';
import { distributionOf } from '../../decoding/sampling/processors';

import { enumerate } from '../support/enumerator';
import { finish } from '../support/exactness';
import { randomTable, type TableOptions, tableModel } from '../support/table-model';

const VOCABULARY = 3;
const seeds = fc.integer({ min: 1, max: 9999 });
const gammas = fc.integer({ min: 1, max: 3 });
const verifications = fc.constantFrom<'token' | 'block'>('token', 'block');

interface Models {
  readonly target: TableOptions;
  readonly draft: TableOptions;
}

/** Models whose distributions depend on the prefix. */
const models = (seed: number, vocabulary = VOCABULARY): Models => ({
  target: { vocabulary, logits: randomTable(vocabulary, seed) },
  draft: { vocabulary, logits: randomTable(vocabulary, seed + 20_000) },
});

/** Models whose distribution is the same after every prefix. */
function independent(seed: number, vocabulary = VOCABULARY): Models {
  const { target, draft } = models(seed, vocabulary);
  const [wanted, given] = [target.logits([0], []), draft.logits([0], [])];
  return { target: { vocabulary, logits: () => wanted }, draft: { vocabulary, logits: () => given } };
}

const law = (table: TableOptions, settings: Settings, ids: readonly number[] = [0]) =>
  distributionOf(table.logits(ids, []), { ids, eosTokens: [] }, settings);

/** 1 − Σ |target − draft| / 2, written as its definition says, without the code under test. */
function agreement({ target, draft }: Models, settings: Settings): number {
  const [a, b] = [law(target, settings), law(draft, settings)].map(({ probabilities }) => [...probabilities]);
  return 1 - a.reduce((sum, share, token) => sum + Math.abs(share - b[token]), 0) / 2;
}

const request = ({ target, draft }: Models, settings: Settings) => ({
  target: tableModel(target),
  drafter: modelDrafter(tableModel(draft)),
  source: [1],
  settings,
});

/** Number of tokens that the first round gives. */
async function firstRound(pair: Models, settings: Settings, random: Random): Promise<number> {
  let tokens = 0;
  for await (const event of generate({ ...request(pair, settings), random })) {
    if (event.kind !== 'token' || event.round > 0) break;
    tokens++;
  }
  return tokens;
}

/** The mean of a number over all paths. */
async function mean(run: (random: Random) => Promise<number>): Promise<number> {
  const found = await enumerate(async (random) => String(await run(random)));
  return [...found].reduce((sum, [value, mass]) => sum + Number(value) * mass, 0);
}

/** Expected tokens of a round that can give γ + 1. */
const tokensARound = (pair: Models, settings: Settings & { gamma: number }) =>
  mean((random) => firstRound(pair, { temperature: 1, maxNewTokens: settings.gamma + 2, ...settings }, random));

describe('α', () => {
  const settings = { temperature: 0.8 };

  it('is estimated as 1 − total variation in every run, for models without context (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 6 }), verifications, async (seed, gamma, verification) => {
        const pair = independent(seed, 7);
        const all = { ...settings, gamma, verification, seed, maxNewTokens: 12 };
        const { metrics } = await finish(request(pair, all));
        expect(metrics.acceptanceRate).toBeCloseTo(agreement(pair, settings), 12);
        expect(metrics.predictedTokensPerRound).toBeCloseTo(expectedTokens(agreement(pair, settings), gamma), 12);
      }),
    );
  });

  it('is the probability that a proposed token is accepted, by enumeration of the shipped loop (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const pair = models(seed);
        const accepted = (await tokensARound(pair, { ...settings, gamma: 1 })) - 1;
        expect(accepted).toBeCloseTo(agreement(pair, settings), 12);
        expect(overlap(law(pair.target, settings), law(pair.draft, settings))).toBeCloseTo(accepted, 12);
      }),
      { numRuns: 30 },
    );
  });

  it('is unbiased with context too: the number of accepted tokens and the sum of their probabilities have equal expectations (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const pair = models(seed);
        const all = { ...settings, gamma: 1, maxNewTokens: 4 };
        const metricsOf = async (random: Random) => (await finish({ ...request(pair, all), random })).metrics;
        const accepted = await mean(async (random) => (await metricsOf(random)).accepted);
        const chances = await mean(async (random) => {
          const { acceptanceRate, proposed } = await metricsOf(random); // at γ = 1 each proposal is judged
          return acceptanceRate * proposed;
        });
        expect(accepted).toBeCloseTo(chances, 12);
      }),
      { numRuns: 10 },
    );
  });

  it('as accepted / judged tokens over 1,500 seeds is within four standard errors of 1 − total variation', async () => {
    const pair = independent(77, 7);
    let [accepted, judged] = [0, 0];
    for (let seed = 0; seed < 1500; seed++) {
      const { metrics } = await finish(request(pair, { ...settings, gamma: 1, seed, maxNewTokens: 3 }));
      accepted += metrics.accepted;
      judged += metrics.proposed;
    }
    const alpha = agreement(pair, settings);
    const error = Math.sqrt((alpha * (1 - alpha)) / judged);
    expect(judged).toBeGreaterThan(1500);
    expect(Math.abs(accepted / judged - alpha)).toBeLessThan(4 * error);
  });
});

describe('tokens a round, by enumeration of the shipped loop', () => {
  it('are (1 − α^(γ+1)) / (1 − α) with token verification, for models without context (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, gammas, async (seed, gamma) => {
        const pair = independent(seed);
        const expected = expectedTokens(agreement(pair, { temperature: 1 }), gamma);
        expect(await tokensARound(pair, { gamma })).toBeCloseTo(expected, 12);
      }),
      { numRuns: 12 },
    );
  });

  it('are at least as many with block verification for any models, and more for some (slack 1e-12)', async () => {
    let better = 0;
    await fc.assert(
      fc.asyncProperty(seeds, gammas, fc.boolean(), async (seed, gamma, alone) => {
        const pair = alone ? independent(seed) : models(seed);
        const token = await tokensARound(pair, { gamma });
        const block = await tokensARound(pair, { gamma, verification: 'block' });
        if (block > token + 1e-9) better++;
        expect(block).toBeGreaterThanOrEqual(token - 1e-12);
      }),
      { numRuns: 12 },
    );
    expect(better).toBeGreaterThan(0);
  });

  it('are as many with block verification of a single token (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const pair = models(seed);
        const token = await tokensARound(pair, { gamma: 1 });
        expect(await tokensARound(pair, { gamma: 1, verification: 'block' })).toBeCloseTo(token, 12);
      }),
      { numRuns: 6 },
    );
  });

  it('are never fewer with more siblings, and the acceptance in the metrics has their expectation (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const pair = models(seed);
        const tokens: number[] = [];
        for (const count of [1, 2, 3]) {
          const all = { temperature: 1, branching: [count], maxNewTokens: 3 };
          tokens.push(await mean((random) => firstRound(pair, all, random)));
        }
        expect(tokens[1]).toBeGreaterThanOrEqual(tokens[0] - 1e-12);
        expect(tokens[2]).toBeGreaterThanOrEqual(tokens[1] - 1e-12);
        expect(tokens[2]).toBeCloseTo(2, 12); // three candidates are the whole vocabulary
        const one = { temperature: 1, branching: [2], maxNewTokens: 2 };
        const chance = await mean(
          async (random) => (await finish({ ...request(pair, one), random })).metrics.acceptanceRate,
        );
        expect(1 + chance).toBeCloseTo(tokens[1], 12);
      }),
      { numRuns: 10 },
    );
  });

  it('are within 2 % of the formula over 20,000 tokens of a pair without context at γ = 4', async () => {
    const pair = independent(5, 7);
    let [tokens, rounds] = [0, 0];
    for (let seed = 0; seed < 10; seed++) {
      const { metrics } = await finish(request(pair, { temperature: 1, gamma: 4, seed, maxNewTokens: 2000 }));
      tokens += metrics.newTokens;
      rounds += metrics.rounds;
    }
    const expected = expectedTokens(agreement(pair, { temperature: 1 }), 4);
    expect(Math.abs(tokens / rounds - expected)).toBeLessThan(0.02 * expected);
  });
});
