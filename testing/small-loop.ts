import {
  chain,
  type Distribution,
  type Draw,
  distributionOf,
  type Position,
  type Processing,
  type Proposal,
  type Random,
  sample,
  type Verdict,
  verifyBlock,
  verifyTokens,
} from '../decoding';
import { SOURCE } from './exactness';
import type { TableOptions } from './table-model';

/** What verification decides about a chain. */
export interface ChainVerdict {
  /** How many tokens of the chain are accepted. */
  readonly accepted: number;
  readonly next: Draw;
}

export type Verify = (
  proposal: readonly Draw[],
  targets: readonly Distribution[],
  random: Random,
  at: Position,
) => ChainVerdict;

/** A shipped verification of proposals, applied to a chain of draws. */
export function onChain(
  verify: (proposal: Proposal, targets: readonly Distribution[], random: Random, at: Position) => Verdict,
): Verify {
  return (draws, targets, random, at) => {
    const { path, next } = verify(chain(draws), targets, random, at);
    return { accepted: path.length, next };
  };
}

/** A pair of models, and the settings to decode with. */
export interface World {
  readonly target: TableOptions;
  readonly draft: TableOptions;
  readonly processing: Processing;
  readonly maxNewTokens: number;
  readonly gamma: number;
}

/** One round at its start. */
export interface Round {
  /** Decoder ids so far, start token first. */
  readonly ids: readonly number[];
  readonly at: Position;
  readonly gamma: number;
  readonly random: Random;
  readonly world: World;
}

/** The steps of a round; a record, so that each can be replaced by a known-wrong one. */
export interface Steps {
  readonly gamma: (world: World, done: number) => number;
  readonly draftLaw: (world: World, ids: readonly number[]) => Distribution;
  /** @param row 0 for the round's first row */
  readonly targetLaw: (world: World, ids: readonly number[], row: number) => Distribution;
  readonly propose: (steps: Steps, round: Round) => Draw[];
  readonly verify: Verify;
  /** Runs a whole round. Returns its tokens, before `cut`. */
  readonly round: (steps: Steps, round: Round) => number[];
  /** How many of a round's tokens come out. */
  readonly cut: (world: World, ids: readonly number[], tokens: readonly number[]) => number;
  /** Whether the text ends after this round. */
  readonly ended: (world: World, ids: readonly number[]) => boolean;
}

/** The law after `ids`. A known-wrong loop can let the rules see other ids. */
export function law(
  table: TableOptions,
  ids: readonly number[],
  { processing, maxNewTokens }: Pick<World, 'processing' | 'maxNewTokens'>,
  seen = ids,
): Distribution {
  const context = { ids: seen, eosTokens: table.eosTokens ?? [], source: SOURCE, maxNewTokens };
  return distributionOf(table.logits(ids, []), context, processing);
}

const isEnd = (world: World, token: number) => (world.target.eosTokens ?? []).includes(token);

/** The steps of `generate`, on tables in place of models. */
export const exactSteps: Steps = {
  gamma: (world, done) => Math.min(world.gamma, world.maxNewTokens - done - 1),
  draftLaw: (world, ids) => law(world.draft, ids, world),
  targetLaw: (world, ids) => law(world.target, ids, world),
  propose: (steps, { ids, at, gamma, random, world }) => {
    const proposal: Draw[] = [];
    const prefix = [...ids];
    while (proposal.length < gamma) {
      const here = { ...at, position: prefix.length, purpose: 'propose' as const };
      const draw = sample(steps.draftLaw(world, prefix), random, here);
      proposal.push(draw);
      prefix.push(draw.token);
      if (isEnd(world, draw.token)) break;
    }
    return proposal;
  },
  verify: onChain(verifyTokens),
  round: (steps, round) => {
    const { ids, world, random, at } = round;
    const proposal = steps.propose(steps, round);
    const drafted = proposal.map((draw) => draw.token);
    const targets = [...drafted, -1].map((_, row) => steps.targetLaw(world, [...ids, ...drafted.slice(0, row)], row));
    const { accepted, next } = steps.verify(proposal, targets, random, at);
    return [...drafted.slice(0, accepted), next.token];
  },
  cut: (world, ids, tokens) => {
    const end = tokens.findIndex((token) => isEnd(world, token));
    return Math.min(end < 0 ? tokens.length : end + 1, world.maxNewTokens - ids.length + 1);
  },
  ended: (world, ids) => ids.length > world.maxNewTokens || isEnd(world, ids[ids.length - 1]),
};

export const exactBlockSteps: Steps = { ...exactSteps, verify: onChain(verifyBlock) };

/**
 * Speculative sampling in its simplest form. With the exact steps it gives the text of `generate` for every seed. A spec checks
 * that, so that a wrong step here means the same wrong step in `generate`.
 */
export function smallLoop(world: World, random: Random, steps: Steps = exactSteps): number[] {
  const ids = [0];
  for (let round = 0; ; round++) {
    const at = { sequence: 'main', round, position: ids.length };
    const gamma = steps.gamma(world, ids.length - 1);
    const tokens = steps.round(steps, { ids, at, gamma, random, world });
    ids.push(...tokens.slice(0, steps.cut(world, ids, tokens)));
    if (steps.ended(world, ids)) return ids.slice(1);
  }
}
