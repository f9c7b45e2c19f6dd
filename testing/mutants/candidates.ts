import {
  accepts,
  type Distribution,
  type Draw,
  type Position,
  probabilityOf,
  type Random,
  residual,
  sample,
  sampleWithoutReplacement,
  verifySiblings,
} from '../../decoding';
import { enumerate } from '../enumerator';
import { seeded } from '../seeded';
import { distanceFinding, type Family, type Finding, worstOf } from './family';

/** One position with several proposed tokens: how they are drawn and how they are judged. */
interface SiblingSteps {
  readonly draw: (draft: Distribution, count: number, random: Random) => Draw[];
  /** The token that comes out. */
  readonly judge: (candidates: readonly Draw[], target: Distribution, random: Random) => number;
}

const AT: Position = { sequence: 'place', round: 0, position: 1 };
const numbered = (candidate: number): Position => ({ ...AT, sequence: `place#${candidate}` });
const corrected = (left: Distribution, random: Random) => sample(left, random, { ...AT, purpose: 'correct' }).token;

const shipped: SiblingSteps = {
  draw: (draft, count, random) => sampleWithoutReplacement(draft, count, random, AT),
  judge: (candidates, target, random) => {
    const { accepted, rest } = verifySiblings(candidates, target, random, AT);
    return accepted < 0 ? corrected(rest, random) : candidates[accepted].token;
  },
};

const dense = (weights: readonly number[]): Distribution => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const probabilities = Float64Array.from(weights, (weight) => weight / total);
  return { vocabulary: weights.length, tokens: null, probabilities };
};

/** The largest total variation between the token that comes out and the target, over six pairs of distributions of four tokens. */
async function distance(place: SiblingSteps, count = 2): Promise<Finding> {
  const findings: Finding[] = [];
  for (let seed = 1; seed <= 6; seed++) {
    const random = seeded(seed);
    const [target, draft] = [0, 1].map(() => dense(Array.from({ length: 4 }, () => random() ** 2 + 0.02)));
    const tokens = await enumerate(async (numbers) =>
      String(place.judge(place.draw(draft, count, numbers), target, numbers)),
    );
    const wanted = new Map([...target.probabilities].map((share, token) => [String(token), share]));
    findings.push(distanceFinding(tokens, wanted, `distributions ${seed}`));
  }
  return worstOf(findings);
}

type Rule = (left: Distribution, original: Distribution, draw: Draw) => Distribution;

/** Goes through the tokens in order, with a wrong rule for what judges a token or for what is left after a rejection. */
const judgeWith =
  (against: Rule, next: Rule = (left, _, draw) => residual(left, draw.distribution)): SiblingSteps['judge'] =>
  (candidates, target, random) => {
    let left = target;
    for (const [i, draw] of candidates.entries()) {
      const at = { ...numbered(i), purpose: 'accept' as const };
      if (accepts(against(left, target, draw), draw, random, at)) return draw.token;
      left = next(left, target, draw);
    }
    return corrected(left, random);
  };

const claim = (draw: Draw, distribution: Distribution): Draw => ({ ...draw, distribution });

/** The distribution without these tokens' mass, not normalised again. */
const robbed = (draft: Distribution, tokens: readonly number[]): Distribution => ({
  ...draft,
  probabilities: draft.probabilities.map((share, token) => (tokens.includes(token) ? 0 : share)),
});

const independent: SiblingSteps['draw'] = (draft, count, random) =>
  Array.from({ length: count }, (_, i) => sample(draft, random, { ...numbered(i), purpose: 'propose' }));

const wrong = (name: string, changes: Partial<SiblingSteps>, count?: number) => ({
  name: `several candidates that ${name}`,
  measure: () => distance({ ...shipped, ...changes }, count),
});

export const CANDIDATES: Family = {
  check: 'enumeration of a place, 2 or 3 candidates',
  unit: 'total variation',
  limit: 1e-12,
  caught: 1e-3,
  shipped: async () => {
    const plain = { ...shipped, judge: judgeWith((left) => left) };
    return worstOf([await distance(shipped), await distance(shipped, 3), await distance(plain, 3)]).value;
  },
  mutants: [
    wrong('do not take from the target what a refused one was given', {
      judge: judgeWith(
        (left) => left,
        (_, target) => target,
      ),
    }),
    wrong('are each judged against the original target', { judge: judgeWith((_, target) => target) }),
    wrong('leave what the last refused one leaves of the original target', {
      judge: judgeWith(
        (left) => left,
        (_, target, draw) => residual(target, draw.distribution),
      ),
    }),
    wrong('are scored by the draft with the earlier ones still in it', {
      draw: (draft, count, random) => shipped.draw(draft, count, random).map((draw) => claim(draw, draft)),
    }),
    wrong('are drawn with replacement and scored as if without', {
      draw: (draft, count, random) => {
        const draws = independent(draft, count, random);
        return draws.map((draw, i) => {
          const earlier = draws.slice(0, i).map(({ token }) => token);
          const rest = robbed(draft, earlier).probabilities;
          return earlier.includes(draw.token) ? draw : claim(draw, dense([...rest]));
        });
      },
    }),
    wrong('are the k most probable tokens, scored as if drawn', {
      draw: (draft, count, random) => {
        const order = [...draft.probabilities.keys()].sort((a, b) => draft.probabilities[b] - draft.probabilities[a]);
        return shipped.draw(draft, count, random).map((draw, i) => ({ ...draw, token: order[i] }));
      },
    }),
    wrong('are judged in the order of their probability, not as they were drawn', {
      draw: (draft, count, random) => {
        const draws = shipped.draw(draft, count, random);
        return [...draws].sort((a, b) => probabilityOf(draft, b.token) - probabilityOf(draft, a.token));
      },
    }),
    wrong('are all judged, the one that the target likes best taken', {
      judge: (candidates, target, random) => {
        let left = target;
        const standing: number[] = [];
        for (const [i, draw] of candidates.entries()) {
          if (accepts(left, draw, random, { ...numbered(i), purpose: 'accept' })) standing.push(draw.token);
          left = residual(left, draw.distribution);
        }
        if (standing.length === 0) return corrected(left, random);
        return standing.reduce((a, b) => (probabilityOf(target, b) > probabilityOf(target, a) ? b : a));
      },
    }),
    wrong('share one number to be judged by', {
      judge: (candidates, target, random) => {
        const one: Random = {
          ...random,
          accept: (weight, of, at) => random.accept(weight, of, { ...at, sequence: 'one' }),
        };
        return shipped.judge(candidates, target, one);
      },
    }),
    wrong('correct from the target after all were refused', {
      judge: (candidates, target, random) => {
        const { accepted } = verifySiblings(candidates, target, random, AT);
        return accepted < 0 ? corrected(target, random) : candidates[accepted].token;
      },
    }),
    wrong(
      'forget, at the third, what the first one took',
      {
        judge: (candidates, target, random) => {
          const [first, ...rest] = candidates;
          if (accepts(target, first, random, { ...numbered(0), purpose: 'accept' })) return first.token;
          return judgeWith(
            (left) => left,
            (_, __, draw) => residual(target, draw.distribution),
          )(rest, residual(target, first.distribution), random);
        },
      },
      3,
    ),
  ],
};
