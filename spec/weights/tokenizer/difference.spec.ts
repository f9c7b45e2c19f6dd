import { firstVocabularyDifference } from '../../../weights/tokenizer';
import { bytes, load, modernize, t5FromModel } from './files';
import { spiece } from './spiece-writer';

describe('firstVocabularyDifference', () => {
  const pieces = (...texts: string[]) =>
    load({ 'spiece.model': spiece({ pieces: texts.map((t) => [t, -1] as const) }) }, 10);

  it('is null for the bundled pair', async () => {
    const [draft, target] = await Promise.all([
      modernize('modernize-draft', 'tokenizer.json'),
      modernize('modernize-target', 'tokenizer.json'),
    ]);
    expect(firstVocabularyDifference(draft, target)).toBeNull();
  });

  it('is null where only one has more pieces at its end', async () => {
    expect(firstVocabularyDifference(await pieces('▁'), await pieces('▁', 'b'))).toBeNull();
    expect(firstVocabularyDifference(await pieces('▁', 'b', 'c'), await pieces('▁'))).toBeNull();
  });

  it('names the first id that differs, with both pieces', async () => {
    expect(firstVocabularyDifference(await pieces('▁', 'a'), await pieces('▁', 'b'))).toBe(
      'id 4 is "a" in one, "b" in the other',
    );
    expect(firstVocabularyDifference(await t5FromModel(), await bytes())).toBe('one is unigram, the other bytes');
  });
});
