import { exactParts, type SamplerParts, type Verdict, verifyTokens } from './acceptance';
import { verifyBlock } from './block';
import {
  type Candidate,
  childrenOf,
  drawWithoutReplacement,
  isChain,
  type Spot,
  standing,
  type TreeVerdict,
  verifyTree,
} from './candidates';
import { verifyCoupled } from './coupled';
import { type Distribution, type Draw, mostProbable, overlap, raceOf } from './distribution';
import { lenientOverlap, lenientProcessing, verifyLeniently } from './lenience';
import type { Random } from './random';
import type { Processing, Settings } from './settings';

/** One way of verifying, with the ways of drawing and scoring that belong to it. */
export interface Verifier {
  /** False when the text is not distributed as the target's own. */
  readonly exact: boolean;
  /** What the target's rows go through, and what a draft's. */
  readonly processing: Processing;
  readonly drafting: Processing;
  /** Draws up to `count` different proposals for one place. */
  draw(distribution: Distribution, count: number, at: Spot): Draw[];
  /** @param targets the target's distribution before the tree and after each candidate, [candidates + 1] */
  verify(tree: readonly Candidate[], targets: readonly Distribution[], at: Spot): TreeVerdict;
  /** Probability that one of the candidates at a place stands. */
  standing(candidates: readonly Draw[], target: Distribution): number;
}

/** The verifier that settings name. */
export function verifierOf(settings: Settings, random: Random, parts: SamplerParts = exactParts): Verifier {
  const { verification = 'token', lenience = 1, temperature = 0, branching } = settings;
  const token: Verifier = {
    exact: true,
    processing: settings,
    drafting: settings,
    draw: (distribution, count, at) => drawWithoutReplacement(distribution, count, random, at),
    verify: (tree, targets, at) => {
      if (!isChain(tree)) return verifyTree(tree, targets, random, at, parts);
      return along(verifyTokens(drawsOf(tree), targets, random, at, parts));
    },
    standing: (candidates, target) => {
      return candidates.length === 1 ? overlap(target, candidates[0].distribution) : standing(candidates, target);
    },
  };
  // The most probable tokens, each proposed for certain: which is as exact, and all that greedy decoding can use.
  const wide = branching?.some((count) => count > 1) && temperature === 0;
  const exact: Verifier = wide
    ? {
        ...token,
        drafting: lenientProcessing(settings),
        draw: (distribution, count) => mostProbable(distribution, count),
      }
    : token;
  if (verification === 'block') {
    return { ...exact, verify: (tree, targets, at) => along(verifyBlock(drawsOf(tree), targets, random, at)) };
  }
  if (verification === 'coupled') {
    return {
      ...exact,
      draw: wide
        ? exact.draw
        : (distribution, count, { stream, position }) => raceOf(distribution, count, random, { stream, position }),
      verify: (tree, targets, at) => verifyCoupled(tree, targets, random, at),
    };
  }
  if (lenience === 1) return exact;
  const choice = { lenience, greedy: temperature === 0, random };
  return {
    ...exact,
    exact: false,
    processing: lenientProcessing(settings),
    verify: (tree, targets, at) => along(verifyLeniently(drawsOf(tree), targets, choice, at)),
    standing: ([candidate], target) => lenientOverlap(target, candidate.distribution, choice),
  };
}

const drawsOf = (tree: readonly Candidate[]): Draw[] => tree.map(({ draw }) => draw);

const along = ({ accepted, next }: Verdict): TreeVerdict => ({
  path: Array.from({ length: accepted }, (_, i) => i),
  next,
});

/** The candidates at the end of a path. */
export function drawsAfter(tree: readonly Candidate[], last: number): Draw[] {
  return childrenOf(tree, last).map((child) => tree[child].draw);
}
