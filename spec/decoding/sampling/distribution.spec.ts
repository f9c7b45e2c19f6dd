import fc from 'fast-check';
import {
  type Distribution,
  excess,
  isEmpty,
  isOneHot,
  mostProbableEntries,
  normalised,
  noToken,
  oneHot,
  overlap,
  probabilityOf,
  residualOf,
  smallestKeys,
} from '../../../decoding/sampling/distribution';

/** Weights of five tokens, and the same distribution dense and sparse. */
const both = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true })), { minLength: 5, maxLength: 5 })
  .filter((weights) => weights.some((weight) => weight > 0))
  .map((weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const dense: Distribution = {
      vocabulary: 5,
      tokens: null,
      probabilities: Float64Array.from(weights, (weight) => weight / total),
    };
    const tokens = Int32Array.from([0, 1, 2, 3, 4].filter((token) => weights[token] > 0));
    const sparse: Distribution = {
      vocabulary: 5,
      tokens,
      probabilities: Float64Array.from(tokens, (token) => weights[token] / total),
    };
    return { dense, sparse };
  });

const list = (distribution: Distribution) => [0, 1, 2, 3, 4].map((token) => probabilityOf(distribution, token));

describe('a distribution', () => {
  it('is one token where it has the list of that one alone, and empty where it has none', () => {
    fc.assert(
      fc.property(both, ({ dense, sparse }) => {
        expect([isOneHot(dense), isEmpty(dense)]).toEqual([false, false]);
        expect([isOneHot(sparse), isEmpty(sparse)]).toEqual([sparse.tokens?.length === 1, false]);
        expect([isOneHot(noToken(5)), isEmpty(noToken(5)), isOneHot(oneHot(5, 3))]).toEqual([false, true, true]);
      }),
    );
  });

  it('means the same dense and sparse: probabilities, overlap, excess, residual', () => {
    const factor = fc.double({ min: 0.1, max: 1, noNaN: true });
    fc.assert(
      fc.property(both, both, factor, factor, (a, b, p, l) => {
        expect(list(a.sparse)).toEqual(list(a.dense));
        const expected = list(a.dense).reduce((sum, share, token) => sum + Math.min(share, list(b.dense)[token]), 0);
        const residuals: number[][] = [];
        for (const one of [a.dense, a.sparse]) {
          for (const other of [b.dense, b.sparse]) {
            expect(overlap(one, other)).toBeCloseTo(expected, 12);
            residuals.push(list(residualOf(one, other, { target: p, draft: l })));
          }
        }
        for (const found of residuals)
          for (const [token, share] of found.entries()) expect(share).toBeCloseTo(residuals[0][token], 12);
      }),
    );
  });

  it('the excess is max(0, p · target − l · draft) entry by entry, with p = l = 1 when they are left out', () => {
    fc.assert(
      fc.property(both, both, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, l) => {
        const [target, draft] = [list(a.dense), list(b.dense)];
        expect([...excess(a.dense, b.sparse)]).toEqual(target.map((share, i) => Math.max(0, share - draft[i])));
        expect([...excess(a.dense, b.dense, { target: 0.5, draft: l })]).toEqual(
          target.map((share, i) => Math.max(0, 0.5 * share - l * draft[i])),
        );
      }),
    );
  });

  it('overlaps with itself by 1, and with a distribution of other tokens by 0', () => {
    fc.assert(fc.property(both, ({ dense, sparse }) => expect(overlap(dense, sparse)).toBeCloseTo(1, 12)));
    const at = (token: number): Distribution => ({
      vocabulary: 5,
      tokens: Int32Array.of(token),
      probabilities: Float64Array.of(1),
    });
    expect(overlap(at(1), at(2))).toBe(0);
  });

  it('without mass cannot be normalised; the empty one has no token', () => {
    const { dense } = fc.sample(both, { seed: 1, numRuns: 1 })[0];
    expect(normalised(dense, new Float64Array(5))).toBeNull();
    expect(isEmpty(noToken(5))).toBe(true);
    expect(isEmpty(dense)).toBe(false);
    expect(list(noToken(5))).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('the best of many', () => {
  it('are those that a stable sort puts first; infinite keys are left out', () => {
    const key = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 12 }), fc.integer({ min: 1, max: 6 }), (keys, count) => {
        const sorted = [...keys.keys()]
          .filter((i) => keys[i] < Number.POSITIVE_INFINITY)
          .sort((a, b) => keys[a] - keys[b] || a - b);
        expect(smallestKeys(count, keys.length, (i) => keys[i])).toEqual(sorted.slice(0, count));
      }),
    );
  });

  it('of a distribution: most probable first, and only tokens with mass', () => {
    const distribution = { vocabulary: 5, tokens: null, probabilities: Float64Array.of(0.2, 0, 0.4, 0.2, 0.2) };
    expect(mostProbableEntries(distribution, 9)).toEqual([2, 0, 3, 4]);
    expect(mostProbableEntries(distribution, 2)).toEqual([2, 0]);
  });
});
