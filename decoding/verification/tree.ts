import { childrenOf, type Proposal, ROOT } from '../proposal';
import { type Distribution, probabilityOf } from '../sampling/distribution';
import { type Draw, sample, siblingAddress } from '../sampling/draw';
import type { Position, Random } from '../sampling/random';
import { PAPERS_RULE, residual, type TokenRule, type Verdict } from './token';

/** What recursive rejection decides about the tokens drawn for one position. */
export interface SiblingVerdict {
  /** Index of the accepted token among them; −1 when all were rejected. */
  readonly accepted: number;
  /** What the next token is drawn from when all were rejected. */
  readonly rest: Distribution;
}

/**
 * Recursive rejection (Jeon et al. 2024, theorem 3.1). Sibling i is accepted with probability min(1, targetᵢ / draftᵢ), where
 * draftᵢ is the draft's distribution without the siblings before it. After a rejection, targetᵢ₊₁ = max(0, targetᵢ − draftᵢ),
 * normalised, judges the next one. The token that comes out has exactly the target's distribution. With one sibling this is
 * the rule of token verification.
 */
export function verifySiblings(
  siblings: readonly Draw[],
  target: Distribution,
  random: Random,
  at: Position,
  rule: TokenRule = PAPERS_RULE,
): SiblingVerdict {
  let rest = target;
  for (const [i, draw] of siblings.entries()) {
    const accepted = rule.accepts(rest, draw, random, { ...siblingAddress(at, i), purpose: 'accept' });
    if (accepted) return { accepted: i, rest };
    rest = rule.residual(rest, draw.distribution);
  }
  return { accepted: -1, rest };
}

/**
 * Verifies a tree: goes down from its root, one token at a time, until all siblings are rejected or a leaf is reached.
 *
 * @param targets the target's distribution before the tree and after each proposed token, [proposal.length + 1]
 * @throws DecodingError `no-token-left`
 */
export function verifyTree(
  proposal: Proposal,
  targets: readonly Distribution[],
  random: Random,
  at: Position,
  rule: TokenRule = PAPERS_RULE,
): Verdict {
  const path: number[] = [];
  for (let last = ROOT; ; last = path[path.length - 1]) {
    const here = { ...at, position: at.position + path.length };
    const children = childrenOf(proposal, last);
    const siblings = children.map((child) => proposal[child].draw);
    const { accepted, rest } = verifySiblings(siblings, targets[last + 1], random, here, rule);
    if (accepted < 0) {
      const purpose = children.length > 0 ? 'correct' : 'bonus';
      return { path, next: sample(rest, random, { ...here, purpose }) };
    }
    path.push(children[accepted]);
  }
}

/**
 * Probability that recursive rejection accepts one of these siblings, given which tokens were drawn:
 * 1 − Π (1 − min(1, targetᵢ(xᵢ) / draftᵢ(xᵢ))).
 */
export function siblingAcceptance(siblings: readonly Draw[], target: Distribution): number {
  let rejected = 1;
  let rest = target;
  for (const { token, distribution } of siblings) {
    const chance = Math.min(1, probabilityOf(rest, token) / probabilityOf(distribution, token));
    if (chance === 1) return 1;
    rejected *= 1 - chance;
    rest = residual(rest, distribution);
  }
  return 1 - rejected;
}
