import fc from 'fast-check';
import { chain } from '../../../decoding/proposal';
import { type Distribution, oneHot, probabilityOf } from '../../../decoding/sampling/distribution';
import { type Draw, sample } from '../../../decoding/sampling/draw';
import { seededRandom } from '../../../decoding/sampling/random';
import { verifyBlock } from '../../../decoding/verification/block';
import { verifyTokens } from '../../../decoding/verification/token';

import { enumerate } from '../../support/enumerator';

type Verify = typeof verifyBlock;
/** Distribution after a prefix. */
type Law = (prefix: readonly number[]) => Distribution;

const dense = (...probabilities: number[]): Distribution => ({
  vocabulary: probabilities.length,
  tokens: null,
  probabilities: Float64Array.from(probabilities),
});

const AT = { sequence: 'block', round: 0, position: 1 };

/** Mean accepted length, by enumeration of every proposal and every decision. */
async function meanAccepted(verify: Verify, target: Law, draft: Law, gamma: number): Promise<number> {
  const outcomes = await enumerate(async (random) => {
    const proposal: Draw[] = [];
    const prefix: number[] = [];
    const targets = [target([])];
    for (let i = 0; i < gamma; i++) {
      const draw = sample(draft(prefix), random, { ...AT, position: 1 + i, purpose: 'propose' });
      proposal.push(draw);
      prefix.push(draw.token);
      targets.push(target(prefix));
    }
    return String(verify(chain(proposal), targets, random, AT).path.length);
  });
  return [...outcomes].reduce((sum, [accepted, mass]) => sum + Number(accepted) * mass, 0);
}

/** Distributions over three tokens from any weights, one for each prefix. */
const VOCABULARY = 3;
const rows = fc.array(
  fc
    .array(fc.integer({ min: 0, max: 6 }), { minLength: VOCABULARY, maxLength: VOCABULARY })
    .filter((row) => row.some((w) => w > 0)),
  { minLength: 13, maxLength: 13 },
);
const lawOf =
  (weights: readonly (readonly number[])[]): Law =>
  (prefix) => {
    const row = weights[prefix.reduce((index, token) => index * VOCABULARY + token + 1, 0) % weights.length];
    const total = row.reduce((sum, weight) => sum + weight, 0);
    return dense(...row.map((weight) => weight / total));
  };

describe('block verification', () => {
  it("accepts 11/9 tokens where token verification accepts 10/9, in Sun et al.'s example (to 1e-12)", async () => {
    const target: Law = () => dense(1 / 3, 2 / 3);
    const draft: Law = () => dense(2 / 3, 1 / 3);
    expect(await meanAccepted(verifyTokens, target, draft, 2)).toBeCloseTo(10 / 9, 12);
    expect(await meanAccepted(verifyBlock, target, draft, 2)).toBeCloseTo(11 / 9, 12);
  });

  it('accepts in expectation at least what token verification does, for any laws and γ (slack 1e-12)', async () => {
    let better = 0;
    await fc.assert(
      fc.asyncProperty(rows, rows, fc.integer({ min: 1, max: 3 }), async (target, draft, gamma) => {
        const token = await meanAccepted(verifyTokens, lawOf(target), lawOf(draft), gamma);
        const block = await meanAccepted(verifyBlock, lawOf(target), lawOf(draft), gamma);
        if (block > token + 1e-9) better++;
        expect(block).toBeGreaterThanOrEqual(token - 1e-12);
      }),
      { numRuns: 60 },
    );
    expect(better).toBeGreaterThan(0);
  });

  it('accepts as much as token verification does at γ = 1 (to 1e-12)', async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, async (target, draft) => {
        const token = await meanAccepted(verifyTokens, lawOf(target), lawOf(draft), 1);
        expect(await meanAccepted(verifyBlock, lawOf(target), lawOf(draft), 1)).toBeCloseTo(token, 12);
      }),
      { numRuns: 30 },
    );
  });

  it('accepts the whole equal prefix of greedy proposals and corrects the first other token', () => {
    const random = seededRandom(1);
    const draws = [1, 2, 0].map((token) => sample(oneHot(3, token), random, { ...AT, purpose: 'propose' }));
    const { path, next } = verifyBlock(
      chain(draws),
      [1, 2, 2, 0].map((token) => oneHot(3, token)),
      random,
      AT,
    );
    expect([path, next.token]).toEqual([[0, 1], 2]);
  });

  it('samples from the target itself after a whole proposal, and without one', () => {
    const random = seededRandom(1);
    const draw = sample(oneHot(2, 1), random, { ...AT, purpose: 'propose' });
    const end = dense(0.25, 0.75);
    const whole = verifyBlock(chain([draw]), [oneHot(2, 1), end], random, AT);
    expect([whole.path, whole.next.distribution]).toEqual([[0], end]);
    expect(verifyBlock([], [end], random, AT).next.distribution).toBe(end);
  });

  it('corrects with a token that is more probable in the target than in the draft', () => {
    const draft = dense(0.9, 0.1, 0);
    const target = dense(0.1, 0.5, 0.4);
    let corrected = 0;
    for (let seed = 0; seed < 50; seed++) {
      const random = seededRandom(seed);
      const draw = sample(draft, random, { ...AT, purpose: 'propose' });
      const { path, next } = verifyBlock(chain([draw]), [target, target], random, AT);
      if (path.length > 0) continue;
      corrected++;
      expect(probabilityOf(target, next.token)).toBeGreaterThan(probabilityOf(draft, next.token));
    }
    expect(corrected).toBeGreaterThan(0);
  });
});
