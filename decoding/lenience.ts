import type { Verdict } from './acceptance';
import { type Distribution, type Draw, normalised, oneHot, probabilityOf, sample } from './distribution';
import type { Address, Random } from './random';
import type { Processing } from './settings';

/** How a lenient run judges: l in (0, 1), and whether it is greedy. */
export interface Lenience {
  readonly lenience: number;
  readonly greedy: boolean;
}

/**
 * Lenient verification (Leviathan et al. 2023, appendix A.5), which is NOT exact: draft token x stands with probability
 * min(1, target(x) / (l · draft(x))), and corrections come from max(0, target − l · draft). Greedy: x stands when
 * target(x) ≥ l · max target. (The paper prints that inequality the other way round, which would refuse the arg-max.)
 *
 * @param targets [γ + 1]; of a greedy run the softmax before it is made one-hot, see `lenientProcessing`
 */
export function verifyLeniently(
  proposal: readonly Draw[],
  targets: readonly Distribution[],
  choice: Lenience & { readonly random: Random },
  at: Omit<Address, 'purpose'>,
): Verdict {
  const { random, greedy } = choice;
  const settled = (distribution: Distribution) => (greedy ? modeOf(distribution) : distribution);
  for (let i = 0; i < proposal.length; i++) {
    const here = { ...at, position: at.position + i };
    if (stands(targets[i], proposal[i], choice, { ...here, purpose: 'accept' })) continue;
    const left = greedy ? targets[i] : lenientResidual(targets[i], proposal[i].distribution, choice.lenience);
    return { accepted: i, next: sample(settled(left), random, { ...here, purpose: 'correct' }) };
  }
  const end = { ...at, position: at.position + proposal.length, purpose: 'bonus' as const };
  return { accepted: proposal.length, next: sample(settled(targets[proposal.length]), random, end) };
}

function stands(target: Distribution, draft: Draw, choice: Lenience & { random: Random }, at: Address): boolean {
  const { lenience, greedy, random } = choice;
  const wanted = probabilityOf(target, draft.token);
  if (greedy) return wanted > 0 && wanted >= lenience * largest(target);
  const proposed = lenience * probabilityOf(draft.distribution, draft.token);
  return wanted >= proposed ? wanted > 0 : random.accept(wanted, proposed, at);
}

/** max(0, target − l · draft), normalised; the target itself where rounding leaves no mass. */
export function lenientResidual(target: Distribution, draft: Distribution, lenience: number): Distribution {
  const { tokens, probabilities } = target;
  const weights = probabilities.map((probability, i) =>
    Math.max(0, probability - lenience * probabilityOf(draft, tokens ? tokens[i] : i)),
  );
  return normalised(target, weights) ?? target;
}

/** Probability that a draft token stands: Σ min(target / l, draft); of a greedy run, the draft's mass on tokens that would. */
export function lenientOverlap(target: Distribution, draft: Distribution, { lenience, greedy }: Lenience): number {
  const bar = greedy ? lenience * largest(target) : 0;
  let sum = 0;
  draft.probabilities.forEach((proposed, i) => {
    const wanted = probabilityOf(target, draft.tokens ? draft.tokens[i] : i);
    if (greedy) sum += wanted > 0 && wanted >= bar ? proposed : 0;
    else sum += Math.min(wanted / lenience, proposed);
  });
  return sum;
}

/** What the target's rows go through when a run is lenient: greedy ones stay soft, for their ratios are what is judged. */
export function lenientProcessing(processing: Processing): Processing {
  if ((processing.temperature ?? 0) > 0) return processing;
  return { ...processing, temperature: 1, topK: undefined, topP: undefined, minP: undefined };
}

function largest({ probabilities }: Distribution): number {
  return probabilities.reduce((best, value) => Math.max(best, value), 0);
}

/** All mass on the most probable token, ties to the lowest id. */
function modeOf(distribution: Distribution): Distribution {
  const { vocabulary, tokens, probabilities } = distribution;
  const best = probabilities.indexOf(largest(distribution));
  return oneHot(vocabulary, tokens ? tokens[best] : best);
}
