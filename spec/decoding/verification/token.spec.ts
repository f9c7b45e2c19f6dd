import fc from 'fast-check';
import { seededRandom } from '../../../decoding';
import { chain } from '../../../decoding/proposal';
import { type Distribution, noToken, oneHot, probabilityOf } from '../../../decoding/sampling/distribution';
import { type Draw, sample } from '../../../decoding/sampling/draw';
import type { Random } from '../../../decoding/sampling/random';
import { accepts, PAPERS_RULE, residual, verifyTokens } from '../../../decoding/verification/token';
import { enumerate } from '../../support/enumerator';

const AT = { sequence: 'main', round: 0, position: 1 };
const ACCEPT = { ...AT, purpose: 'accept' as const };

const dense = (...weights: number[]): Distribution => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const probabilities = Float64Array.from(weights, (weight) => weight / total);
  return { vocabulary: weights.length, tokens: null, probabilities };
};

/** The draw of a certain token, whatever its probability. */
const drawOf = (distribution: Distribution, token: number): Draw =>
  sample(distribution, { ...seededRandom(0), categorical: () => token }, { ...AT, purpose: 'propose' });

const weights = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true })), { minLength: 4, maxLength: 4 })
  .filter((list) => list.some((weight) => weight > 0));

describe('the rule of the paper', () => {
  it('accepts x with probability min(1, target(x) / draft(x)), for every token that the draft can propose', async () => {
    let tokens = 0;
    await fc.assert(
      fc.asyncProperty(weights, weights, async (one, other) => {
        const [target, draft] = [dense(...one), dense(...other)];
        for (let token = 0; token < 4; token++) {
          const inDraft = probabilityOf(draft, token);
          if (inDraft === 0) continue;
          tokens++;
          const found = await enumerate(async (random) =>
            String(accepts(target, drawOf(draft, token), random, ACCEPT)),
          );
          const expected = Math.min(1, probabilityOf(target, token) / inDraft);
          expect(found.get('true') ?? 0).toBeCloseTo(expected, 12);
        }
      }),
    );
    expect(tokens).toBeGreaterThan(100);
  });

  it('draws no number when the answer is certain, and never accepts a token of probability 0', () => {
    const never: Random = {
      ...seededRandom(0),
      accept: () => {
        throw new Error('no number is needed');
      },
    };
    expect(accepts(dense(1, 1), drawOf(dense(1, 3), 0), never, ACCEPT)).toBe(true);
    expect(accepts(oneHot(2, 1), drawOf(oneHot(2, 1), 1), never, ACCEPT)).toBe(true);
    const smallest: Random = { ...seededRandom(0), accept: (weight, of) => 0 * of < weight }; // u = 0
    expect(accepts(dense(0, 1), drawOf(dense(1, 1), 0), smallest, ACCEPT)).toBe(false);
  });

  it('the residual is max(0, target − draft), normalised: no mass where the draft has as much as the target', () => {
    fc.assert(
      fc.property(weights, weights, (one, other) => {
        const [target, draft] = [dense(...one), dense(...other)];
        const rest = residual(target, draft);
        const excess = [0, 1, 2, 3].map((token) =>
          Math.max(0, probabilityOf(target, token) - probabilityOf(draft, token)),
        );
        const total = excess.reduce((sum, value) => sum + value, 0);
        fc.pre(total > 1e-9);
        for (let token = 0; token < 4; token++)
          expect(probabilityOf(rest, token)).toBeCloseTo(excess[token] / total, 12);
      }),
    );
  });

  it('the residual of equal distributions is the target itself', () => {
    const target = dense(1, 2, 3);
    expect(residual(target, dense(1, 2, 3))).toBe(target);
  });

  it('accept and residual together give the target: Σ draft(x) · [accepted or corrected to y] = target(y), to 1e-12', () => {
    fc.assert(
      fc.property(weights, weights, (one, other) => {
        const [target, draft] = [dense(...one), dense(...other)];
        const rest = residual(target, draft);
        for (let y = 0; y < 4; y++) {
          let mass = 0;
          for (let x = 0; x < 4; x++) {
            const inDraft = probabilityOf(draft, x);
            if (inDraft === 0) continue;
            const kept = Math.min(1, probabilityOf(target, x) / inDraft);
            mass += inDraft * ((x === y ? kept : 0) + (1 - kept) * probabilityOf(rest, y));
          }
          expect(mass).toBeCloseTo(probabilityOf(target, y), 12);
        }
      }),
    );
  });
});

describe('token verification', () => {
  const three = [0, 1, 2].map((token) => drawOf(dense(1, 1, 1, 1), token));
  const targets = [dense(4, 1, 1, 1), dense(1, 4, 1, 1), dense(1, 1, 4, 1), dense(1, 1, 1, 4)];
  const accepting = (accepted: number): Random => {
    let seen = 0;
    return { ...seededRandom(7), accept: () => seen++ < accepted };
  };
  const fixed = {
    ...PAPERS_RULE,
    accepts: (_: Distribution, draft: Draw, random: Random) =>
      random.accept(1, 1, { ...ACCEPT, position: draft.token }),
  };

  it.each([0, 1, 2, 3])('stops at the first rejection: after %i accepted tokens', (accepted) => {
    const { path, next } = verifyTokens(chain(three), targets, accepting(accepted), AT, fixed);
    expect(path).toEqual([0, 1, 2].slice(0, accepted));
    const expected = accepted < 3 ? residual(targets[accepted], three[accepted].distribution) : targets[3];
    expect(next.distribution).toEqual(expected);
  });

  it('gives every number an address of its own position and purpose', () => {
    const addresses: string[] = [];
    const listening: Random = {
      ...seededRandom(1),
      accept: (_weight, _of, { position, purpose }) => {
        addresses.push(`${position} ${purpose}`);
        return position < 3;
      },
      categorical: (distribution, { position, purpose }) => {
        addresses.push(`${position} ${purpose}`);
        return seededRandom(1).categorical(distribution, { ...AT, purpose });
      },
    };
    const rejecting = [dense(0.1, 1, 1, 1), dense(1, 0.1, 1, 1), dense(1, 1, 0.1, 1), dense(1, 1, 1, 1)];
    verifyTokens(chain(three), rejecting, listening, AT);
    expect(addresses).toEqual(['1 accept', '2 accept', '3 accept', '3 correct']);
  });

  it('without a proposal it draws from the target', () => {
    const { path, next } = verifyTokens([], [targets[0]], seededRandom(1), AT);
    expect([path, next.distribution]).toEqual([[], targets[0]]);
  });

  it('a position at which every token is forbidden is an error only when it is reached', () => {
    const unreached = [oneHot(4, 3), noToken(4), noToken(4), noToken(4)];
    expect(verifyTokens(chain(three), unreached, seededRandom(1), AT).next.token).toBe(3);
    const reached = [oneHot(4, 0), noToken(4), noToken(4), noToken(4)];
    expect(() => verifyTokens(chain(three), reached, seededRandom(1), AT)).toThrow(
      expect.objectContaining({ code: 'no-token-left', message: expect.stringContaining('position 2') }),
    );
  });
});
