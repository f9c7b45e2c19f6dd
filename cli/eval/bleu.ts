import { countNgrams, overlapOf, splitWords, trimEnd } from './ngrams';

/** BLEU of a corpus, with what it is computed from. */
export interface Bleu {
  /** 0 to 100. */
  readonly score: number;
  /** Of 1-grams to 4-grams, in per cent. */
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  /** Tokens of all hypotheses and of all references. */
  readonly hypothesisLength: number;
  readonly referenceLength: number;
}

const ORDER = 4;
/** What sacrebleu takes for log 0. */
const LOG_ZERO = -9999999999;

const ENTITIES: readonly (readonly [string, string])[] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/** Splits off punctuation, except `.`, `,` and `-` beside digits, and ASCII apostrophes. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/gu, ' $1 '],
  [/([^0-9])([.,])/gu, '$1 $2 '],
  [/([.,])([^0-9])/gu, ' $1 $2'],
  [/([0-9])(-)/gu, '$1 $2 '],
];

/** Tokens of a line as mteval-v13a has them, the tokenizer that WMT uses ("13a" of sacrebleu). */
export function tokenize13a(line: string): string[] {
  let text = trimEnd(line).replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  for (const [entity, character] of ENTITIES) text = text.replaceAll(entity, character);
  text = ` ${text} `;
  for (const [pattern, split] of RULES) text = text.replace(pattern, split);
  return splitWords(text);
}

/**
 * BLEU (Papineni et al. 2002) of a corpus as sacrebleu 2.6 computes it by default: tokenizer 13a, 4-grams, case kept, exponential
 * smoothing (each order without a match counts as half the one before), one reference for each hypothesis.
 */
export function bleu(hypotheses: readonly string[], references: readonly string[]): Bleu {
  const correct = new Array<number>(ORDER).fill(0);
  const total = new Array<number>(ORDER).fill(0);
  let [hypothesisLength, referenceLength] = [0, 0];
  for (const [i, hypothesis] of hypotheses.entries()) {
    const [found, wanted] = [tokenize13a(hypothesis), tokenize13a(references[i])];
    hypothesisLength += found.length;
    referenceLength += wanted.length;
    for (let n = 1; n <= ORDER; n++) {
      total[n - 1] += Math.max(0, found.length - n + 1);
      correct[n - 1] += overlapOf(countNgrams(found, n), countNgrams(wanted, n));
    }
  }
  const brevityPenalty =
    hypothesisLength >= referenceLength
      ? 1
      : hypothesisLength > 0
        ? Math.exp(1 - referenceLength / hypothesisLength)
        : 0;
  const precisions = smoothed(correct, total);
  const matches = correct.some((count) => count > 0);
  const logs = precisions.map((precision) => (precision === 0 ? LOG_ZERO : Math.log(precision)));
  const score = matches ? brevityPenalty * Math.exp(logs.reduce((sum, log) => sum + log, 0) / ORDER) : 0;
  return { score, precisions, brevityPenalty, hypothesisLength, referenceLength };
}

function smoothed(correct: readonly number[], total: readonly number[]): number[] {
  const precisions = new Array<number>(ORDER).fill(0);
  if (!correct.some((count) => count > 0)) return precisions;
  let smoothing = 1;
  for (let n = 0; n < ORDER; n++) {
    if (total[n] === 0) break;
    if (correct[n] === 0) smoothing *= 2;
    precisions[n] = correct[n] === 0 ? 100 / (smoothing * total[n]) : (100 * correct[n]) / total[n];
  }
  return precisions;
}
