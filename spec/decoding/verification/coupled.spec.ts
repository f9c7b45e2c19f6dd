import fc from 'fast-check';
import { modelDrafter, type Settings, seededRandom, TraceRecorder } from '../../../decoding';
import { race } from '../../../decoding/sampling/draw';

import { chiSquared } from '../../support/chi-squared';
import { finish } from '../../support/exactness';
import { randomTable, type TableKind, tableModel } from '../../support/table-model';

const kind = fc.constantFrom<TableKind>('soft', 'sharp', 'holes', 'one-hot');

function distributionOf(weights: readonly number[]) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    vocabulary: weights.length,
    tokens: null,
    probabilities: Float64Array.from(weights, (weight) => weight / total),
  };
}

describe('drafter-invariant coupling', () => {
  it('gives one text for a seed for any draft and γ: the text of coupled decoding without a draft', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(9999),
        fc.nat(9999),
        fc.integer({ min: 1, max: 8 }),
        kind,
        async (seed, draftSeed, gamma, kind) => {
          const target = tableModel({ vocabulary: 9, logits: randomTable(9, seed), eosTokens: [1] });
          const draft = tableModel({ vocabulary: 9, logits: randomTable(9, draftSeed, kind), eosTokens: [1] });
          const settings: Settings = { temperature: 1, topP: 0.95, seed, maxNewTokens: 16, verification: 'coupled' };
          const alone = await finish({ target, source: [1], settings });
          const drafted = await finish({
            target,
            drafter: modelDrafter(draft),
            source: [1],
            settings: { ...settings, gamma },
          });
          expect(drafted.ids).toEqual(alone.ids);
        },
      ),
    );
  });

  it('gives one text for a seed under any sequence of γ, 0 among them, as γ that follows clocks may choose it', async () => {
    const gammas = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(fc.nat(9999), gammas, gammas, kind, async (seed, first, second, kind) => {
        const target = tableModel({ vocabulary: 9, logits: randomTable(9, seed), eosTokens: [1] });
        const draft = tableModel({ vocabulary: 9, logits: randomTable(9, seed + 1, kind), eosTokens: [1] });
        const settings: Settings = { temperature: 0.9, gamma: 'auto', seed, maxNewTokens: 16 };
        const request = { target, drafter: modelDrafter(draft), source: [1], settings };
        const { ids } = await finish({ ...request, gammas: first });
        expect((await finish({ ...request, gammas: second })).ids).toEqual(ids);
        expect((await finish(request)).ids).toEqual(ids);
      }),
    );
  });

  it('counts as α the share that was accepted, of the positions up to each round’s first rejection', async () => {
    const shares = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.nat(9999), fc.integer({ min: 1, max: 5 }), kind, async (seed, gamma, kind) => {
        const target = tableModel({ vocabulary: 5, logits: randomTable(5, seed) });
        const draft = tableModel({ vocabulary: 5, logits: randomTable(5, seed + 1, kind) });
        const settings: Settings = { temperature: 1, gamma, seed, maxNewTokens: 20, verification: 'coupled' };
        const trace = new TraceRecorder();
        const { metrics } = await finish({ target, drafter: modelDrafter(draft), source: [1], settings, trace });
        const rounds = trace.trace.rounds.filter(({ proposal }) => proposal.length > 0);
        const accepted = rounds.reduce((sum, { path }) => sum + path.length, 0);
        const rejections = rounds.filter(({ path, proposal }) => path.length < proposal.length).length;
        expect([metrics.acceptanceSum, metrics.acceptancePositions]).toEqual([accepted, accepted + rejections]);
        shares.add(metrics.acceptanceRate);
      }),
    );
    expect(shares.size).toBeGreaterThan(10);
  });

  it('is greedy decoding at temperature 0', async () => {
    const target = tableModel({ vocabulary: 9, logits: randomTable(9, 2) });
    const run = (settings: Settings) =>
      finish({
        target,
        drafter: modelDrafter(target),
        source: [1],
        settings: { gamma: 4, maxNewTokens: 9, ...settings },
      });
    expect((await run({ verification: 'coupled' })).ids).toEqual((await run({})).ids);
  });

  it.each([[[1, 1, 1, 1]], [[0.7, 0.2, 0.06, 0.04]], [[5, 0, 3, 0, 1, 1]]])(
    'the winner of a race over %j has that distribution (Pearson χ², level 0.005, 20,000 seeds)',
    (weights) => {
      const distribution = distributionOf(weights);
      const counts = new Map<string, number>();
      for (let seed = 0; seed < 20_000; seed++) {
        const { token } = race(distribution, seededRandom(seed), { sequence: 'main', position: 3 });
        counts.set(String(token), (counts.get(String(token)) ?? 0) + 1);
      }
      const expected = new Map(
        [...distribution.probabilities].map((probability, token) => [String(token), probability]),
      );
      const { statistic, critical } = chiSquared(counts, expected);
      expect(statistic).toBeLessThan(critical);
    },
  );

  it('winners at neighbouring positions are independent (χ² over pairs, level 0.005)', () => {
    const distribution = distributionOf([0.5, 0.3, 0.2]);
    const counts = new Map<string, number>();
    const random = seededRandom(11);
    for (let i = 0; i < 10_000; i++) {
      const pair = [2 * i, 2 * i + 1].map(
        (position) => race(distribution, random, { sequence: 'main', position }).token,
      );
      counts.set(pair.join(), (counts.get(pair.join()) ?? 0) + 1);
    }
    const { probabilities } = distribution;
    const expected = new Map(
      [...probabilities].flatMap((a, i) => [...probabilities].map((b, j) => [`${i},${j}`, a * b] as const)),
    );
    const { statistic, critical } = chiSquared(counts, expected);
    expect(statistic).toBeLessThan(critical);
  });

  it('draft and target agree with probability at least (1 − d) / (1 + d) at total variation d (to 0.02, 20,000 seeds)', () => {
    const [target, draft] = [distributionOf([0.5, 0.3, 0.2]), distributionOf([0.3, 0.3, 0.4])];
    const d = 0.2;
    let agreed = 0;
    for (let seed = 0; seed < 20_000; seed++) {
      const random = seededRandom(seed);
      const at = { sequence: 'main', position: 0 };
      if (race(target, random, at).token === race(draft, random, at).token) agreed++;
    }
    expect(agreed / 20_000).toBeGreaterThan((1 - d) / (1 + d) - 0.02);
    expect(agreed / 20_000).toBeLessThan(1 - d + 0.02);
  });
});
