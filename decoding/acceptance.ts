import { type Distribution, type Draw, normalised, probabilityOf, sample } from './distribution';
import type { Address, Random } from './random';

/** What verification makes of a proposal: how much of it stands, and the one token after that. */
export interface Verdict {
  /** Length of the accepted prefix, 0 … γ. */
  readonly accepted: number;
  /** Corrects the first rejected token, or is the free extra one after γ accepted. */
  readonly next: Draw;
}

/** Pure parts of verification; a record, so that specs can put known-wrong ones in their place. */
export interface SamplerParts {
  accepts(target: Distribution, draft: Draw, random: Random, at: Address): boolean;
  residual(target: Distribution, draft: Distribution): Distribution;
}

/** Accepts draft token x with probability min(1, target(x) / draft(x)) (Leviathan et al. 2023, Algorithm 1). */
export function accepts(target: Distribution, draft: Draw, random: Random, at: Address): boolean {
  const wanted = probabilityOf(target, draft.token);
  const proposed = probabilityOf(draft.distribution, draft.token);
  if (wanted >= proposed) return wanted > 0;
  return random.accept(wanted, proposed, at);
}

/** max(0, target − draft), normalised; the target itself where rounding leaves no mass. */
export function residual(target: Distribution, draft: Distribution): Distribution {
  const { tokens, probabilities } = target;
  const weights = new Float64Array(probabilities.length);
  for (let i = 0; i < weights.length; i++) {
    const token = tokens ? tokens[i] : i;
    weights[i] = Math.max(0, probabilities[i] - probabilityOf(draft, token));
  }
  return normalised(target, weights) ?? target;
}

export const exactParts: SamplerParts = { accepts, residual };

/**
 * Token verification (Algorithm 1): goes through the proposal until the first rejection.
 *
 * @param targets the target's distribution at each proposed position and after the last, [γ + 1]
 */
export function verifyTokens(
  proposal: readonly Draw[],
  targets: readonly Distribution[],
  random: Random,
  at: Omit<Address, 'purpose'>,
  parts: SamplerParts = exactParts,
): Verdict {
  for (let i = 0; i < proposal.length; i++) {
    const here = { ...at, position: at.position + i };
    if (parts.accepts(targets[i], proposal[i], random, { ...here, purpose: 'accept' })) continue;
    const left = parts.residual(targets[i], proposal[i].distribution);
    return { accepted: i, next: sample(left, random, { ...here, purpose: 'correct' }) };
  }
  const end = { ...at, position: at.position + proposal.length, purpose: 'bonus' as const };
  return { accepted: proposal.length, next: sample(targets[proposal.length], random, end) };
}
