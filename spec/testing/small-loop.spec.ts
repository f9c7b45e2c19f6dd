import fc from 'fast-check';
import { modelDrafter, seededRandom } from '../../decoding';
import { finish } from '../../testing/exactness';
import { exactBlockSteps, exactSteps, smallLoop, type World } from '../../testing/small-loop';
import { randomTable, type TableKind, tableModel } from '../../testing/table-model';

describe('the small loop that mutants change', () => {
  it.each([
    ['token', exactSteps],
    ['block', exactBlockSteps],
  ] as const)(
    'with the exact steps gives the text of `generate` for every seed, %s verification',
    async (verification, steps) => {
      const kind = fc.constantFrom<TableKind>('soft', 'sharp', 'holes', 'one-hot');
      const cases = fc.record({
        seed: fc.nat(9999),
        wanted: kind,
        drafted: kind,
        gamma: fc.integer({ min: 1, max: 5 }),
        maxNewTokens: fc.integer({ min: 1, max: 9 }),
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ seed, wanted, drafted, gamma, maxNewTokens }) => {
          const eosTokens = [1];
          const target = { vocabulary: 5, logits: randomTable(5, seed, wanted), eosTokens };
          const draft = { vocabulary: 5, logits: randomTable(5, seed + 1000, drafted), eosTokens };
          const processing = { temperature: 0.8, topP: 0.95 };
          const world: World = { target, draft, processing, maxNewTokens, gamma };
          const settings = { ...processing, maxNewTokens, gamma, seed, verification };
          const drafter = modelDrafter(tableModel(draft));
          const { ids } = await finish({ target: tableModel(target), drafter, source: [1], settings });
          expect(smallLoop(world, seededRandom(seed), steps)).toEqual(ids);
        }),
      );
    },
  );
});
