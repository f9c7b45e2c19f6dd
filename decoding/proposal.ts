import type { Draw } from './sampling/draw';

/** A token that the draft proposes. */
export interface ProposedToken {
  /** The token, with the distribution that it was drawn from. */
  readonly draw: Draw;
  /** Index in the proposal of the token that this one follows, or `ROOT` when it follows the last certain token. */
  readonly parent: number;
}

/**
 * What a draft proposes in one round: a tree of tokens, as a list. A parent comes before its children, and siblings come in
 * the order in which they were drawn. A chain, which is what the paper's Algorithm 1 proposes, is a tree without branches:
 * each token's parent is the token before it.
 */
export type Proposal = readonly ProposedToken[];

/** The parent of tokens that come first. */
export const ROOT = -1;

/** The proposal in which each token follows the one before it. */
export function chain(draws: readonly Draw[]): Proposal {
  return draws.map((draw, i) => ({ draw, parent: i - 1 }));
}

export function isChain(proposal: Proposal): boolean {
  return proposal.every(({ parent }, i) => parent === i - 1);
}

/** Indices of the tokens that follow one token, or of the first tokens for `ROOT`. */
export function childrenOf(proposal: Proposal, parent: number): number[] {
  return proposal.flatMap((token, i) => (token.parent === parent ? [i] : []));
}

/** What was drawn for the position after one token, or for the first position with `ROOT`. */
export function drawsAfter(proposal: Proposal, parent: number): Draw[] {
  return childrenOf(proposal, parent).map((child) => proposal[child].draw);
}

/** Token ids from the first proposed position down to a token, which is included; none for `ROOT`. */
export function tokensTo(proposal: Proposal, index: number): number[] {
  const tokens: number[] = [];
  for (let i = index; i !== ROOT; i = proposal[i].parent) tokens.unshift(proposal[i].draw.token);
  return tokens;
}

/** Number of positions that a proposal reaches: γ for a whole chain. */
export function depthOf(proposal: readonly Pick<ProposedToken, 'parent'>[]): number {
  const depths: number[] = [];
  for (const { parent } of proposal) depths.push(parent === ROOT ? 1 : depths[parent] + 1);
  return depths.reduce((deepest, depth) => Math.max(deepest, depth), 0);
}
