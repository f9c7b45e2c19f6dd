import {
  type Distribution,
  type Draw,
  modelDrafter,
  type Position,
  probabilityOf,
  type Random,
  race,
  seededRandom,
  verifyCoupled,
} from '../../decoding';

import { chiSquared } from '../chi-squared';
import { finish } from '../exactness';
import { exactSteps, onChain, type Steps, smallLoop } from '../small-loop';
import { tableModel } from '../table-model';
import { type Family, type Finding, worldOf } from './family';

/** The shipped verdict about a chain. */
const shippedVerdict = onChain(verifyCoupled);

/** Steps of a coupled loop in which proposing and verifying find their numbers at these positions. */
function coupled(
  propose: (at: Position) => Position,
  verify: (at: Position) => Position = propose,
  verdict: Steps['verify'] = shippedVerdict,
): Steps {
  return {
    ...exactSteps,
    propose: (steps, { ids, at, gamma, random, world }) => {
      const proposal: Draw[] = [];
      const prefix = [...ids];
      while (proposal.length < gamma && !(proposal.length > 0 && prefix[prefix.length - 1] === 1)) {
        const here = propose({ ...at, position: prefix.length });
        const draw = race(steps.draftLaw(world, prefix), random, here);
        proposal.push(draw);
        prefix.push(draw.token);
      }
      return proposal;
    },
    verify: (proposal, targets, random, at) => verdict(proposal, targets, random, verify(at)),
  };
}

const same = (at: Position) => at;
const byRound = (at: Position) => ({ ...at, sequence: `${at.sequence}/${at.round}` });
const other = (at: Position) => ({ ...at, sequence: `${at.sequence}/draft` });
const ofRound = (random: Random, first: number): Random => ({
  ...random,
  exponential: (token, at) => random.exponential(token, { ...at, position: at.position - first }),
});

/** Accepts draft tokens by the ratio test and corrects by a race. This is exact, but a seed no longer gives one text. */
const byRatio: Steps['verify'] = (proposal, targets, random, at) => {
  for (const [i, draw] of proposal.entries()) {
    const here = { ...at, position: at.position + i };
    const [wanted, given] = [targets[i], draw.distribution].map((law) => probabilityOf(law, draw.token));
    if (!random.accept(wanted, given, { ...here, purpose: 'accept' })) {
      return { accepted: i, next: race(targets[i], random, here) };
    }
  }
  const end = { ...at, position: at.position + proposal.length };
  return { accepted: proposal.length, next: race(targets[proposal.length], random, end) };
};

const freeDraw: Steps['verify'] = (proposal, targets, random, at) => {
  const verdict = shippedVerdict(proposal, targets, random, at);
  if (verdict.accepted < proposal.length) return verdict;
  const end = { ...at, position: at.position + proposal.length, purpose: 'bonus' as const };
  return { ...verdict, next: { ...verdict.next, token: random.categorical(targets[proposal.length], end) } };
};

const SEEDS = 150;
const LONG = { gamma: 3, maxNewTokens: 8 };
const eachSeed = Array.from({ length: SEEDS }, (_, seed) => seed);

/** Share of seeds whose text with a draft differs from coupled decoding without one. */
async function changed(steps: Steps): Promise<Finding> {
  const different: string[] = [];
  for (const seed of eachSeed) {
    const world = worldOf(seed, LONG);
    const drafted = smallLoop(world, seededRandom(seed), steps).join();
    const alone = smallLoop({ ...world, gamma: 0 }, seededRandom(seed), coupled(same)).join();
    if (drafted !== alone) different.push(`seed ${seed}: '${drafted}' with the draft, '${alone}' without`);
  }
  return { value: different.length / SEEDS, example: different[0] ?? 'all texts are equal' };
}

async function shippedChanged(): Promise<number> {
  let different = 0;
  for (const seed of eachSeed) {
    const { target, draft, processing, ...rest } = worldOf(seed, LONG);
    const settings = { ...processing, ...rest, seed, verification: 'coupled' as const };
    const model = tableModel(target);
    const drafted = await finish({ target: model, drafter: modelDrafter(tableModel(draft)), source: [1], settings });
    const alone = smallLoop({ ...worldOf(seed, LONG), gamma: 0 }, seededRandom(seed), coupled(same));
    if (drafted.ids.join() !== alone.join()) different++;
  }
  return different / SEEDS;
}

