import fc from 'fast-check';
import { load } from './files';
import { spiece } from './spiece-writer';

const PIECES = ['▁', ' ', 'a'].map((text) => [text, -1] as const);
const FIRST = 3; // after pad, EOS and unknown

/** What the switches of a normaliser say of a text, each step over the whole text. */
function normalized(text: string, { dummy, trims, escapes }: Readonly<Record<'dummy' | 'trims' | 'escapes', boolean>>) {
  const kept = trims ? text.replace(/^ +| +$/g, '').replace(/ +/g, ' ') : text;
  const started = dummy && kept !== '' ? ` ${kept}` : kept;
  return escapes ? started.replaceAll(' ', '▁') : started;
}

describe('the normaliser of spiece.model', () => {
  const texts = fc.array(fc.constantFrom('a', ' '), { maxLength: 8 }).map((list) => list.join(''));
  /** A switch that is on, that is off, or that the file leaves out, which is on. */
  const switched = fc.constantFrom(1, 0, undefined);

  it('puts a space in front, takes away further ones and writes U+2581 for each, unless the file switches that off', async () => {
    const off = new Set<string>();
    await fc.assert(
      fc.asyncProperty(texts, fc.tuple(switched, switched, switched), async (text, values) => {
        const [dummy, trims, escapes] = values.map((value) => value !== 0);
        const stated = values.flatMap((value, i) => (value === undefined ? [] : [[3 + i, value]]));
        // Field 6 is none that a normaliser has, and is passed over.
        const normalizer = Object.fromEntries([...stated, [6, 0]]);
        const tokenizer = await load({ 'spiece.model': spiece({ pieces: PIECES, normalizer }) }, FIRST + PIECES.length);
        const expected = [...normalized(text, { dummy, trims, escapes })].map(
          (letter) => FIRST + PIECES.findIndex(([piece]) => piece === letter),
        );
        expect([text, values, tokenizer.encode(text)]).toEqual([text, values, [...expected, 1]]);
        if (text.includes(' ')) off.add(values.join());
      }),
      { numRuns: 300 },
    );
    expect(off.size).toBeGreaterThan(15);
  });

  it.each([
    [3, 'add_dummy_prefix'],
    [4, 'remove_extra_whitespaces'],
    [5, 'escape_whitespaces'],
  ])('is refused where field %i is bytes, by the name of that field', async (field, name) => {
    await expect(
      load({ 'spiece.model': spiece({ normalizer: { [field]: Uint8Array.of(1) } }) }, 6),
    ).rejects.toMatchObject({
      code: 'tokenizer-invalid',
      message: expect.stringContaining(`${name} is not a number`),
    });
  });
});
