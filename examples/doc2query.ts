/**
 * Expands a document with the questions that it answers (doc2query, Nogueira et al. 2019, arXiv 1904.08375): a search engine indexes
 * them with the document. All samples share one encoding of the document.
 *
 *   const model = await Tandem.load('castorini/doc2query-t5-base-msmarco', { draft: 'layers:2' });
 *   const questions = await questionsOf(model, document, { count: 10, seed: 1 });
 */
import type { Tandem } from 'tandem-t5';

export interface QuestionOptions {
  /** Samples; equal ones count once. */
  readonly count?: number;
  readonly seed?: number;
  readonly maxNewTokens?: number;
}

export interface Question {
  readonly text: string;
  /** How many of the samples were this text. */
  readonly times: number;
}

/** Different questions, the most frequent first. The same seed gives the same questions. */
export async function questionsOf(
  model: Tandem,
  document: string,
  { count = 10, seed = 0, maxNewTokens = 64 }: QuestionOptions = {},
): Promise<Question[]> {
  const { sequences } = await model.generate(document, {
    ...{ temperature: 1, topK: 10, numReturnSequences: count, seed, maxNewTokens },
  });
  const times = new Map<string, number>();
  for (const { text } of sequences) times.set(text, (times.get(text) ?? 0) + 1);
  return [...times].map(([text, found]) => ({ text, times: found })).sort((a, b) => b.times - a.times);
}