export const COUPLED_TEXT: Family = {
  check: `one text for a seed, coupled (${SEEDS} seeds)`,
  unit: 'share of other texts',
  limit: 0,
  caught: 0.05,
  shipped: async () => Math.max(await shippedChanged(), (await changed(coupled(same))).value),
  mutants: [
    { name: 'coupling with numbers that include the round', measure: () => changed(coupled(byRound)) },
    {
      name: 'coupling with numbers that begin again in every round',
      measure: () =>
        changed({
          ...coupled(same),
          round: (steps, round) =>
            exactSteps.round(steps, { ...round, random: ofRound(round.random, round.ids.length) }),
        }),
    },
    { name: 'coupling that accepts by the ratio test', measure: () => changed(coupled(same, same, byRatio)) },
    {
      name: 'coupling that draws the free token by another number',
      measure: () => changed(coupled(same, same, freeDraw)),
    },
  ],
};

/** Share of proposals that are rejected over the seeds, with the target itself as the draft. */
async function refused(steps: Steps): Promise<Finding> {
  let [proposed, accepted] = [0, 0];
  const counted: Steps = {
    ...steps,
    verify: (proposal, targets, random, at) => {
      const verdict = steps.verify(proposal, targets, random, at);
      proposed += proposal.length;
      accepted += verdict.accepted;
      return verdict;
    },
  };
  for (const seed of eachSeed) {
    const world = worldOf(seed, LONG);
    smallLoop({ ...world, draft: world.target }, seededRandom(seed), counted);
  }
  const example = `${proposed - accepted} of ${proposed} tokens that the target itself proposed are refused`;
  return { value: 1 - accepted / proposed, example };
}

async function shippedRefused(): Promise<number> {
  let [proposed, accepted] = [0, 0];
  for (const seed of eachSeed) {
    const { target, processing, gamma, maxNewTokens } = worldOf(seed, LONG);
    const settings = { ...processing, gamma, maxNewTokens, seed, verification: 'coupled' as const };
    const model = tableModel(target);
    const { metrics } = await finish({ target: model, drafter: modelDrafter(model), source: [1], settings });
    proposed += metrics.proposed;
    accepted += metrics.accepted;
  }
  return 1 - accepted / proposed;
}

export const COUPLED_DRAFT: Family = {
  check: 'a draft that is the target stands whole, coupled',
  unit: 'share refused',
  limit: 0,
  caught: 0.05,
  shipped: async () => Math.max(await shippedRefused(), (await refused(coupled(same))).value),
  mutants: [
    { name: 'coupling whose draft has numbers of its own', measure: () => refused(coupled(other, same)) },
    {
      name: 'coupling whose draft counts positions from the round',
      measure: () => refused(coupled((at) => ({ ...at, position: at.position + at.round }), same)),
    },
  ],
};

type Race = (law: Distribution, random: Random, position: number) => number;

/** χ² of 6,000 winners over its critical value at level 0.005. */
async function unlawful(winner: Race): Promise<Finding> {
  const probabilities = Float64Array.of(0.5, 0.3, 0.15, 0.05);
  const law = { vocabulary: 4, tokens: null, probabilities };
  const counts = new Map<string, number>();
  const random = seededRandom(7);
  for (let position = 0; position < 6000; position++) {
    const token = String(winner(law, random, position));
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  const { statistic, critical } = chiSquared(counts, new Map([...probabilities].map((p, token) => [String(token), p])));
  const first = (counts.get('0') ?? 0) / 6000;
  const example = `token 0 of probability ${probabilities[0]} wins ${first.toFixed(3)} of 6,000 races`;
  return { value: statistic / critical, example };
}

const bestBy = (law: Distribution, score: (probability: number, token: number) => number) => {
  const scores = Array.from(law.probabilities, score);
  return scores.indexOf(Math.max(...scores));
};
const place = (position: number) => ({ sequence: 'main', position });

export const RACE: Family = {
  check: 'the winner of a race has its law (χ², level 0.005)',
  unit: 'χ² / critical value',
  limit: 1,
  caught: 1,
  shipped: async () => (await unlawful((law, random, position) => race(law, random, place(position)).token)).value,
  mutants: [
    {
      name: 'a race run on log probability + exponential',
      measure: () =>
        unlawful((law, random, at) => bestBy(law, (p, token) => Math.log(p) + random.exponential(token, place(at)))),
    },
    {
      name: 'a race run on probability × uniform',
      measure: () =>
        unlawful((law, random, at) => bestBy(law, (p, token) => p * Math.exp(-random.exponential(token, place(at))))),
    },
    {
      name: 'a race with one number for all tokens',
      measure: () => unlawful((law, random, at) => bestBy(law, (p) => p / random.exponential(0, place(at)))),
    },
  ],
};
