import { accepts, type Distribution, inverse, oneHot, type Random, residual, sample } from '../../decoding';
import type { Family, Finding } from './family';

/** Cases in which a number equals a bound exactly. Enumeration gives them no mass, and real runs meet them very rarely. */
interface Numbers {
  readonly accepts: typeof accepts;
  readonly residual: typeof residual;
  readonly inverse: typeof inverse;
  /** What is done to the number before it is compared. */
  readonly number: (u: number) => number;
}

const shipped: Numbers = { accepts, residual, inverse, number: (u) => u };

const AT = { sequence: 'main', round: 0, position: 1, purpose: 'accept' as const };
/** The largest number of 53 bits below 1. */
const LARGEST = 1 - 2 ** -53;

const dense = (...shares: number[]): Distribution => ({
  vocabulary: shares.length,
  tokens: null,
  probabilities: Float64Array.from(shares),
});

/** Random numbers that are always u, compared and inverted by these parts. */
const always = (u: number, parts: Numbers): Random => ({
  exponential: () => 1,
  accept: (weight, of) => parts.number(u) * of < weight,
  categorical: (law) => {
    const index = parts.inverse(law, parts.number(u));
    return law.tokens ? law.tokens[index] : index;
  },
});

/** Ten probabilities of 0.1, whose sum is below 1 in float64, and then a token without mass. */
const SHORT = dense(...new Array(10).fill(0.1), 0);

const sumsToOne = ({ probabilities }: Distribution) =>
  Math.abs(probabilities.reduce((sum, share) => sum + share, 0) - 1) < 1e-12;

/** Cases by what the shipped parts do in them. */
const BOUNDS: Readonly<Record<string, (parts: Numbers) => boolean>> = {
  'a token of probability zero is rejected at u = 0': (parts) => {
    const random = always(0, parts);
    return !parts.accepts(oneHot(3, 1), sample(oneHot(3, 2), random, AT), random, AT);
  },
  'a token of probability zero is not drawn at u = 0 where it comes first': (parts) =>
    always(0, parts).categorical(dense(0, 0.4, 0.6), AT) === 1,
  'a token with mass is drawn where rounding makes the inverse run off the end': (parts) =>
    always(LARGEST, parts).categorical(SHORT, AT) === 9,
  'a token that is as probable in the target as in the draft is accepted at the largest u': (parts) => {
    const random = always(LARGEST, parts);
    return parts.accepts(dense(0.3, 0.7), sample(dense(0.3, 0.7), random, AT), random, AT);
  },
  'a weight of 1 is accepted at the largest u': (parts) => always(LARGEST, parts).accept(0.3, 0.3, AT),
  'two equal distributions have a residual that sums to 1': (parts) =>
    sumsToOne(parts.residual(dense(0.3, 0.7), dense(0.3, 0.7))),
  'a draft that is larger everywhere by rounding leaves a residual that sums to 1': (parts) =>
    sumsToOne(parts.residual(dense(0.3, 0.7), dense(0.3 + 1e-16, 0.7 + 2e-16))),
};

async function violated(changes: Partial<Numbers>): Promise<Finding> {
  const broken = Object.keys(BOUNDS).filter((name) => !BOUNDS[name]({ ...shipped, ...changes }));
  return { value: broken.length, example: broken.length > 0 ? `broken: ${broken[0]}` : 'none is broken' };
}

const cumulative = (law: Distribution, passes: (u: number, sum: number) => boolean, end: number) => (u: number) => {
  let sum = 0;
  const found = law.probabilities.findIndex((share) => {
    sum += share;
    return passes(u, sum);
  });
  return found < 0 ? end : found;
};

export const NUMBERS: Family = {
  check: `numbers at their bounds (${Object.keys(BOUNDS).length} cases)`,
  unit: 'cases broken',
  limit: 0,
  caught: 0,
  shipped: async () => (await violated({})).value,
  mutants: [
    {
      name: 'accepts when u · draft ≤ target, so a token of probability zero at u = 0',
      measure: () =>
        violated({
          accepts: (target, draw, random, at) => !random.accept(0, 1, at) || accepts(target, draw, random, at),
        }),
    },
    {
      name: 'inverts with u ≤ cumulative, so a first token of probability zero at u = 0',
      measure: () => violated({ inverse: (law, u) => cumulative(law, (x, sum) => x <= sum, 0)(u) }),
    },
    {
      name: 'gives the last token, mass or none, when the inverse runs off the end',
      measure: () =>
        violated({ inverse: (law, u) => cumulative(law, (x, sum) => x < sum, law.probabilities.length - 1)(u) }),
    },
    {
      name: 'gives −1 when the inverse runs off the end',
      measure: () => violated({ inverse: (law, u) => cumulative(law, (x, sum) => x < sum, -1)(u) }),
    },
    {
      name: 'divides a residual without mass by its sum, zero',
      measure: () =>
        violated({
          residual: (target, draft) => {
            const left = target.probabilities.map((share, i) => Math.max(0, share - draft.probabilities[i]));
            const sum = left.reduce((a, b) => a + b, 0);
            return { ...target, probabilities: left.map((share) => share / sum) };
          },
        }),
    },
    { name: 'rounds its numbers to float32, so that one may be 1', measure: () => violated({ number: Math.fround }) },
  ],
};
