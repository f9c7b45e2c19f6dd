import fc from 'fast-check';
import type { Processing } from '../../../decoding';
import { truncated } from '../../../decoding/sampling/truncation';

/** Probabilities that are powers of two, with sums that no rounding touches: the largest is split again and again, or another. */
const dyadic = fc
  .tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 24 }), fc.boolean())
  .map(([choices, splitsLast]) => {
    const shares = [1];
    for (const choice of choices) {
      const at = splitsLast ? shares.length - 1 : choice % shares.length;
      const [share] = shares.splice(at, 1);
      shares.splice(at, 0, share / 2, share / 2);
    }
    return shares;
  });
const power = fc.integer({ min: 0, max: 12 }).map((exponent) => 2 ** -exponent);

/** Ids and probabilities of what is left. */
function kept(probabilities: readonly number[], rules: Processing): (readonly [number, number])[] {
  const { tokens, probabilities: shares } = truncated(Float64Array.from(probabilities), rules);
  return [...shares].map((share, i) => [tokens ? tokens[i] : i, share] as const);
}

describe('truncation', () => {
  it('keeps a token that is just as probable as the rule asks: min-p, top-p and top-k on powers of two', () => {
    const rules = fc.record({ minP: power, topP: power, topK: fc.integer({ min: 1, max: 12 }) }, { requiredKeys: [] });
    let exact = 0;
    fc.assert(
      fc.property(dyadic, rules, (shares, { minP = 0, topP = 1, topK }) => {
        const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a] || a - b).slice(0, topK);
        const sum = (ids: readonly number[]) => ids.reduce((total, id) => total + shares[id], 0);
        const whole = sum(order);
        const left = order.filter(
          (id, i) => i === 0 || (sum(order.slice(0, i)) < topP * whole && shares[id] >= minP * shares[order[0]]),
        );
        const given = { minP, topP, ...(topK !== undefined && { topK }) };
        const expected = [...left].sort((a, b) => a - b).map((id) => [id, shares[id] / sum(left)]);
        expect(kept(shares, given)).toEqual(expected);
        if (minP > 0 && left.some((id) => shares[id] === minP * shares[order[0]])) exact++;
      }),
      { numRuns: 1000 },
    );
    expect(exact).toBeGreaterThan(20);
  });

  it('is what it would be without the tokens of probability 0, of which it keeps none, by any rule', () => {
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    const rules = fc.record(
      {
        topH: share,
        topK: fc.integer({ min: 1, max: 40 }),
        topP: share,
        minP: share,
        typicalP: share,
        epsilonCutoff: share,
        etaCutoff: share,
      },
      { requiredKeys: [] },
    );
    const withZeros = fc
      .tuple(dyadic, fc.array(fc.boolean(), { minLength: 5, maxLength: 12 }))
      .map(([shares, isZero]) => {
        const rest = [...shares];
        const mixed = isZero.map((zero) => (zero ? 0 : (rest.shift() ?? 0)));
        return [...mixed, ...rest];
      });
    fc.assert(
      fc.property(withZeros, rules, (mixed, given) => {
        if (Object.keys(given).length === 0) return;
        const ids = [...mixed.keys()].filter((id) => mixed[id] > 0);
        const expected = kept(
          ids.map((id) => mixed[id]),
          given,
        ).map(([i, one]) => [ids[i], one]);
        expect(kept(mixed, given)).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('is by typical-p, ε, η and top-h what their papers define, of each token by itself', () => {
    const weights = fc.array(fc.oneof(fc.integer({ min: 1, max: 999 }), fc.constantFrom(1, 10, 100)), {
      minLength: 1,
      maxLength: 24,
    });
    const bound = fc.integer({ min: 1, max: 1008 }).map((count) => count / 1009);
    const [cut, whole] = [new Map<string, number>(), new Map<string, number>()];
    fc.assert(
      fc.property(weights, bound, bound, (counts, part, small) => {
        const total = counts.reduce((sum, count) => sum + count, 0);
        const shares = counts.map((count) => count / total);
        const sumOf = (ids: readonly number[], value: (id: number) => number) =>
          ids.reduce((sum, id) => sum + value(id), 0);
        const ids = [...shares.keys()];
        const term = (id: number) => -shares[id] * Math.log(shares[id]);
        const entropy = sumOf(ids, term);
        const far = (id: number) => Math.abs(-Math.log(shares[id]) - entropy);
        const isMost = (id: number) => shares[id] === Math.max(...shares);
        const cutoff = small / 4;
        const upTo = (id: number) =>
          ids.filter((one) => shares[one] > shares[id] || (shares[one] === shares[id] && one <= id));
        // What a rule compares, of a token, with what: it keeps those where the first is smaller.
        const rules: [Processing, (id: number) => readonly [number, number]][] = [
          [
            { typicalP: part },
            (id) => [
              sumOf(
                ids.filter((one) => far(one) < far(id) - 1e-12),
                (one) => shares[one],
              ),
              part,
            ],
          ],
          [{ epsilonCutoff: cutoff }, (id) => [isMost(id) ? 0 : cutoff, shares[id]]],
          [
            { etaCutoff: cutoff },
            (id) => [isMost(id) ? 0 : Math.min(cutoff, Math.sqrt(cutoff) * Math.exp(-entropy)), shares[id]],
          ],
          [{ topH: part }, (id) => [upTo(id).length === 1 ? -1 : sumOf(upTo(id), term), part * entropy]],
        ];
        for (const [rule, compared] of rules) {
          if (ids.some((id) => Math.abs(compared(id)[0] - compared(id)[1]) < 1e-9)) continue; // rounding decides
          const [name] = Object.keys(rule);
          const expected = ids.filter((id) => compared(id)[0] < compared(id)[1]);
          expect([name, kept(shares, rule).map(([id]) => id)]).toEqual([name, expected]);
          const tally = expected.length < ids.length ? cut : whole;
          tally.set(name, (tally.get(name) ?? 0) + 1);
        }
      }),
      { numRuns: 1000 },
    );
    for (const tally of [cut, whole]) {
      expect([...tally.keys()].sort()).toEqual(['epsilonCutoff', 'etaCutoff', 'topH', 'typicalP']);
      expect(Math.min(...tally.values())).toBeGreaterThan(20);
    }
  });
});
