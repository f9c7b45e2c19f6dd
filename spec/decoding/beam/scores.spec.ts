import fc from 'fast-check';
import { continuations } from '../../../decoding/beam/scores';
import type { BeamProcessing } from '../../../decoding/beam/settings';
import { distributionOf } from '../../../decoding/sampling/processors';

import { randomTable, tableModel } from '../../support/table-model';

const VOCABULARY = 6;
const token = fc.nat(VOCABULARY - 1);

/** Any processors, each there or not. */
const processing: fc.Arbitrary<BeamProcessing> = fc.record(
  {
    repetitionPenalty: fc.constantFrom(0.5, 1, 1.6),
    noRepeatNgramSize: fc.integer({ min: 1, max: 3 }),
    minNewTokens: fc.nat(5),
    badWords: fc.array(fc.array(token, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
    suppressTokens: fc.array(token, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const row = fc.record({
  seed: fc.nat(100_000),
  kind: fc.constantFrom('soft' as const, 'sharp' as const, 'holes' as const),
  after: fc.array(token, { maxLength: 6 }),
  count: fc.integer({ min: 1, max: 2 * VOCABULARY }),
});

/** Continuations of the row that follows `[0, ...after]`, and its logits. */
async function found(
  chosen: { seed: number; kind: 'soft' | 'sharp' | 'holes'; after: number[]; count: number },
  rules: BeamProcessing,
) {
  const logits = randomTable(VOCABULARY, chosen.seed, chosen.kind);
  const model = tableModel({ vocabulary: VOCABULARY, logits, eosTokens: [1] });
  const [encoded] = await model.encode([[1]]);
  const stream = encoded.open();
  const ids = [0, ...chosen.after];
  const view = await model.forward(ids.map((id, i) => ({ stream, position: i, token: id, parent: i - 1 })));
  const context = { ids, eosTokens: model.eosTokens };
  const list = await continuations(view, ids.length - 1, chosen.count, { context, processing: rules });
  return { list, logits: logits(ids, []), context };
}

/** A processor that changes nothing. With it the whole row is read and goes through the rules. */
const WHOLE: BeamProcessing = { processors: [() => undefined] };

describe('continuations of a row', () => {
  // Where one token has all mass, its log-probability may round to just above 0, and a penalty then divides it in one way only.
  it('are the same (1e-15) whether few logits or the whole row go through the rules', async () => {
    await fc.assert(
      fc.asyncProperty(row, processing, async (chosen, rules) => {
        const few = await found(chosen, rules);
        const whole = await found(chosen, { ...rules, ...WHOLE });
        expect(whole.list.map((one) => one.token)).toEqual(few.list.map((one) => one.token));
        for (const [i, one] of whole.list.entries()) {
          expect(Math.abs(one.logProb - few.list[i].logProb)).toBeLessThanOrEqual(1e-15);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('sum to 1 again after the rules where renormalizeLogits asks for it', async () => {
    const rules = { suppressTokens: [2, 4], sequenceBias: [[[3], 1.5]] as const, renormalizeLogits: true };
    const { list } = await found({ seed: 5, kind: 'soft', after: [3], count: VOCABULARY }, rules);
    expect(list.map((one) => one.token).sort()).toEqual([0, 1, 3, 5]);
    expect(list.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 12);
    const plain = await found({ seed: 5, kind: 'soft', after: [3], count: 6 }, { ...rules, renormalizeLogits: false });
    const shift = plain.list[0].logProb - list[0].logProb;
    expect(Math.abs(shift)).toBeGreaterThan(0.01);
    for (const [i, one] of list.entries()) expect(plain.list[i].logProb - one.logProb).toBeCloseTo(shift, 12);
  });

  it('are the best tokens that processors leave, by log-softmax in float64, ties by id, none of probability zero', async () => {
    await fc.assert(
      fc.asyncProperty(row, processing, async (chosen, rules) => {
        const { list, logits, context } = await found(chosen, rules);
        const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
        const { repetitionPenalty = 1, ...rest } = rules;
        let allowed: (token: number) => boolean = () => false;
        try {
          const { tokens, probabilities } = distributionOf(logits, context, { ...rest, temperature: 1 });
          allowed = (id) => (tokens ? tokens.includes(id) : probabilities[id] > 0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'no-token-left' });
        }
        const expected = logits
          .map((logit, id) => ({
            token: id,
            logProb: (logit - total) * (context.ids.includes(id) ? repetitionPenalty : 1),
          }))
          .filter((one) => allowed(one.token))
          .sort((a, b) => b.logProb - a.logProb || a.token - b.token);
        expect(list).toEqual(expected.slice(0, chosen.count));
      }),
      { numRuns: 1000 },
    );
  });

  it('are the forced token alone, at no cost, while a prefix is forced', async () => {
    const chosen = { seed: 1, kind: 'soft' as const, count: 4 };
    const rules = { forcedPrefix: [3, 5], suppressTokens: [3] };
    expect((await found({ ...chosen, after: [] }, rules)).list).toEqual([{ token: 3, logProb: 0 }]);
    expect((await found({ ...chosen, after: [3] }, rules)).list).toEqual([{ token: 5, logProb: 0 }]);
    expect((await found({ ...chosen, after: [3, 5] }, rules)).list).toHaveLength(4);
  });
});
