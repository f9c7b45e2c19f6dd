import fc from 'fast-check';
import { readBpe } from '../../../weights/tokenizer/pipeline/bpe';
import { atOnce } from '../../../weights/tokenizer/steps';
import { load } from './files';

/** By definition: again and again, the merge of the lowest rank, at its leftmost place. */
function merged(word: string, merges: readonly (readonly [string, string])[]): string[] {
  const parts = [...word];
  for (;;) {
    const places = merges.map(([a, b]) => parts.findIndex((part, i) => part === a && parts[i + 1] === b));
    const rank = places.findIndex((place) => place >= 0);
    if (rank < 0) return parts;
    parts.splice(places[rank], 2, merges[rank].join(''));
  }
}

/** Merges of pieces that are letters or come from earlier merges, no two with one result. */
const mergeLists = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 }).map((choices) => {
  const pieces = ['a', 'b'];
  const merges: [string, string][] = [];
  for (const [left, right] of choices) {
    const pair: [string, string] = [pieces[left % pieces.length], pieces[right % pieces.length]];
    if (pieces.includes(pair.join('')) || pair.join('').length > 8) continue;
    merges.push(pair);
    pieces.push(pair.join(''));
  }
  return merges;
});
const words = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 30 }).map((list) => list.join(''));

describe('BPE', () => {
  it('merges the pair of the lowest rank first, and of those the leftmost', () => {
    let long = 0;
    fc.assert(
      fc.property(mergeLists, words, (merges, word) => {
        const pieces = ['a', 'b', ...merges.map((pair) => pair.join(''))];
        const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
        const model = readBpe({ vocab, merges });
        expect(atOnce(model.encode(word)).map((id) => pieces[id])).toEqual(merged(word, merges));
        if (merged(word, merges).some((part) => part.length > 3)) long++;
      }),
      { numRuns: 2000 },
    );
    expect(long).toBeGreaterThan(100);
  });

  it('gives each unknown letter one unknown piece, or each run of them where `fuse_unk` is true, or none without the piece', () => {
    const mixed = fc
      .array(fc.constantFrom('a', 'x', 'y'), { minLength: 1, maxLength: 12 })
      .map((list) => list.join(''));
    fc.assert(
      fc.property(mixed, fc.constantFrom(true, false, undefined, 1), (word, fuse_unk) => {
        const of = (more: object) =>
          atOnce(readBpe({ vocab: { '?': 0, a: 1 }, merges: [], fuse_unk, ...more }).encode(word));
        const known = fuse_unk === true ? word.replace(/[xy]+/g, '?') : word.replace(/[xy]/g, '?');
        expect(of({ unk_token: '?' })).toEqual([...known].map((letter) => (letter === 'a' ? 1 : 0)));
        expect(of({})).toEqual([...word.replace(/[xy]/g, '')].map(() => 1));
      }),
    );
  });

  it('encodes a word of 200,000 letters', () => {
    const model = readBpe({ vocab: { a: 0, aa: 1, aaaa: 2 }, merges: ['a a', 'aa aa'] });
    expect(atOnce(model.encode('a'.repeat(200_003)))).toEqual([...new Array(50_000).fill(2), 1, 0]);
  });

  it.each([
    [{ vocab: { a: 0 }, merges: ['a b'] }, 'merge 0 of "a" and "b"'],
    [{ vocab: { a: 0 }, merges: ['a'] }, 'merge 0 is not a pair'],
    [{ vocab: { a: -1 }, merges: [] }, 'the id of piece "a"'],
    [{ vocab: { a: 5e9 }, merges: [] }, 'the id of piece "a"'],
    [{ vocab: { a: 0 }, merges: [], unk_token: 'b' }, 'unk_token "b"'],
    [{ vocab: { a: 0 }, merges: [], dropout: 0.1 }, 'dropout 0.1, which is not supported'],
  ])('is refused with what is wrong: %j', async (model, expected) => {
    const file = JSON.stringify({ model: { type: 'BPE', ...model } });
    await expect(load({ 'tokenizer.json': file })).rejects.toMatchObject({
      code: 'tokenizer-invalid',
      message: expect.stringContaining(expected),
    });
  });
});
