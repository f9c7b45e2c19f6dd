import fc from 'fast-check';
import { copyDrafter, type Drafter, firstOf, modelDrafter, randomDrafter, type Settings } from '../../../decoding';
import { totalVariation } from '../../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const seeds = fc.nat(999);
const verifications = ['token', 'block'] as const;

async function distance(drafter: Drafter, seed: number, settings: Settings): Promise<number> {
  const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [1] };
  const request = { target: tableModel(table), settings: { temperature: 1, maxNewTokens: 4, ...settings } };
  return totalVariation(await samplerOutcomes({ request, drafter }), targetOutcomes(table, request.settings));
}

/** As if the source were another one than the run's. */
const over = (drafter: Drafter, source: readonly number[]): Drafter => ({
  ...drafter,
  open: () => drafter.open(source),
});

describe.each(verifications)('under %s verification', (verification) => {
  it('random drafts are exact (total variation ≤ 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 2 }), async (seed, gamma) => {
        expect(await distance(randomDrafter(3), seed, { gamma, verification })).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 5 },
    );
  });

  it('copying before a model is exact (total variation ≤ 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 3 }), async (seed, gamma) => {
        const draft = tableModel({ vocabulary: 3, logits: randomTable(3, seed + 31) });
        const drafter = firstOf([over(copyDrafter(3), [2, 0, 2]), modelDrafter(draft)]);
        expect(await distance(drafter, seed, { gamma, verification })).toBeLessThanOrEqual(1e-12);
        expect(draft.open()).toBe(0);
      }),
      { numRuns: 8 },
    );
  });
});

describe('the first of several drafters', () => {
  it('copies where it can, asks the model elsewhere, and adds up their calls', async () => {
    const target = tableModel({ vocabulary: 30, logits: randomTable(30, 6) });
    const model = tableModel({ vocabulary: 30, logits: randomTable(30, 6) }); // agrees with the target
    const alone = await finish({ target, source: [1], settings: { maxNewTokens: 20 } });
    const source = [...alone.ids.slice(5, 12)];
    const drafter = firstOf([copyDrafter(30), modelDrafter(model)]);
    const { ids, metrics } = await finish({ target, drafter, source, settings: { gamma: 4, maxNewTokens: 20 } });
    expect(ids).toEqual(alone.ids);
    expect(model.calls()).toBeGreaterThan(0);
    expect(metrics.draftCalls).toBeGreaterThan(model.calls());
  });

  it('has the names of all, and wants one vocabulary', () => {
    expect(firstOf([copyDrafter(3), randomDrafter(3)]).name).toBe('copy+random');
    expect(() => firstOf([copyDrafter(3), randomDrafter(4)])).toThrow(
      expect.objectContaining({ code: 'vocabulary-mismatch' }),
    );
    expect(() => firstOf([])).toThrow(expect.objectContaining({ code: 'vocabulary-mismatch' }));
  });
});
