import type { Proposal } from '../proposal';
import { type Distribution, probabilityOf, residualOf } from '../sampling/distribution';
import { type Draw, sample } from '../sampling/draw';
import type { Address, Position, Random } from '../sampling/random';

/** What verification decides about a proposal. */
export interface Verdict {
  /** Indices of the accepted tokens of the proposal, each the parent of the next. */
  readonly path: readonly number[];
  /** The token after them: it corrects the first rejected token, or is the free one when no token was rejected. */
  readonly next: Draw;
}

/** The two halves of the paper's rule; a record, so that specs can put known-wrong ones in their place. */
export interface TokenRule {
  readonly accepts: (target: Distribution, draft: Draw, random: Random, at: Address) => boolean;
  readonly residual: (target: Distribution, draft: Distribution) => Distribution;
}

/** Accepts draft token x with probability min(1, target(x) / draft(x)) (Leviathan et al. 2023, Algorithm 1). */
export function accepts(target: Distribution, draft: Draw, random: Random, at: Address): boolean {
  const inTarget = probabilityOf(target, draft.token);
  const inDraft = probabilityOf(draft.distribution, draft.token);
  if (inTarget >= inDraft) return inTarget > 0;
  return random.accept(inTarget, inDraft, at);
}

/** max(0, target − draft), normalised: what a rejected token is replaced from. */
export function residual(target: Distribution, draft: Distribution): Distribution {
  return residualOf(target, draft);
}

export const PAPERS_RULE: TokenRule = { accepts, residual };

/**
 * Token verification (Leviathan et al. 2023, Algorithm 1): goes along the proposed chain until the first rejection.
 *
 * @param proposal a chain
 * @param targets the target's distribution at each proposed position and after the last one, [γ + 1]
 * @throws DecodingError `no-token-left`
 */
export function verifyTokens(
  proposal: Proposal,
  targets: readonly Distribution[],
  random: Random,
  at: Position,
  rule: TokenRule = PAPERS_RULE,
): Verdict {
  const path: number[] = [];
  for (const [i, { draw }] of proposal.entries()) {
    const here = { ...at, position: at.position + i };
    if (rule.accepts(targets[i], draw, random, { ...here, purpose: 'accept' })) {
      path.push(i);
      continue;
    }
    const rest = rule.residual(targets[i], draw.distribution);
    return { path, next: sample(rest, random, { ...here, purpose: 'correct' }) };
  }
  const end = { ...at, position: at.position + path.length };
  return { path, next: sample(targets[path.length], random, { ...end, purpose: 'bonus' }) };
}
