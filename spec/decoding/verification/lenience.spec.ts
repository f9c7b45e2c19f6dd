import fc from 'fast-check';
import { modelDrafter, type Settings } from '../../../decoding';
import { overlap } from '../../../decoding/sampling/distribution';
import { distributionOf } from '../../../decoding/sampling/processors';
import { lenientOverlap } from '../../../decoding/verification/lenience';

import { totalVariation } from '../../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const VOCABULARY = 3;
const seeds = fc.nat(9999);
const levels = fc.double({ min: 0.05, max: 0.95, noNaN: true });

function pair(seed: number, vocabulary = VOCABULARY) {
  const table = { vocabulary, logits: randomTable(vocabulary, seed) };
  const other = { vocabulary, logits: randomTable(vocabulary, seed + 10_000) };
  return { table, other, target: tableModel(table), draft: tableModel(other) };
}

const lawOf = (logits: readonly number[]) => distributionOf(logits, { ids: [0], eosTokens: [] }, { temperature: 1 });

describe('lenience', () => {
  it('has the distribution of its rule: min(draft, target / l), and the rest by (target − l · draft)₊ (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, levels, async (seed, lenience) => {
        const { table, other, target, draft } = pair(seed);
        const settings: Settings = { temperature: 1, maxNewTokens: 2, gamma: 1, lenience };
        const outcomes = await samplerOutcomes({ request: { target, settings }, drafter: modelDrafter(draft) });
        const first = new Map<string, number>();
        for (const [text, mass] of outcomes) first.set(text[0], (first.get(text[0]) ?? 0) + mass);
        const [wanted, proposed] = [lawOf(table.logits([0], [])), lawOf(other.logits([0], []))].map(
          ({ probabilities }) => [...probabilities],
        );
        const kept = proposed.map((d, i) => Math.min(d, wanted[i] / lenience));
        const left = wanted.map((t, i) => Math.max(0, t - lenience * proposed[i]));
        const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
        const expected = new Map(
          kept.map((mass, token) => [String(token), mass + ((1 - sum(kept)) * left[token]) / (sum(left) || 1)]),
        );
        expect(totalVariation(first, expected)).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 40 },
    );
  });

  it('is not exact and says so; at l = 1 it is exact', async () => {
    const { table, target, draft } = pair(3);
    const distance = async (settings: Settings) =>
      totalVariation(
        await samplerOutcomes({ request: { target, settings }, drafter: modelDrafter(draft) }),
        targetOutcomes(table, settings),
      );
    const settings = { temperature: 1, maxNewTokens: 3, gamma: 2 };
    expect(await distance({ ...settings, lenience: 0.3 })).toBeGreaterThan(1e-3);
    expect(await distance({ ...settings, lenience: 1 })).toBeLessThanOrEqual(1e-12);
    const run = (lenience?: number) =>
      finish({ target, drafter: modelDrafter(draft), source: [1], settings: { ...settings, lenience } });
    expect((await run(0.3)).metrics.exact).toBe(false);
    expect((await run(1)).metrics.exact).toBe(true);
    expect((await run()).metrics.exact).toBe(true);
  });

  it('accepts more with a smaller l, at most 1 / l as often, and Σ min(target, draft) at l = 1', () => {
    fc.assert(
      fc.property(seeds, levels, levels, (seed, a, b) => {
        const { table, other } = pair(seed, 8);
        const [target, draft] = [lawOf(table.logits([0], [])), lawOf(other.logits([0], []))];
        const [low, high] = a < b ? [a, b] : [b, a];
        const at = (lenience: number) => lenientOverlap(target, draft, { lenience, greedy: false });
        expect(at(low)).toBeGreaterThanOrEqual(at(high));
        expect(at(low)).toBeLessThanOrEqual(at(1) / low + 1e-12);
        expect(at(1)).toBeCloseTo(overlap(target, draft), 12);
      }),
    );
  });

  it('accepts, when greedy, exactly the draft tokens whose target probability is at least l times the largest', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, levels, fc.integer({ min: 1, max: 4 }), async (seed, lenience, gamma) => {
        const { table, other, target, draft } = pair(seed, 8);
        const argMax = (values: readonly number[]) => values.indexOf(Math.max(...values));
        const expected = [0];
        for (let proposed = 0; expected.length < 11; ) {
          const logits = table.logits(expected, []);
          const guess = argMax(other.logits(expected, []));
          const best = argMax(logits);
          const mayDraft = proposed < gamma && expected.length < 10; // the last token out is never a draft's
          const stands = mayDraft && Math.exp(logits[guess] - logits[best]) >= lenience;
          expected.push(stands ? guess : best);
          proposed = stands ? proposed + 1 : 0;
        }
        const settings = { temperature: 0, gamma, lenience, maxNewTokens: 10 };
        const { ids, metrics } = await finish({ target, drafter: modelDrafter(draft), source: [1], settings });
        expect(ids).toEqual(expected.slice(1));
        expect(metrics.exact).toBe(false);
      }),
    );
  });

  it('is refused with other verifications than token', async () => {
    const { target } = pair(1);
    for (const verification of ['block', 'coupled'] as const) {
      const settings = { lenience: 0.5, verification };
      await expect(finish({ target, source: [1], settings })).rejects.toThrow(/lenience: expected 1 with/);
    }
    await expect(finish({ target, source: [1], settings: { lenience: 0 } })).rejects.toThrow(/lenience: expected/);
  });
});
