import { exactParts, type SamplerParts } from './acceptance';
import { type Distribution, type Draw, normalised, sample } from './distribution';
import type { Address, Random } from './random';

/** Where several numbers of one kind belong to one position. */
export type Spot = Omit<Address, 'purpose'>;

/**
 * A proposed token in a tree of proposals, which is a list with parents before children and siblings in the order they were drawn.
 */
export interface Candidate {
  readonly draw: Draw;
  /** Index of the candidate that it follows, −1 when it follows the last certain token. */
  readonly parent: number;
}

/** What verification makes of a tree. */
export interface TreeVerdict {
  /** Indices of the accepted candidates, each the parent of the next. */
  readonly path: readonly number[];
  /** Corrects where no candidate stood, or is the free one after a leaf. */
  readonly next: Draw;
}

/** A proposal without siblings. */
export function chainOf(draws: readonly Draw[]): Candidate[] {
  return draws.map((draw, i) => ({ draw, parent: i - 1 }));
}

export function isChain(tree: readonly Candidate[]): boolean {
  return tree.every(({ parent }, i) => parent === i - 1);
}

/** Indices of the candidates that follow one. */
export function childrenOf(tree: readonly Candidate[], parent: number): number[] {
  return tree.flatMap((candidate, i) => (candidate.parent === parent ? [i] : []));
}

/** Tokens from the first one after the certain ids down to a candidate; none for −1. */
export function tokensTo(tree: readonly Candidate[], candidate: number): number[] {
  const tokens: number[] = [];
  for (let i = candidate; i >= 0; i = tree[i].parent) tokens.unshift(tree[i].draw.token);
  return tokens;
}

/**
 * Draws up to `count` different tokens, each from what the earlier ones leave of the distribution, which stays attached to it.
 * Fewer come when fewer have mass.
 */
export function drawWithoutReplacement(distribution: Distribution, count: number, random: Random, at: Spot): Draw[] {
  const draws: Draw[] = [];
  let left: Distribution | null = distribution;
  while (left && draws.length < count) {
    const draw: Draw = sample(left, random, { ...numbered(at, draws.length), purpose: 'propose' });
    draws.push(draw);
    left = draws.length < count ? without(left, draw.token) : null;
  }
  return draws;
}

/** The distribution given that it is not this token; null when it could be nothing else. */
function without(distribution: Distribution, token: number): Distribution | null {
  const { tokens, probabilities } = distribution;
  const weights = probabilities.map((probability, i) => ((tokens ? tokens[i] : i) === token ? 0 : probability));
  return normalised(distribution, weights);
}

/**
 * Recursive rejection (Jeon et al. 2024, theorem 3.1): candidate i stands with probability min(1, targetᵢ / draftᵢ), where
 * draftᵢ is the draft without the candidates before it; when it falls, targetᵢ₊₁ = max(0, targetᵢ − draftᵢ), normalised, goes on
 * to the next. What is left after the last one is sampled. The token is distributed exactly as the target's, and with one
 * candidate this is the rule of token verification.
 */
export function chooseCandidate(
  candidates: readonly Draw[],
  target: Distribution,
  random: Random,
  at: Spot,
  parts: SamplerParts = exactParts,
): { readonly taken: number; readonly left: Distribution } {
  let left = target;
  for (const [i, draw] of candidates.entries()) {
    if (parts.accepts(left, draw, random, { ...numbered(at, i), purpose: 'accept' })) return { taken: i, left };
    left = parts.residual(left, draw.distribution);
  }
  return { taken: -1, left };
}

/**
 * Goes down a tree of proposals from its root, one candidate at a time, until none stands or a leaf is reached.
 *
 * @param targets the target's distribution before the tree and after each candidate, [candidates + 1]
 */
export function verifyTree(
  tree: readonly Candidate[],
  targets: readonly Distribution[],
  random: Random,
  at: Spot,
  parts: SamplerParts = exactParts,
): TreeVerdict {
  const path: number[] = [];
  for (let last = -1; ; last = path[path.length - 1]) {
    const here = { ...at, position: at.position + path.length };
    const children = childrenOf(tree, last);
    const draws = children.map((child) => tree[child].draw);
    const { taken, left } = chooseCandidate(draws, targets[last + 1], random, here, parts);
    if (taken < 0) {
      const purpose = children.length > 0 ? 'correct' : 'bonus';
      return { path, next: sample(left, random, { ...here, purpose }) };
    }
    path.push(children[taken]);
  }
}

/** Probability that one of these candidates stands, given what was drawn. */
export function standing(candidates: readonly Draw[], target: Distribution, parts: SamplerParts = exactParts): number {
  let refused = 1;
  const hears = { chance: 0 };
  const listener: Random = {
    accept: (weight, of) => {
      hears.chance = Math.min(1, weight / of);
      return false;
    },
    categorical: () => 0,
    exponential: () => 0,
  };
  let left = target;
  for (const draw of candidates) {
    hears.chance = 0;
    const at: Address = { stream: '', round: 0, position: 0, purpose: 'accept' };
    if (parts.accepts(left, draw, listener, at)) return 1;
    refused *= 1 - hears.chance;
    left = parts.residual(left, draw.distribution);
  }
  return 1 - refused;
}

/** Numbers of candidates at one position are told apart by the stream's name; the first one's are those of a lone draft. */
function numbered(at: Spot, candidate: number): Spot {
  return candidate === 0 ? at : { ...at, stream: `${at.stream}#${candidate}` };
}
