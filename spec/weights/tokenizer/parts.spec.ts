import fc from 'fast-check';
import { PieceTrie } from '../../../weights/tokenizer/piece-trie';
import { append, atOnce, PART, Pace, pieces } from '../../../weights/tokenizer/steps';
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

describe('a part', () => {
  /** Texts whose ends lie at and beside the ends of parts. */
  const lengths = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -2, max: 2 }));
  const texts = lengths.chain(([parts, more]) =>
    fc.constantFrom('a', '😀', 'a😀').map((unit) => {
      const length = Math.max(0, parts * PART + more);
      return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
    }),
  );

  it('of a text has 32,768 letters, or one more where a character or something else may not be cut; none is empty', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(1, 3, 1000), (text, every) => {
        const isBoundary = (at: number) => at % every === 0;
        const found = [...pieces(text, isBoundary)];
        expect(found.join('') === text).toBe(true);
        if (text === '') expect(found).toEqual(['']);
        let at = 0;
        for (const [i, piece] of found.entries()) {
          expect(piece.length > 0 || text === '').toBe(true);
          if (i > 0) {
            expect([isBoundary(at), piece.charCodeAt(0) >> 10 === 0xdc00 >> 10]).toEqual([true, false]);
            expect(found[i - 1].length).toBeGreaterThanOrEqual(PART);
          }
          expect(piece.length).toBeLessThan(PART + 2 * every);
          at += piece.length;
        }
      }),
      { numRuns: 60 },
    );
    expect([...pieces('a'.repeat(2 * PART))].map(({ length }) => length)).toEqual([PART, PART]);
  });

  it('of a list is added with the event loop between two of them, and not before the first or after the last', () => {
    fc.assert(
      fc.property(lengths, ([parts, more]) => {
        const length = Math.max(0, parts * PART + more);
        const list = [-1];
        let pauses = 0;
        for (const _ of append(
          list,
          Array.from({ length }, (_, i) => i),
        )) {
          pauses++;
          expect(list).toHaveLength(1 + pauses * PART);
        }
        expect(pauses).toBe(Math.max(0, Math.ceil(length / PART) - 1));
        expect(list.length === length + 1 && list.every((one, i) => one === i - 1)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('is done when as much was done since the last one, and counts anew', () => {
    const pace = new Pace();
    expect([PART - 1, 1, PART - 1, 1, 3 * PART, 0, 1, PART].map((amount) => pace.isPartDone(amount))).toEqual([
      ...[false, true, false, true, true, false, false, true],
    ]);
  });

  it('gives its result at the end, whether the parts are done at once or one by one', () => {
    const steps = function* () {
      yield;
      yield;
      return 7;
    };
    expect([atOnce(steps()), [...steps()].length]).toEqual([7, 2]);
  });
});
