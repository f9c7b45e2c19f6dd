import type { Tokenizer } from '../types';

/**
 * Names the first difference between two vocabularies; null when every id that both have means the same. Speculative decoding
 * needs that, because the target scores the draft's ids. Ids that only one has, such as added tokens, do no harm.
 */
export function firstVocabularyDifference(a: Tokenizer, b: Tokenizer): string | null {
  if (a.kind !== b.kind) return `one is ${a.kind}, the other ${b.kind}`;
  const size = Math.min(a.vocabularySize, b.vocabularySize);
  const show = (t: Tokenizer, id: number) => JSON.stringify(t.piece(id));
  for (let id = 0; id < size; id++) {
    if (a.piece(id) !== b.piece(id)) return `id ${id} is ${show(a, id)} in one, ${show(b, id)} in the other`;
  }
  return null;
}
