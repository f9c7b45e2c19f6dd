import type { Processing } from '../processing';
import { isChain, type Proposal } from '../proposal';
import { type Distribution, overlap } from '../sampling/distribution';
import { type Draw, mostProbable, raceNumbers, raceSeveral, sampleWithoutReplacement } from '../sampling/draw';
import type { RaceNumbers } from '../sampling/race';
import type { Position, Random } from '../sampling/random';
import type { Settings } from '../settings';
import { verifyBlock } from './block';
import { verifyCoupled } from './coupled';
import { lenientOverlap, softProcessing, verifyLeniently } from './lenience';
import { PAPERS_RULE, type TokenRule, type Verdict, verifyTokens } from './token';
import { siblingAcceptance, verifyTree } from './tree';

/** A way of verifying, with the ways of drawing and of scoring that belong to it. */
export interface Verifier {
  /** False when the text does not have the target's own distribution. */
  readonly exact: boolean;
  /** How the target's logits become distributions. */
  readonly targetProcessing: Processing;
  /** How a draft's logits become distributions. */
  readonly draftProcessing: Processing;
  /** Draws up to `count` different tokens to propose for one position. */
  draw(distribution: Distribution, count: number, at: Position): Draw[];
  /**
   * Decides about a proposal.
   *
   * @param targets the target's distribution before the proposal and after each of its tokens, [proposal.length + 1]
   */
  verify(proposal: Proposal, targets: readonly Distribution[], at: Position): Verdict;
  /**
   * Probability that one of the tokens drawn for a position is accepted; the mean of these is α.
   *
   * @param wasAccepted whether one of them was. Where the probability takes long to compute, this stands for it: its mean is the same
   */
  acceptance(draws: readonly Draw[], target: Distribution, wasAccepted: boolean): number;
  /** The numbers of a place, where a race by them is all that distributions are for: the winner can then stand for a distribution. */
  numbers?(vocabulary: number, at: Position): RaceNumbers | null;
}

/** The verifier that the settings name. */
export function verifierOf(settings: Settings, random: Random, rule: TokenRule = PAPERS_RULE): Verifier {
  const { verification = 'token', lenience = 1 } = settings;
  if (lenience < 1) return lenientVerifier(settings, lenience, random);
  switch (verification) {
    case 'token':
      return tokenVerifier(settings, random, rule);
    case 'block':
      return blockVerifier(settings, random);
    case 'coupled':
      return coupledVerifier(settings, random);
  }
}

function tokenVerifier(settings: Settings, random: Random, rule: TokenRule): Verifier {
  return {
    exact: true,
    ...drawingOf(settings, (distribution, count, at) => sampleWithoutReplacement(distribution, count, random, at)),
    verify: (proposal, targets, at) =>
      isChain(proposal)
        ? verifyTokens(proposal, targets, random, at, rule)
        : verifyTree(proposal, targets, random, at, rule),
    acceptance: exactAcceptance,
  };
}

function blockVerifier(settings: Settings, random: Random): Verifier {
  return {
    exact: true,
    ...drawingOf(settings, (distribution, count, at) => sampleWithoutReplacement(distribution, count, random, at)),
    verify: (proposal, targets, at) => verifyBlock(proposal, targets, random, at),
    acceptance: exactAcceptance,
  };
}

function coupledVerifier(settings: Settings, random: Random): Verifier {
  return {
    exact: true,
    ...drawingOf(settings, (distribution, count, at) => raceSeveral(distribution, count, random, at)),
    verify: (proposal, targets, at) => verifyCoupled(proposal, targets, random, at),
    acceptance: (_draws, _target, wasAccepted) => (wasAccepted ? 1 : 0),
    numbers: (vocabulary, at) => raceNumbers(random, vocabulary, at),
  };
}

function lenientVerifier(settings: Settings, lenience: number, random: Random): Verifier {
  const choice = { lenience, greedy: (settings.temperature ?? 0) === 0, random };
  return {
    exact: false,
    targetProcessing: softProcessing(settings),
    draftProcessing: settings,
    draw: (distribution, count, at) => sampleWithoutReplacement(distribution, count, random, at),
    verify: (proposal, targets, at) => verifyLeniently(proposal, targets, choice, at),
    acceptance: ([draw], target) => lenientOverlap(target, draw.distribution, choice),
  };
}

/**
 * How tokens are drawn to be proposed. Greedy decoding with several siblings proposes the most probable tokens, each as
 * certain: that is as exact, and a one-hot draft would have only one token to propose.
 */
function drawingOf(
  settings: Settings,
  draw: Verifier['draw'],
): Pick<Verifier, 'targetProcessing' | 'draftProcessing' | 'draw'> {
  const { branching = [], temperature = 0 } = settings;
  const severalGreedy = temperature === 0 && branching.some((count) => count > 1);
  return {
    targetProcessing: settings,
    draftProcessing: severalGreedy ? softProcessing(settings) : settings,
    draw: severalGreedy ? mostProbable : draw,
  };
}

/** One draw: Σ min(target, draft) over all tokens. Several: given the tokens that were drawn. */
function exactAcceptance(draws: readonly Draw[], target: Distribution): number {
  return draws.length === 1 ? overlap(target, draws[0].distribution) : siblingAcceptance(draws, target);
}
