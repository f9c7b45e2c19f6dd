import type { Proposal } from '../proposal';
import { type Distribution, excess, probabilityOf, residualOf } from '../sampling/distribution';
import { type Draw, sample } from '../sampling/draw';
import type { Position, Random } from '../sampling/random';
import type { Verdict } from './token';

/**
 * Block verification (Sun et al. 2024, algorithm 2): judges the proposal as a whole, and accepts in expectation at least as
 * many tokens as token verification does. pᵢ is the running acceptance of the first i tokens. Zᵢ is the mass that the target
 * then still wants over the draft at the next position. Prefix i is accepted with probability hᵢ when no longer prefix was:
 *
 *   p₀ = 1, pᵢ = min(1, pᵢ₋₁ · target(xᵢ) / draft(xᵢ)), Zᵢ = Σ max(0, pᵢ · target − draft), hᵢ = Zᵢ / (Zᵢ + 1 − pᵢ), h_γ = p_γ.
 *
 * @param proposal a chain
 * @param targets the target's distribution at each proposed position and after the last one, [γ + 1]
 * @throws DecodingError `no-token-left`
 */
export function verifyBlock(
  proposal: Proposal,
  targets: readonly Distribution[],
  random: Random,
  at: Position,
): Verdict {
  const gamma = proposal.length;
  const running = runningAcceptance(proposal, targets); // p, [γ + 1]
  let accepted = gamma;
  // Every prefix is tested, from the longest down: a rejection must not end the search before the shorter ones were tested.
  for (; accepted > 0; accepted--) {
    const [weight, of] = prefixAcceptance(running[accepted], targets[accepted], proposal[accepted]?.draw);
    const here = { ...at, position: at.position + accepted - 1, purpose: 'accept' as const };
    if (weight > 0 && (weight >= of || random.accept(weight, of, here))) break;
  }
  const path = Array.from({ length: accepted }, (_, i) => i);
  const next = { ...at, position: at.position + accepted };
  if (accepted === gamma) return { path, next: sample(targets[gamma], random, { ...next, purpose: 'bonus' }) };
  const rest = blockResidual(running[accepted], targets[accepted], proposal[accepted].draw.distribution);
  return { path, next: sample(rest, random, { ...next, purpose: 'correct' }) };
}

/** pᵢ for i = 0 … γ. */
function runningAcceptance(proposal: Proposal, targets: readonly Distribution[]): Float64Array {
  const running = new Float64Array(proposal.length + 1).fill(1);
  for (const [i, { draw }] of proposal.entries()) {
    const ratio = probabilityOf(targets[i], draw.token) / probabilityOf(draw.distribution, draw.token);
    running[i + 1] = Math.min(1, running[i] * ratio);
  }
  return running;
}

/** hᵢ as a fraction [weight, of]. `following` is the draw after the prefix; the whole proposal has none. 0 / 0 counts as 0. */
function prefixAcceptance(running: number, target: Distribution, following: Draw | undefined): [number, number] {
  if (!following) return [running, 1];
  let mass = 0; // Zᵢ
  for (const weight of excess(target, following.distribution, { target: running })) mass += weight;
  return [mass, mass + 1 - running];
}

/** max(0, p · target − draft), normalised; the target itself where rounding leaves no mass. */
export function blockResidual(running: number, target: Distribution, draft: Distribution): Distribution {
  return residualOf(target, draft, { target: running });
}
