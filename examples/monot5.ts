/**
 * Ranks documents for a query with monoT5 (Nogueira et al. 2020, arXiv 2003.06713): the model is asked whether a document is relevant, and
 * the answer's first token is `true` or `false`. The relevance is the share of `true` in the probability of the two.
 *
 *   const monoT5 = await Tandem.load('castorini/monot5-base-msmarco');
 *   const ranked = await rank(monoT5, 'who was swallowed by a great fish', documents);
 */
import type { Tandem } from 'tandem-t5';

export interface Ranked {
  readonly document: string;
  /** From 0 to 1. */
  readonly relevance: number;
}

/** The documents, most relevant first. */
export async function rank(model: Tandem, query: string, documents: readonly string[]): Promise<Ranked[]> {
  // A text ends with EOS, and here only its first token is asked for.
  const [yes] = await model.encode('true');
  const [no] = await model.encode('false');
  const ranked: Ranked[] = [];
  for (const document of documents) {
    const scores = await model.score(`Query: ${query} Document: ${document} Relevant:`, [[yes], [no]]);
    const [relevant, irrelevant] = scores.map(({ logProb }) => Math.exp(logProb));
    ranked.push({ document, relevance: relevant / (relevant + irrelevant) });
  }
  return ranked.sort((a, b) => b.relevance - a.relevance);
}
