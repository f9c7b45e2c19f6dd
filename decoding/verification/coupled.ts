import { childrenOf, type Proposal, ROOT } from '../proposal';
import type { Distribution } from '../sampling/distribution';
import { race } from '../sampling/draw';
import type { Position, Random } from '../sampling/random';
import type { Verdict } from './token';

/**
 * Drafter-invariant verification (Daliri, Musco and Suresh 2024). At each position every token has one exponential number, and
 * draft and target both choose by these numbers. The target's choice comes out, whether or not the draft proposed it. So the
 * seed fixes the text, whatever the draft or γ. The numbers belong to the position alone; the round is left out on purpose,
 * here and nowhere else.
 *
 * @param targets the target's distribution before the tree and after each proposed token, [proposal.length + 1]
 * @throws DecodingError `no-token-left`
 */
export function verifyCoupled(
  proposal: Proposal,
  targets: readonly Distribution[],
  random: Random,
  at: Omit<Position, 'round'>,
): Verdict {
  const path: number[] = [];
  for (let last = ROOT; ; last = path[path.length - 1]) {
    const here = { sequence: at.sequence, position: at.position + path.length };
    const next = race(targets[last + 1], random, here);
    const proposed = childrenOf(proposal, last).find((child) => proposal[child].draw.token === next.token);
    if (proposed === undefined) return { path, next };
    path.push(proposed);
  }
}
