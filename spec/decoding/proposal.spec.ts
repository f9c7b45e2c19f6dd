import fc from 'fast-check';
import {
  chain,
  childrenOf,
  depthOf,
  drawsAfter,
  isChain,
  type Proposal,
  ROOT,
  tokensTo,
} from '../../decoding/proposal';
import { oneHot } from '../../decoding/sampling/distribution';
import { sample } from '../../decoding/sampling/draw';
import { seededRandom } from '../../decoding/sampling/random';

const at = { sequence: 'main', round: 0, position: 1, purpose: 'propose' as const };
const drawOf = (token: number) => sample(oneHot(100, token), seededRandom(0), at);

/** Any tree: each token's parent comes before it. Token i has the id i. */
const trees: fc.Arbitrary<Proposal> = fc
  .array(fc.nat(1000), { maxLength: 12 })
  .map((numbers) => numbers.map((number, i) => ({ draw: drawOf(i), parent: (number % (i + 1)) - 1 })));

describe('a proposal', () => {
  it('that is a chain has one child for every token but the last, and γ positions', () => {
    fc.assert(
      fc.property(fc.nat(10), (gamma) => {
        const proposal = chain(Array.from({ length: gamma }, (_, i) => drawOf(i)));
        expect(isChain(proposal)).toBe(true);
        expect(depthOf(proposal)).toBe(gamma);
        for (let i = ROOT; i < gamma; i++) {
          expect(childrenOf(proposal, i)).toEqual(i + 1 < gamma ? [i + 1] : []);
          expect(tokensTo(proposal, i)).toEqual(Array.from({ length: i + 1 }, (_, j) => j));
        }
      }),
    );
  });

  it('is a chain exactly when nothing branches and each token follows the one before', () => {
    let branched = 0;
    fc.assert(
      fc.property(trees, (proposal) => {
        const widths = [ROOT, ...proposal.keys()].map((i) => childrenOf(proposal, i).length);
        if (widths.some((width) => width > 1)) branched++;
        expect(isChain(proposal)).toBe(widths.every((width) => width <= 1));
      }),
    );
    expect(branched).toBeGreaterThan(10);
  });

  it('has every token as the child of one parent, and its depth is that of its longest line', () => {
    fc.assert(
      fc.property(trees, (proposal) => {
        const children = [ROOT, ...proposal.keys()].flatMap((i) => childrenOf(proposal, i));
        expect(children.sort((a, b) => a - b)).toEqual([...proposal.keys()]);
        const lengths = [...proposal.keys()].map((i) => tokensTo(proposal, i).length);
        expect(depthOf(proposal)).toBe(Math.max(0, ...lengths));
        for (const i of [ROOT, ...proposal.keys()]) {
          expect(drawsAfter(proposal, i).map(({ token }) => token)).toEqual(childrenOf(proposal, i));
        }
      }),
    );
  });
});
