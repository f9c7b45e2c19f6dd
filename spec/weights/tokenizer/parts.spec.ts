import fc from 'fast-check';
import { PieceTrie } from '../../../weights/tokenizer/piece-trie';
import { PART } from '../../../weights/tokenizer/steps';
import { bytes, load, t5FromJson, t5FromModel } from './files';

/** The ids of a text that is encoded in parts, and how many looks into the table of pieces each part took. */
async function inParts(tokenizer: Awaited<ReturnType<typeof load>>, text: string, options: object = {}) {
  const looks = jest.spyOn(PieceTrie.prototype, 'child');
  const counts: number[] = [];
  const count = () => {
    counts.push(looks.mock.calls.length);
    looks.mockClear();
  };
  const betweenParts = async () => count();
  const ids = await tokenizer.encodeInParts?.(text, { ...options, betweenParts });
  count();
  looks.mockRestore();
  return { ids, counts };
}

const piece = fc.constantFrom(
  'thou ',
  'art ',
  '  ',
  '<extra_id_0>',
  '</s>',
  'Ü',
  '日本語',
  'a'.repeat(PART),
  '\ud800',
  '',
);

describe('a text that is encoded in parts', () => {
  it.each([
    ['t5 from spiece.model', t5FromModel],
    ['t5 from tokenizer.json', t5FromJson],
    ['bytes', bytes],
  ])('has the ids that it has at once: %s', async (_, open) => {
    const tokenizer = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(piece), fc.boolean(), fc.boolean(), async (pieces, addEos, parseSpecial) => {
        const text = pieces.join('');
        const options = { addEos, parseSpecial };
        const { ids, counts } = await inParts(tokenizer, text, options);
        expect(ids).toEqual(tokenizer.encode(text, options));
        expect(counts.length).toBeGreaterThan(text.length / PART);
      }),
      { numRuns: 15 },
    );
  });

  it('looks into its table a bounded number of times in each part, however long its pieces are', async () => {
    const longest = 512;
    const vocab = ['<pad>', '</s>', '<unk>', ...Array.from({ length: longest }, (_, i) => 'a'.repeat(i + 1))];
    const tokenizer = await load({
      'tokenizer.json': JSON.stringify({
        model: { type: 'Unigram', unk_id: 2, vocab: vocab.map((one, id) => [one, id < 3 ? 0 : -1 - id / 1000]) },
        decoder: null,
      }),
    });
    const { ids, counts } = await inParts(tokenizer, 'a'.repeat(1000));
    expect(ids).toEqual(tokenizer.encode('a'.repeat(1000)));
    expect(Math.max(...counts)).toBeLessThanOrEqual(PART + longest + 1);
    expect(counts.length).toBeGreaterThan(5);
  });

  it('ends with what is thrown between two parts', async () => {
    const tokenizer = await bytes();
    const stop = new Error('stop');
    const refused = tokenizer.encodeInParts?.('a'.repeat(3 * PART), { betweenParts: () => Promise.reject(stop) });
    await expect(refused).rejects.toBe(stop);
  });
});
