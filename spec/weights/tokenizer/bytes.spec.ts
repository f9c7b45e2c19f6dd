import fc from 'fast-check';
import { bytes } from './files';

const OFFSET = 3;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text that the first n bytes spell, for every n. A byte that is part of no character spells nothing: Python's
 * `decode('utf-8', errors='ignore')`, as transformers' ByT5Tokenizer has it. Only the platform's own decoder says what a
 * character is.
 */
function textsOf(raw: Uint8Array): string[] {
  const texts = new Array<string>(raw.length + 1).fill('');
  for (let at = 0; at < raw.length; ) {
    const lengths = [1, 2, 3, 4].filter((length) => at + length <= raw.length);
    const length = lengths.find((n) => characterOf(raw.subarray(at, at + n)) !== null);
    const end = at + (length ?? 1);
    const text = texts[at] + (length ? characterOf(raw.subarray(at, end)) : '');
    for (let n = at + 1; n < end; n++) texts[n] = texts[at];
    texts[end] = text;
    at = end;
  }
  return texts;
}

function characterOf(raw: Uint8Array): string | null {
  try {
    return strict.decode(raw) || null;
  } catch {
    return null;
  }
}

/** Bytes at the edges of what UTF-8 allows, characters whole and cut, and any bytes. U+FFFD is among the characters. */
const edge = fc.constantFrom(
  ...[0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff],
);
const character = fc
  .oneof(
    fc.constantFrom('\ufffd', '\ufeff', '\u{10ffff}', '\u{10000}', '\uffff', '\ud7ff'),
    fc.string({ unit: 'binary' }),
  )
  .map((text) => [...new TextEncoder().encode(text)]);
const cut = fc.tuple(character, fc.nat(3)).map(([list, count]) => list.slice(0, Math.max(0, list.length - count)));
const raws = fc
  .array(
    fc.oneof(
      edge.map((byte) => [byte]),
      character,
      cut,
      fc.array(fc.nat(255), { maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

describe('ByT5', () => {
  it('reads text as its bytes + 3, and spells sentinels after them', async () => {
    const byt5 = await bytes();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const ids = byt5.encode(text);
        expect(ids).toEqual([...[...new TextEncoder().encode(text)].map((byte) => byte + OFFSET), 1]);
        expect(byt5.decode(ids)).toBe(text);
      }),
    );
    expect([byt5.encode('a'), byt5.id('<extra_id_0>'), byt5.vocabularySize]).toEqual([[100, 1], 259, 384]);
  });

  it('leaves ill-formed bytes out of the text, at once and id by id: U+FFFD comes out only where bytes spell it', async () => {
    const byt5 = await bytes();
    let [illFormed, spelled] = [0, 0];
    fc.assert(
      fc.property(raws, (raw) => {
        const ids = Array.from(raw, (byte) => byte + OFFSET);
        const texts = textsOf(raw);
        const expected = texts[raw.length];
        expect(byt5.decode(ids)).toBe(expected);
        const decoder = byt5.incrementalDecoder();
        let text = '';
        const found = ['', ...ids.map((id) => (text += decoder.push(id)))];
        expect(found).toEqual(texts);
        expect(decoder.end()).toBe('');
        if (new TextEncoder().encode(expected).length < raw.length) illFormed++;
        if (expected.includes('\ufffd')) spelled++;
      }),
      { numRuns: 400 },
    );
    expect(Math.min(illFormed, spelled)).toBeGreaterThan(20);
  });

  it('leaves out special ids inside a character; when they are asked for, they break the character', async () => {
    const byt5 = await bytes();
    const [first, second] = byt5.encode('é', { addEos: false });
    for (const special of [0, 1, 2, 259, 383]) {
      expect(byt5.decode([first, special, second])).toBe('é');
      expect(byt5.decode([first, special, second], { skipSpecialTokens: false })).toBe(byt5.piece(special));
    }
  });
});
