import type { Verdict } from './acceptance';
import { type Distribution, type Draw, race } from './distribution';
import type { Random } from './random';

/**
 * Drafter-invariant verification (Daliri, Musco and Suresh 2024): at each position one exponential number a token, shared by
 * draft and target, decides for both; the target's choice comes out whether the draft hit it or not. Same seed, same text,
 * whatever the draft or γ. The numbers belong to the position alone: here, and only here, the round stays out on purpose.
 */
export function verifyCoupled(
  proposal: readonly Draw[],
  targets: readonly Distribution[],
  random: Random,
  at: { readonly stream: string; readonly position: number },
): Verdict {
  for (let i = 0; ; i++) {
    const next = race(targets[i], random, { stream: at.stream, position: at.position + i });
    if (i === proposal.length || proposal[i].token !== next.token) return { accepted: i, next };
  }
}
