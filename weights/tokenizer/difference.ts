import type { Tokenizer } from '../types';

/**
 * The first way in which two vocabularies differ, or null when every id means the same in both. Speculative decoding
 * needs them equal: a drafted id is scored by the target as it stands.
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
