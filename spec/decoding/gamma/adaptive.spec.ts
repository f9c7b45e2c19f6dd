import fc from 'fast-check';
import { modelDrafter, randomDrafter, type Settings } from '../../../decoding';
import { measureCosts } from '../../../decoding/costs';
import { adaptiveGamma, type CostTable, fixedGamma, listedGamma, rowCost } from '../../../decoding/gamma/adaptive';
import { predictedSpeedup } from '../../../decoding/gamma/theory';
import { seededRandom } from '../../../decoding/sampling/random';

import { totalVariation } from '../../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const COSTS: CostTable = { c: 0.2, v: [1, 1.05, 1.1, 1.15, 1.2] };

/** Decodes `tokens` tokens of a draft whose tokens stand with probability α each; returns the costs and the γs. */
function simulate(costs: CostTable, alpha: number, tokens: number, seed = 1) {
  const chooser = adaptiveGamma(costs, 16);
  const random = seededRandom(seed);
  const chosen: number[] = [];
  let cost = 0;
  for (let done = 0; done < tokens; ) {
    const gamma = Math.min(chooser.next(), tokens - done - 1);
    chosen.push(gamma);
    let kept = 0;
    const at = { sequence: 'simulated', round: chosen.length, purpose: 'accept' as const };
    while (kept < gamma && random.accept(alpha, 1, { ...at, position: kept })) kept++;
    cost += gamma * costs.c + rowCost(costs, gamma + 1);
    done += kept + 1;
    chooser.finished(gamma, kept);
  }
  return { cost, chosen };
}

describe('adaptive γ', () => {
  it('a draft that never agrees costs at most 5 % of autoregressive decoding, at 128 tokens and more', () => {
    for (const tokens of [128, 256, 1000]) {
      expect(simulate(COSTS, 0, tokens).cost).toBeLessThanOrEqual(tokens * 1.05);
    }
  });

  it('a draft that always agrees is used to the full', () => {
    const { chosen, cost } = simulate(COSTS, 1, 400);
    expect(Math.max(...chosen)).toBe(16);
    expect(cost).toBeLessThan(400 * 0.35);
  });

  it('comes within 10 % of the best fixed γ over 2,000 tokens, for α from 0.1 to 0.95', () => {
    for (const alpha of [0.1, 0.3, 0.5, 0.7, 0.9, 0.95]) {
      const fixed = Array.from({ length: 17 }, (_, gamma) => {
        const perRound = gamma * COSTS.c + rowCost(COSTS, gamma + 1);
        return (perRound * 2000 * (1 - alpha)) / (1 - alpha ** (gamma + 1));
      });
      expect(simulate(COSTS, alpha, 2000).cost).toBeLessThan(Math.min(...fixed) * 1.1);
    }
  });

  it('finds out when a draft gets better, however long it was of no use', () => {
    const chooser = adaptiveGamma(COSTS, 8);
    for (let i = 0; i < 200; i++) {
      const gamma = chooser.next();
      chooser.finished(gamma, 0);
    }
    const chosen: number[] = [];
    for (let i = 0; i < 400; i++) {
      const gamma = chooser.next();
      chosen.push(gamma);
      chooser.finished(gamma, gamma);
    }
    expect(chosen[chosen.length - 1]).toBe(8);
  });

  it('is a function of accepted counts: the same history gives the same γ', () => {
    const history = fc.array(fc.nat(16), { maxLength: 50 });
    fc.assert(
      fc.property(history, (kept) => {
        const [a, b] = [adaptiveGamma(COSTS, 16), adaptiveGamma(COSTS, 16)];
        for (const count of kept) {
          const gamma = a.next();
          expect(b.next()).toBe(gamma);
          expect(gamma).toBeLessThanOrEqual(16);
          a.finished(gamma, Math.min(count, gamma));
          b.finished(gamma, Math.min(count, gamma));
        }
      }),
    );
  });

  it('is the best γ at the share of judged tokens that was accepted, with 5 % less weight for each later round', () => {
    const cost = fc.double({ min: 0.02, max: 1.2, noNaN: true });
    const round = fc.nat(16);
    let [proposing, all] = [0, 0];
    fc.assert(
      fc.property(cost, cost, fc.array(round, { minLength: 10, maxLength: 40 }), (c, step, keeps) => {
        const costs = { c, v: [1, 1 + step / 4, 1 + step / 2] };
        const chooser = adaptiveGamma(costs, 9);
        const rounds = [{ judged: 2, kept: 1.2 }]; // what is assumed: two tokens, of which 0.6 are accepted
        for (const most of keeps) {
          const weighted = (what: 'judged' | 'kept') =>
            rounds.reduce((sum, one, i) => sum + one[what] * 0.95 ** (rounds.length - 1 - i), 0);
          const alpha = weighted('kept') / weighted('judged');
          const speed = (gamma: number) => predictedSpeedup({ alpha, gamma, c, v: rowCost(costs, gamma + 1) });
          const speeds = Array.from({ length: 10 }, (_, gamma) => speed(gamma));
          const gamma = chooser.next();
          all++;
          expect(gamma).toBeLessThanOrEqual(9);
          const best = Math.max(...speeds);
          if (best > 1 + 1e-9) {
            proposing++;
            expect(speeds[gamma]).toBeGreaterThan(best - 1e-9);
          } else if (best === 1) expect(gamma).toBeLessThanOrEqual(1);
          const kept = Math.min(gamma, most);
          chooser.finished(gamma, kept);
          if (gamma > 0) rounds.push({ judged: kept < gamma ? kept + 1 : kept, kept });
        }
      }),
    );
    expect(proposing).toBeGreaterThan(50);
    expect(all - proposing).toBeGreaterThan(50);
  });

  it('is exact: γ may look at finished rounds (total variation ≤ 1e-12)', async () => {
    for (const verification of ['token', 'block'] as const) {
      for (const seed of [1, 2, 3]) {
        const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [1] };
        const settings: Settings = { temperature: 1, maxNewTokens: 5, gamma: 3, costs: COSTS, verification };
        const draft = tableModel({ ...table, logits: randomTable(3, seed + 70) });
        const request = { target: tableModel(table), settings };
        const outcomes = await samplerOutcomes({ request, drafter: modelDrafter(draft) });
        expect(totalVariation(outcomes, targetOutcomes(table, settings))).toBeLessThanOrEqual(1e-12);
      }
    }
  });

  it('one seed gives one text; a useless draft is left alone by the loop itself', async () => {
    const target = tableModel({ vocabulary: 200, logits: randomTable(200, 5) });
    const settings: Settings = { temperature: 0, seed: 9, maxNewTokens: 128, costs: COSTS };
    const run = () => finish({ target, drafter: randomDrafter(200), source: [1], settings });
    const [one, two] = [await run(), await run()];
    expect(two.ids).toEqual(one.ids);
    expect(one.metrics.proposed).toBeLessThan(20);
  });

  it('refuses costs that are no numbers from 0 up', async () => {
    const target = tableModel({ vocabulary: 3, logits: randomTable(3, 5) });
    const settings = { costs: { c: Number.NaN, v: [1] } };
    await expect(finish({ target, source: [1], settings })).rejects.toThrow(/costs: expected/);
  });
});

