import type { Processing } from '../processing';
import type { Proposal } from '../proposal';
import {
  type Distribution,
  isEmpty,
  mostProbableEntries,
  oneHot,
  probabilityOf,
  residualOf,
  tokenAt,
} from '../sampling/distribution';
import { type Draw, sample } from '../sampling/draw';
import type { Address, Position, Random } from '../sampling/random';
import type { Verdict } from './token';

/** How a lenient run judges: l in (0, 1), and whether decoding is greedy. */
export interface Lenience {
  readonly lenience: number;
  readonly greedy: boolean;
}

/**
 * Lenient verification (Leviathan et al. 2023, appendix A.5). It is NOT exact. Draft token x is accepted with probability
 * min(1, target(x) / (l · draft(x))), and corrections are drawn from max(0, target − l · draft), normalised. In greedy
 * decoding x is accepted when target(x) ≥ l · max target. (The paper prints that inequality the other way round, which would
 * reject the arg-max.)
 *
 * @param proposal a chain
 * @param targets [γ + 1]; in greedy decoding the softmax before it is made one-hot, see `softProcessing`
 * @throws DecodingError `no-token-left`
 */
export function verifyLeniently(
  proposal: Proposal,
  targets: readonly Distribution[],
  choice: Lenience & { readonly random: Random },
  at: Position,
): Verdict {
  const { random, greedy, lenience } = choice;
  const chosenFrom = (distribution: Distribution) => (greedy ? modeOf(distribution) : distribution);
  const path: number[] = [];
  for (const [i, { draw }] of proposal.entries()) {
    const here = { ...at, position: at.position + i };
    if (accepts(targets[i], draw, choice, { ...here, purpose: 'accept' })) {
      path.push(i);
      continue;
    }
    const rest = greedy ? targets[i] : lenientResidual(targets[i], draw.distribution, lenience);
    return { path, next: sample(chosenFrom(rest), random, { ...here, purpose: 'correct' }) };
  }
  const end = { ...at, position: at.position + path.length, purpose: 'bonus' as const };
  return { path, next: sample(chosenFrom(targets[path.length]), random, end) };
}

function accepts(target: Distribution, draft: Draw, choice: Lenience & { random: Random }, at: Address): boolean {
  const { lenience, greedy, random } = choice;
  const inTarget = probabilityOf(target, draft.token);
  if (greedy) return inTarget > 0 && inTarget >= lenience * largestOf(target);
  const inDraft = lenience * probabilityOf(draft.distribution, draft.token);
  return inTarget >= inDraft ? inTarget > 0 : random.accept(inTarget, inDraft, at);
}

/** max(0, target − l · draft), normalised; the target itself where rounding leaves no mass. */
export function lenientResidual(target: Distribution, draft: Distribution, lenience: number): Distribution {
  return residualOf(target, draft, { draft: lenience });
}

/**
 * Probability that a draft token is accepted: Σ min(target / l, draft). In greedy decoding it is the draft's mass on the tokens
 * that would be accepted.
 */
export function lenientOverlap(target: Distribution, draft: Distribution, { lenience, greedy }: Lenience): number {
  const least = greedy ? lenience * largestOf(target) : 0;
  let sum = 0;
  draft.probabilities.forEach((inDraft, i) => {
    const inTarget = probabilityOf(target, tokenAt(draft, i));
    if (greedy) sum += inTarget > 0 && inTarget >= least ? inDraft : 0;
    else sum += Math.min(inTarget / lenience, inDraft);
  });
  return sum;
}

/** Processing that keeps greedy rows as a softmax, for rules that compare probabilities; sampled rows keep their processing. */
export function softProcessing(processing: Processing): Processing {
  if ((processing.temperature ?? 0) > 0) return processing;
  return { ...processing, temperature: 1, topK: undefined, topP: undefined, minP: undefined };
}

function largestOf({ probabilities }: Distribution): number {
  return probabilities.reduce((best, value) => Math.max(best, value), 0);
}

/** All mass on the most probable token, the lowest id among equals. */
function modeOf(distribution: Distribution): Distribution {
  if (isEmpty(distribution)) return distribution;
  const [best] = mostProbableEntries(distribution, 1);
  return oneHot(distribution.vocabulary, tokenAt(distribution, best));
}
