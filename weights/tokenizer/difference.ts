import type { Tokenizer } from '../types';

/**
 * Names the first difference between two vocabularies; null when every id means the same in both. Speculative decoding needs
 * equal vocabularies, because the target scores the draft's ids.
 */
export function firstVocabularyDifference(a: Tokenizer, b: Tokenizer): string | null {
  if (a.kind !== b.kind) return `one is ${a.kind}, the other ${b.kind}`;
  const size = Math.max(a.vocabularySize, b.vocabularySize);
  const show = (t: Tokenizer, id: number) => (id < t.vocabularySize ? JSON.stringify(t.piece(id)) : 'no piece');
  for (let id = 0; id < size; id++) {
    if (a.piece(id) !== b.piece(id)) return `id ${id} is ${show(a, id)} in one, ${show(b, id)} in the other`;
  }
  return null;
}
