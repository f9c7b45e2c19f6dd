import fc from 'fast-check';
import { type Distribution, type Draw, randomDrafter } from '../../../decoding';

describe('the random drafter', () => {
  it('draws as many tokens as it is asked for, one after another, each from all ids with one probability', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 500 }), fc.nat(6), fc.nat(9), async (size, gamma, length) => {
        const ids = new Array(1 + length).fill(0);
        const drawn: [Distribution, number][] = [];
        const draw = (distribution: Distribution, position: number): Draw => {
          drawn.push([distribution, position]);
          return { token: 0, distribution } as Draw;
        };
        const session = await randomDrafter(size).open([1]);
        const asked = { ids, gamma, processing: {}, eosTokens: [], draw, drawSeveral: () => [] };
        const proposal = await session.propose(asked);
        session.dispose();
        expect(proposal.map(({ parent }) => parent)).toEqual(drawn.map((_, i) => i - 1));
        expect(drawn.map(([, position]) => position)).toEqual(Array.from({ length: gamma }, (_, i) => ids.length + i));
        for (const [{ vocabulary, tokens, probabilities }] of drawn) {
          expect([vocabulary, tokens, probabilities.length]).toEqual([size, null, size]);
          expect(new Set(probabilities).size).toBe(1);
          expect(probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        }
      }),
    );
  });
});
