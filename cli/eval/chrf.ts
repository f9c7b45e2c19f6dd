import { countNgrams, overlapOf, splitWords } from './ngrams';

const ORDER = 6;
/** β²: recall counts β = 2 times as much as precision. */
const FACTOR = 4;

/**
 * chrF (Popović 2015) of a corpus as sacrebleu 2.6 computes it by default: n-grams of 1 to 6 characters without white space, β = 2,
 * case kept, counts summed over the corpus, mean precision and recall over the orders that both sides have.
 */
export function chrf(hypotheses: readonly string[], references: readonly string[]): number {
  const sums = Array.from({ length: ORDER }, () => ({ hypothesis: 0, reference: 0, match: 0 }));
  for (const [i, hypothesis] of hypotheses.entries()) {
    const [found, wanted] = [charactersOf(hypothesis), charactersOf(references[i])];
    for (let n = 1; n <= ORDER; n++) {
      const inReference = Math.max(0, wanted.length - n + 1);
      const sum = sums[n - 1];
      // A segment without a reference n-gram of this order does not count against the hypothesis.
      sum.hypothesis += inReference > 0 ? Math.max(0, found.length - n + 1) : 0;
      sum.reference += inReference;
      sum.match += overlapOf(countNgrams(found, n), countNgrams(wanted, n));
    }
  }
  const counted = sums.filter(({ hypothesis, reference }) => hypothesis > 0 && reference > 0);
  if (counted.length === 0) return 0;
  const mean = (share: (sum: (typeof sums)[number]) => number) =>
    counted.reduce((total, sum) => total + share(sum), 0) / counted.length;
  const precision = mean(({ match, hypothesis }) => match / hypothesis);
  const recall = mean(({ match, reference }) => match / reference);
  if (precision + recall === 0) return 0;
  return (100 * (1 + FACTOR) * precision * recall) / (FACTOR * precision + recall);
}

/** Characters, not UTF-16 units. */
function charactersOf(text: string): string[] {
  return [...splitWords(text).join('')];
}
