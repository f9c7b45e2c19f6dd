/** Upper ends of the classes that probabilities are sorted into, finer where a draft is sure. The last class ends at 1. */
const ENDS = [0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 1] as const;
/** What is assumed of a class before its tokens were judged, as the share accepted at probabilities 0 and 1, and for how many tokens it counts. */
const PRIOR = { none: 0.25, sure: 0.98, weight: 4 };
/** How much of what was known before a judged token keeps. */
const MEMORY = 0.99;

/**
 * How often the target accepts a token that the draft gave some probability. It is learnt, because a draft may be surer of itself
 * than it should, or less sure.
 */
export class Confidence {
  private readonly judged: number[] = ENDS.map(() => PRIOR.weight);
  private readonly accepted: number[] = ENDS.map((end, i) => {
    const middle = ((ENDS[i - 1] ?? 0) + end) / 2;
    return PRIOR.weight * (PRIOR.none + (PRIOR.sure - PRIOR.none) * middle);
  });

  /** The share of tokens with about this probability that the target accepts. */
  share(probability: number): number {
    const i = classOf(probability);
    return this.accepted[i] / this.judged[i];
  }

  judge(probability: number, isAccepted: boolean): void {
    const i = classOf(probability);
    this.accepted[i] = this.accepted[i] * MEMORY + (isAccepted ? 1 : 0);
    this.judged[i] = this.judged[i] * MEMORY + 1;
  }
}

function classOf(probability: number): number {
  const found = ENDS.findIndex((end) => probability < end);
  return found < 0 ? ENDS.length - 1 : found;
}
