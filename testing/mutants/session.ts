import { type Draw, distributionOf, normalised, type Processing, residual, sample, verifyTokens } from '../../decoding';
import { exactBlockSteps, exactSteps, onChain, type Steps, type World } from '../small-loop';
import { type Family, textDistance, worstOf } from './family';

const PROCESSED: Partial<World> = { processing: { temperature: 0.6, topK: 2 } };
const PENALISED: Partial<World> = { processing: { temperature: 1, repetitionPenalty: 2.5 } };
const verifyChain = onChain(verifyTokens);

/** Long enough for several rounds, and for an end or the length limit inside a round. */
const LONG: Partial<World> = { gamma: 3, maxNewTokens: 4 };

const raw = ({ target }: World, ids: readonly number[], processing: Processing = { temperature: 1 }) =>
  distributionOf(target.logits(ids, []), { ids, eosTokens: [] }, processing);

const wrong = (name: string, changes: Partial<Steps>, world: Partial<World> = {}) => ({
  name,
  measure: () => textDistance({ ...exactSteps, ...changes }, world),
});

const drawn = (draw: Draw, token: number): Draw => ({ ...draw, token });

export const SESSION: Family = {
  check: 'enumeration of texts, the loop',
  unit: 'total variation',
  limit: 1e-12,
  caught: 1e-3,
  shipped: async () => {
    const worlds = [{}, PROCESSED, PENALISED, LONG];
    const found = worlds.flatMap((world) => [textDistance(exactSteps, world), textDistance(exactBlockSteps, world)]);
    return worstOf(await Promise.all(found)).value;
  },
  mutants: [
    wrong('looks for EOS in the last token of a round only', {
      cut: (world, ids, tokens) => Math.min(tokens.length, world.maxNewTokens - ids.length + 1),
    }),
    wrong('hands out more than maxNewTokens', {
      gamma: (world) => world.gamma,
      cut: (world, ids, tokens) => exactSteps.cut({ ...world, maxNewTokens: Number.POSITIVE_INFINITY }, ids, tokens),
    }),
    wrong('counts an end within a run, but keeps the tokens after it', {
      cut: (_, __, tokens) => tokens.length,
      ended: (world, ids) =>
        ids.length > world.maxNewTokens || ids.slice(1).some((token) => world.target.eosTokens?.includes(token)),
    }),
    wrong('processes the draft only', { targetLaw: (world, ids) => raw(world, ids) }, PROCESSED),
    wrong(
      'processes the first row of a round only',
      {
        targetLaw: (world, ids, row) => (row === 0 ? exactSteps.targetLaw(world, ids, row) : raw(world, ids)),
      },
      PROCESSED,
    ),
    wrong(
      'processes every row with the ids of the first',
      {
        targetLaw: (world, ids, row) => {
          const context = { ids: ids.slice(0, ids.length - row), eosTokens: world.target.eosTokens ?? [] };
          return distributionOf(world.target.logits(ids, []), context, world.processing);
        },
      },
      PENALISED,
    ),
    wrong('draws the free token from the row before', {
      verify: (proposal, targets, random, at) => {
        const shifted = proposal.length > 0 ? [...targets.slice(0, -1), targets[targets.length - 2]] : targets;
        return verifyChain(proposal, shifted, random, at);
      },
    }),
    wrong('judges each token by the row after it', {
      verify: (proposal, targets, random, at) => {
        const shifted = [...targets.slice(1), targets[targets.length - 1]];
        return verifyChain(proposal, shifted, random, at);
      },
    }),
    wrong('draws the free token from the last draft distribution', {
      verify: (proposal, targets, random, at) => {
        const last = proposal[proposal.length - 1];
        const ends = last ? [...targets.slice(0, -1), last.distribution] : targets;
        return verifyChain(proposal, ends, random, at);
      },
    }),
    wrong('corrects the free token as if it had been rejected', {
      verify: (proposal, targets, random, at) => {
        const last = proposal[proposal.length - 1];
        const ends = last ? [...targets.slice(0, -1), residual(targets[proposal.length], last.distribution)] : targets;
        return verifyChain(proposal, ends, random, at);
      },
    }),
    wrong('corrects at the place after the rejected token', {
      verify: (proposal, targets, random, at) => {
        const verdict = verifyChain(proposal, targets, random, at);
        const rejected = proposal[verdict.accepted];
        if (!rejected) return verdict;
        const left = residual(targets[verdict.accepted + 1], rejected.distribution);
        const position = at.position + verdict.accepted;
        return { ...verdict, next: sample(left, random, { ...at, position, purpose: 'correct' }) };
      },
    }),
    wrong('does a round again, with γ = 1, when nothing of it stood', {
      round: (steps, round) => {
        const proposal = steps.propose(steps, round);
        const tokens = exactSteps.round({ ...steps, propose: () => proposal }, round);
        if (tokens.length > 1 || proposal.length < 2) return tokens;
        return exactSteps.round(steps, { ...round, gamma: 1, at: { ...round.at, sequence: 'again' } });
      },
    }),
    wrong('chooses γ by what this round would accept', {
      round: (steps, round) => {
        const proposal = steps.propose(steps, round);
        const kept = exactSteps.round({ ...steps, propose: () => proposal }, round).length - 1;
        const again = { ...round, at: { ...round.at, sequence: 'again' } };
        const certain: Steps['verify'] = (draws, targets, random, at) => {
          const { position } = at;
          const end = { ...at, position: position + draws.length, purpose: 'bonus' as const };
          return { accepted: draws.length, next: sample(targets[draws.length], random, end) };
        };
        return exactSteps.round({ ...steps, propose: () => proposal.slice(0, kept), verify: certain }, again);
      },
    }),
    wrong('keeps the draft from ending, and scores it as if it could', {
      propose: (steps, round) => {
        const { ids, random, world } = round;
        const law = steps.draftLaw(world, ids);
        const open = normalised(
          law,
          law.probabilities.map((share, token) => (token === 1 ? 0 : share)),
        );
        if (!open || round.gamma === 0) return [];
        const { token } = sample(open, random, { ...round.at, purpose: 'propose' });
        const claimed = sample(law, { ...random, categorical: () => token }, { ...round.at, purpose: 'propose' });
        return [drawn(claimed, token)];
      },
    }),
    wrong('takes the most probable token of every free draw', {
      verify: (proposal, targets, random, at) => {
        const verdict = verifyChain(proposal, targets, random, at);
        if (verdict.accepted < proposal.length) return verdict;
        const { probabilities } = targets[proposal.length];
        return { ...verdict, next: drawn(verdict.next, probabilities.indexOf(Math.max(...probabilities))) };
      },
    }),
  ],
};