describe('γ that is given', () => {
  it('is the same in every round, or that of a list, and 0 after its end, whatever was accepted', () => {
    const rounds = (chooser: ReturnType<typeof listedGamma>) =>
      [0, 3, 1, 0, 2].map((kept) => {
        const gamma = chooser.next();
        chooser.finished(gamma, kept);
        return gamma;
      });
    expect(rounds(fixedGamma(3))).toEqual([3, 3, 3, 3, 3]);
    expect(rounds(listedGamma([4, 0, 2]))).toEqual([4, 0, 2, 0, 0]);
    expect([fixedGamma(3).fixed, listedGamma([3, 3]).fixed, adaptiveGamma(COSTS, 3).fixed]).toEqual([3, null, null]);
  });
});

describe('row costs', () => {
  it('are those of the table, then of one row less and the last step, if it rises', () => {
    const cost = fc.double({ min: 0.5, max: 9, noNaN: true });
    const stated = (v: readonly number[], rows: number): number => {
      if (rows <= v.length) return v[rows - 1];
      const [last, before = last] = v.toReversed();
      return stated(v, rows - 1) + (last > before ? last - before : 0);
    };
    fc.assert(
      fc.property(fc.array(cost, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 12 }), (v, rows) => {
        expect(rowCost({ c: 0, v }, rows)).toBeCloseTo(stated(v, rows), 9);
      }),
    );
  });

  it('continue by the last step beyond the table, never downwards', () => {
    expect([1, 5, 6, 9].map((rows) => rowCost(COSTS, rows))).toEqual(
      [1, 1.2, 1.25, 1.4].map((v) => expect.closeTo(v, 12)),
    );
    expect(rowCost({ c: 0, v: [1, 3, 2] }, 5)).toBe(2);
    expect(rowCost({ c: 0, v: [] }, 5)).toBe(1);
  });
});

describe('measuring costs', () => {
  it('finds c and v(k) of models whose clock is known, and gives back what it opened', async () => {
    let now = 0;
    const timed = (start: number, each: number) => {
      const model = tableModel({ vocabulary: 5, logits: randomTable(5, 3) });
      const forward: typeof model.forward = (rows, options) => {
        now += start + each * rows.length;
        return model.forward(rows, options);
      };
      return { ...model, forward };
    };
    const [target, draft] = [timed(8, 2), timed(0, 1)];
    const costs = await measureCosts(target, modelDrafter(draft), { source: [1], rows: 3, clock: () => now });
    expect(costs).toEqual({ c: expect.closeTo(0.1, 12), v: [1, 1.2, 1.4].map((v) => expect.closeTo(v, 12)) });
    expect(target.open() + draft.open()).toBe(0);
  });

  it('where no γ pays tries one token after 1, 2, 4, … rounds without, and after 1 again once one was kept', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 6 }), (kept) => {
        const chooser = adaptiveGamma({ c: 9, v: [1, 1] }, 4);
        let gap = 1;
        for (const isKept of kept) {
          for (let round = 0; round < gap; round++) {
            expect(chooser.next()).toBe(0);
            chooser.finished(0, 0);
          }
          expect(chooser.next()).toBe(1);
          chooser.finished(1, isKept ? 1 : 0);
          gap = isKept ? 1 : 2 * gap;
        }
      }),
    );
  });

  it('of at most 0 tokens is never above 0', () => {
    const chooser = adaptiveGamma(COSTS, 0);
    for (let i = 0; i < 5; i++) {
      expect(chooser.next()).toBe(0);
      chooser.finished(0, 0);
    }
  });
});
