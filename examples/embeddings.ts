/**
 * Searches texts by meaning: each text becomes a vector, and the texts whose vectors point most nearly in the query's direction come
 * first. The vectors have length 1, so that their product is the cosine of the angle.
 *
 *   const model = await Tandem.load('sentence-transformers/sentence-t5-base');
 *   const index = await indexOf(model, texts);
 *   const found = await search(model, index, 'a man inside a fish', 3);
 */
import type { Tandem } from 'tandem-t5';

export interface Index {
  readonly texts: readonly string[];
  /** A vector for each text, [dModel] or as wide as the checkpoint's last step. */
  readonly vectors: readonly Float32Array[];
}

export interface Found {
  readonly text: string;
  /** Cosine with the query, from -1 to 1. */
  readonly similarity: number;
}

const HOW = { pooling: 'mean', normalize: true } as const;

export async function indexOf(model: Tandem, texts: readonly string[]): Promise<Index> {
  return { texts, vectors: await model.embed([...texts], HOW) };
}

/** The `count` texts that are nearest to the query, nearest first. */
export async function search(model: Tandem, { texts, vectors }: Index, query: string, count: number): Promise<Found[]> {
  const [wanted] = await model.embed([query], HOW);
  const similarity = (vector: Float32Array) => vector.reduce((sum, value, i) => sum + value * wanted[i], 0);
  const all = texts.map((text, i) => ({ text, similarity: similarity(vectors[i]) }));
  return all.sort((a, b) => b.similarity - a.similarity).slice(0, count);
}
