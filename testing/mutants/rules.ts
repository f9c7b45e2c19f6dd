import type { Processing } from '../../decoding';
import { exactBlockSteps, exactSteps, law, type Steps, type World } from '../small-loop';
import { type Family, textDistance, worstOf } from './family';

/** Rules that look at the ids before a row, at the source or at the length limit, each alone. */
const RULES: Readonly<Record<string, Processing>> = {
  'biases of sequences': {
    sequenceBias: [
      [[2, 0], 2],
      [[0, 2], -2],
    ],
  },
  'n-grams of the source': { encoderNoRepeatNgramSize: 2 },
  'allowed tokens': { prefixAllowedTokens: (ids) => [ids.length % 3, ids[ids.length - 1]] },
  'the decay of length': { exponentialDecayLengthPenalty: [0, 3] },
  'a forced end': { forcedEosToken: 1 },
  'tokens that are not first': { beginSuppressTokens: [2] },
};

const worldOf = (rules: Processing): Partial<World> => ({
  processing: { temperature: 1, ...rules },
  gamma: 2,
  maxNewTokens: 3,
});

type TargetLaw = Steps['targetLaw'];

/** Rules that see the ids as they were when the round began. */
const stale: TargetLaw = (world, ids, row) => law(world.target, ids, world, ids.slice(0, ids.length - row));
/** Rules that see one id too many. */
const ahead: TargetLaw = (world, ids) => law(world.target, ids, world, [...ids, (ids[ids.length - 1] + 1) % 3]);
/** No rules for the target. */
const none: TargetLaw = (world, ids) => law(world.target, ids, { ...world, processing: { temperature: 1 } });

function wrong(name: string, rule: string, targetLaw: TargetLaw) {
  return {
    name: `${rule}: ${name}`,
    measure: () => textDistance({ ...exactSteps, targetLaw }, worldOf(RULES[rule])),
  };
}

/** Loops that let the target's rows see the wrong thing. A draft's rows may see anything: its laws go with its tokens. */
export const RULE_CONTEXT: Family = {
  check: 'enumeration of texts, rules that look at ids',
  unit: 'total variation',
  limit: 1e-12,
  caught: 1e-3,
  shipped: async () => {
    const worlds = Object.values(RULES).map(worldOf);
    const found = worlds.flatMap((world) => [textDistance(exactSteps, world), textDistance(exactBlockSteps, world)]);
    return worstOf(await Promise.all(found)).value;
  },
  mutants: Object.keys(RULES).flatMap((rule) => [
    wrong('every row of a round sees the ids of its first', rule, stale),
    wrong('a row sees one id too many', rule, ahead),
    wrong('the draft alone has the rule', rule, none),
  ]),
};
