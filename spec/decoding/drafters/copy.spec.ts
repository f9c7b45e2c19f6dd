import fc from 'fast-check';
import { copyDrafter } from '../../../decoding/drafters/copy';
import { sample } from '../../../decoding/sampling/draw';
import { seededRandom } from '../../../decoding/sampling/random';

import { totalVariation } from '../../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const EOS = 1;
const random = seededRandom(1);

async function proposed(source: readonly number[], output: readonly number[], gamma = 4, leastMatch?: number) {
  const session = await copyDrafter(20, { leastMatch }).open(source);
  const proposal = await session.propose({
    ids: [0, ...output],
    gamma,
    processing: {},
    eosTokens: [EOS],
    draw: (distribution, position) =>
      sample(distribution, random, { sequence: '', round: 0, position, purpose: 'propose' }),
    drawSeveral: () => [],
  });
  return proposal.map(({ draw }) => draw.token);
}

describe('copying from the source', () => {
  it('proposes what follows the longest matching suffix, up to γ and to the end of the sequence', async () => {
    const source = [5, 6, 7, 8, 9, 6, 7, 10, 11, EOS];
    expect(await proposed(source, [6, 7])).toEqual([8, 9, 6, 7]);
    expect(await proposed(source, [9, 6, 7])).toEqual([10, 11, EOS]); // the longer match decides
    expect(await proposed(source, [9, 6, 7], 1)).toEqual([10]);
    expect(await proposed(source, [12])).toEqual([]);
    expect(await proposed(source, [])).toEqual([]);
    expect(await proposed(source, [12, 6], 4, 2)).toEqual([]); // one token is no match of two
  });

  it('looks for a shorter match when the longest one ends the source', async () => {
    expect(await proposed([4, 5, 6, 4, 5], [4, 5])).toEqual([6, 4, 5]);
    expect(await proposed([4, 5, 4], [5, 4])).toEqual([5, 4]);
  });

  it('proposes the same after a rollback as a new session does', async () => {
    const token = fc.integer({ min: 2, max: 5 });
    const text = fc.array(token, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, text, text, fc.nat(12), async (source, first, second, cut) => {
        const session = await copyDrafter(20).open(source);
        const request = { gamma: 4, processing: {}, eosTokens: [EOS], drawSeveral: () => [] };
        const draw = (distribution: Parameters<typeof sample>[0], position: number) =>
          sample(distribution, random, { sequence: '', round: 0, position, purpose: 'propose' });
        await session.propose({ ...request, ids: [0, ...first], draw });
        const kept = Math.min(cut, first.length);
        session.rewind(1 + kept, []);
        const output = [...first.slice(0, kept), ...second];
        const proposal = await session.propose({ ...request, ids: [0, ...output], draw });
        expect(proposal.map(({ draw: one }) => one.token)).toEqual(await proposed(source, output));
      }),
    );
  });

  it.each(['token', 'block'] as const)(
    'is exact under %s verification (total variation ≤ 1e-12)',
    async (verification) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(999), fc.integer({ min: 1, max: 3 }), async (seed, gamma) => {
          const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [EOS] };
          const settings = { temperature: 1, maxNewTokens: 4, gamma, verification };
          const drafter = copyDrafter(3);
          const request = { target: tableModel(table), settings };
          const source = [2, 0, 2, 2, 0, EOS];
          const sourced = { ...drafter, open: () => drafter.open(source) };
          expect(
            totalVariation(await samplerOutcomes({ request, drafter: sourced }), targetOutcomes(table, settings)),
          ).toBeLessThanOrEqual(1e-12);
        }),
        { numRuns: 10 },
      );
    },
  );

  it('takes a round for many tokens where the target copies its source', async () => {
    const source = [...Array.from({ length: 40 }, (_, i) => 2 + ((i * 7) % 41)), EOS];
    const target = tableModel({
      vocabulary: 50,
      logits: (ids) => Array.from({ length: 50 }, (_, token) => (token === source[ids.length - 1] ? 9 : 0)),
      eosTokens: [EOS],
    });
    const { ids, metrics } = await finish({ target, drafter: copyDrafter(50), source, settings: { gamma: 8 } });
    expect(ids).toEqual(source);
    expect(metrics.targetCalls).toBeLessThanOrEqual(6); // 41 tokens: one alone, then nine a call
  });
});
