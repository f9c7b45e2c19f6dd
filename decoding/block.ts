import type { Verdict } from './acceptance';
import { type Distribution, type Draw, normalised, probabilityOf, sample } from './distribution';
import type { Address, Random } from './random';

/**
 * Block verification (Sun et al. 2024, algorithm 2): judges the proposal as a whole, and keeps in expectation at least as
 * much of it as token verification does. With pᵢ the running acceptance of the first i tokens and Zᵢ the mass that the
 * target then still wants over the draft at the next position, prefix i is kept with probability hᵢ when no longer one is:
 *
 *   p₀ = 1, pᵢ = min(1, pᵢ₋₁ · target(xᵢ) / draft(xᵢ)), Zᵢ = Σ max(0, pᵢ · target − draft), hᵢ = Zᵢ / (Zᵢ + 1 − pᵢ), h_γ = p_γ.
 *
 * @param targets the target's distribution at each proposed position and after the last, [γ + 1]
 */
export function verifyBlock(
  proposal: readonly Draw[],
  targets: readonly Distribution[],
  random: Random,
  at: Omit<Address, 'purpose'>,
): Verdict {
  const gamma = proposal.length;
  const running = runningAcceptance(proposal, targets); // p, [γ + 1]
  let accepted = gamma;
  // The longest prefix that passes: no rejection ends the search before every shorter one had its turn.
  for (; accepted > 0; accepted--) {
    const [weight, of] = heldWith(running[accepted], targets[accepted], proposal[accepted]);
    const here = { ...at, position: at.position + accepted - 1, purpose: 'accept' as const };
    if (weight > 0 && (weight >= of || random.accept(weight, of, here))) break;
  }
  const next = { ...at, position: at.position + accepted };
  if (accepted === gamma) return { accepted, next: sample(targets[gamma], random, { ...next, purpose: 'bonus' }) };
  const left = blockResidual(running[accepted], targets[accepted], proposal[accepted].distribution);
  return { accepted, next: sample(left, random, { ...next, purpose: 'correct' }) };
}

/** pᵢ for i = 0 … γ. */
function runningAcceptance(proposal: readonly Draw[], targets: readonly Distribution[]): Float64Array {
  const running = new Float64Array(proposal.length + 1).fill(1);
  for (const [i, { token, distribution }] of proposal.entries()) {
    const ratio = probabilityOf(targets[i], token) / probabilityOf(distribution, token);
    running[i + 1] = Math.min(1, running[i] * ratio);
  }
  return running;
}

/** hᵢ as a fraction [weight, of]; `following` is the draw after the prefix, none after the last. 0 / 0 counts as 0. */
function heldWith(running: number, target: Distribution, following: Draw | undefined): [number, number] {
  if (!following) return [running, 1];
  let excess = 0; // Zᵢ
  for (const weight of excessOver(running, target, following.distribution)) excess += weight;
  return [excess, excess + 1 - running];
}

/** max(0, p · target − draft) on the target's tokens. */
function excessOver(running: number, target: Distribution, draft: Distribution): Float64Array {
  const { tokens, probabilities } = target;
  return probabilities.map((probability, i) =>
    Math.max(0, running * probability - probabilityOf(draft, tokens ? tokens[i] : i)),
  );
}

/** max(0, p · target − draft), normalised; the target itself where rounding leaves no mass. */
export function blockResidual(running: number, target: Distribution, draft: Distribution): Distribution {
  return normalised(target, excessOver(running, target, draft)) ?? target;
}
