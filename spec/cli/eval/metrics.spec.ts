import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bleu, tokenize13a } from '../../../cli/eval/bleu';
import { chrf } from '../../../cli/eval/chrf';

interface Corpus {
  readonly name: string;
  readonly hypotheses: readonly string[];
  readonly references: readonly string[];
  readonly bleu: number;
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  readonly hypothesisLength: number;
  readonly referenceLength: number;
  readonly chrf: number;
  /** Tokens of each hypothesis, separated by spaces. */
  readonly tokens: readonly string[];
}

const { corpora } = JSON.parse(readFileSync(join(__dirname, '../../data/metrics.json'), 'utf8')) as {
  corpora: readonly Corpus[];
};

describe('BLEU and chrF are those of sacrebleu (scripts/goldens/metrics.py)', () => {
  test.each(corpora.map((corpus) => [corpus.name, corpus] as const))('%s (1e-9)', (_, corpus) => {
    const { hypotheses, references } = corpus;
    expect(hypotheses.map((line) => tokenize13a(line).join(' '))).toEqual(corpus.tokens);
    const found = bleu(hypotheses, references);
    expect(found.score).toBeCloseTo(corpus.bleu, 9);
    expect(found.brevityPenalty).toBeCloseTo(corpus.brevityPenalty, 12);
    for (const [n, precision] of corpus.precisions.entries()) expect(found.precisions[n]).toBeCloseTo(precision, 9);
    const { hypothesisLength, referenceLength } = corpus;
    expect(found).toMatchObject({ hypothesisLength, referenceLength });
    expect(chrf(hypotheses, references)).toBeCloseTo(corpus.chrf, 9);
  });

  test('a word that is cut at the end of a line is whole, and what was skipped is left out', () => {
    expect(tokenize13a('well-\nknown a\nb <skipped>c -\n d-e  ')).toEqual(['wellknown', 'a', 'b', 'c', 'd-e']);
  });

  test('the corpora are many, and few of them score 0 or 100', () => {
    expect(corpora.length).toBeGreaterThan(25);
    expect(corpora.filter((one) => one.bleu > 0 && one.bleu < 100).length).toBeGreaterThan(15);
  });
});
