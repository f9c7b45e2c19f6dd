import { exactParts, type SamplerParts, type Verdict, verifyTokens } from './acceptance';
import { verifyBlock } from './block';
import { verifyCoupled } from './coupled';
import { type Distribution, type Draw, overlap, race, sample } from './distribution';
import { lenientOverlap, lenientProcessing, verifyLeniently } from './lenience';
import type { Address, Random } from './random';
import type { Processing, Settings } from './settings';

/** One way of verifying, with the ways of drawing and scoring that belong to it. */
export interface Verifier {
  /** False when the text is not distributed as the target's own. */
  readonly exact: boolean;
  /** What the target's rows go through. */
  readonly processing: Processing;
  /** Draws a proposed token. */
  draw(distribution: Distribution, at: Omit<Address, 'purpose'>): Draw;
  /** @param targets the target's distribution at each proposed position and after the last, [γ + 1] */
  verify(proposal: readonly Draw[], targets: readonly Distribution[], at: Omit<Address, 'purpose'>): Verdict;
  /** Probability that a draw from `draft` stands on its own. */
  overlap(target: Distribution, draft: Distribution): number;
}

/** The verifier that settings name. */
export function verifierOf(settings: Settings, random: Random, parts: SamplerParts = exactParts): Verifier {
  const { verification = 'token', lenience = 1, temperature = 0 } = settings;
  const exact: Verifier = {
    exact: true,
    processing: settings,
    draw: (distribution, at) => sample(distribution, random, { ...at, purpose: 'propose' }),
    verify: (proposal, targets, at) => verifyTokens(proposal, targets, random, at, parts),
    overlap,
  };
  if (verification === 'block') {
    return { ...exact, verify: (proposal, targets, at) => verifyBlock(proposal, targets, random, at) };
  }
  if (verification === 'coupled') {
    return {
      ...exact,
      draw: (distribution, { stream, position }) => race(distribution, random, { stream, position }),
      verify: (proposal, targets, at) => verifyCoupled(proposal, targets, random, at),
    };
  }
  if (lenience === 1) return exact;
  const choice = { lenience, greedy: temperature === 0, random };
  return {
    ...exact,
    exact: false,
    processing: lenientProcessing(settings),
    verify: (proposal, targets, at) => verifyLeniently(proposal, targets, choice, at),
    overlap: (target, draft) => lenientOverlap(target, draft, choice),
  };
}
