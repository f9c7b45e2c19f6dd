import { type Candidate, childrenOf, type TreeVerdict } from './candidates';
import { type Distribution, race } from './distribution';
import type { Random } from './random';

/**
 * Drafter-invariant verification (Daliri, Musco and Suresh 2024): at each position one exponential number a token, shared by
 * draft and target, decides for both; the target's choice comes out whether the draft hit it or not. Same seed, same text,
 * whatever the draft or γ. The numbers belong to the position alone: here, and only here, the round stays out on purpose.
 *
 * @param targets the target's distribution before the tree and after each candidate, [candidates + 1]
 */
export function verifyCoupled(
  tree: readonly Candidate[],
  targets: readonly Distribution[],
  random: Random,
  at: { readonly stream: string; readonly position: number },
): TreeVerdict {
  const path: number[] = [];
  for (let last = -1; ; last = path[path.length - 1]) {
    const next = race(targets[last + 1], random, { stream: at.stream, position: at.position + path.length });
    const hit = childrenOf(tree, last).find((child) => tree[child].draw.token === next.token);
    if (hit === undefined) return { path, next };
    path.push(hit);
  }
}
