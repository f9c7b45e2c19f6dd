import { PieceTrie } from '../../../weights/tokenizer/piece-trie';
import { load } from './files';

const unigram = (pieces: readonly string[], more: object = {}) => ({
  'tokenizer.json': JSON.stringify({
    model: {
      type: 'Unigram',
      unk_id: 2,
      vocab: ['<pad>', '</s>', '<unk>', ...pieces].map((piece, id) => [piece, id < 3 ? 0 : -1 - id / 1000]),
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'never' },
    decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'never' },
    ...more,
  }),
});
const split = (pattern: object) => ({
  pre_tokenizer: { type: 'Split', pattern, behavior: 'Isolated', invert: false },
});

describe('a hostile tokenizer', () => {
  it.each([1025, 5_000_000])('with a piece of %i bytes is refused', async (length) => {
    const files = unigram(['a', 'a'.repeat(length)]);
    await expect(load(files)).rejects.toMatchObject({ code: 'tokenizer-invalid' });
    const added = [{ id: 4, content: 'b'.repeat(length), special: false }];
    await expect(load(unigram(['a'], { added_tokens: added }))).rejects.toMatchObject({ code: 'tokenizer-invalid' });
  });

  it('with every run of a letter up to the longest piece encodes a long text by its longest pieces', async () => {
    const longest = 1024;
    const tokenizer = await load(unigram(Array.from({ length: longest }, (_, i) => 'a'.repeat(i + 1))));
    const ids = tokenizer.encode('a'.repeat(8 * longest), { addEos: false });
    expect(tokenizer.decode(ids)).toBe('a'.repeat(8 * longest));
    expect(ids).toHaveLength(8);
  });

  // Pieces up to 4,000 letters are refused, so that a text of n letters costs at most 1,024 n steps in the table of pieces.
  it('with every run of a letter takes steps in proportion to text and longest piece, and no more', async () => {
    const runs = (most: number) => Array.from({ length: most }, (_, i) => 'a'.repeat(i + 1));
    await expect(load(unigram(runs(4000)))).rejects.toThrow(/a piece of 1025 bytes, expected at most 1024/);
    const steps = jest.spyOn(PieceTrie.prototype, 'child');
    for (const [length, longest] of [
      [2000, 64],
      [4000, 64],
      [4000, 128],
    ]) {
      const tokenizer = await load(unigram(runs(longest)));
      steps.mockClear();
      tokenizer.encode('a'.repeat(length));
      expect(steps.mock.calls.length).toBeGreaterThan(length);
      expect(steps.mock.calls.length).toBeLessThanOrEqual(length * (longest + 1));
    }
    steps.mockRestore();
  });

  it('with thousands of added tokens that begin alike finds the longest at each place', async () => {
    const added = Array.from({ length: 3000 }, (_, i) => ({ id: 4 + i, content: `<t${i}>`, special: i % 2 === 0 }));
    const tokenizer = await load(unigram(['a'], { added_tokens: added }));
    const text = Array.from({ length: 3000 }, (_, i) => `<t${i}>a`).join('');
    const ids = tokenizer.encode(text, { addEos: false });
    expect(ids).toEqual(Array.from({ length: 3000 }, (_, i) => [4 + i, 3]).flat());
  });

  it.each(['(a+)+b', '(a|b)*c', 'a++', '(?i:a)', 'a(?=b+)', '^a', '\\ba', '[a&&b]', '[[:alpha:]]', '(?>a)', '', 'a*'])(
    'with a pattern that is slow, unknown or empty is refused: %j',
    async (Regex) => {
      await expect(load(unigram(['a'], split({ Regex })))).rejects.toMatchObject({ code: 'tokenizer-invalid' });
    },
  );

  it('with a pattern of the kinds that byte-level BPE has is read', async () => {
    const Regex =
      "'s|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    expect((await load(unigram(['a'], split({ Regex })))).encode('a', { addEos: false })).toEqual([3]);
  });
});
