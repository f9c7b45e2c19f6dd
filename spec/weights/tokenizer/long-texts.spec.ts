/** Long texts in the steps of tokenizer.json: cutting one changes nothing, every step can be interrupted, and time is linear. */
import fc from 'fast-check';
import { readNormalizer } from '../../../weights/tokenizer/pipeline/normalizers';
import { atOnce, PART, pieces } from '../../../weights/tokenizer/steps';
import { data, load } from './files';

const LETTERS = [
  'a',
  'E',
  ' ',
  '  ',
  '\u0301',
  '\u0323',
  'é',
  'ﬁ',
  '각',
  '\u1100',
  '\u1161',
  '\u11a8',
  '😀',
  'İ',
  'Σ',
  '\u200b',
  '\x01',
];
const letters = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 40 });
/** Texts of several parts, whose cuts fall on any letter. */
const longText = fc
  .tuple(letters, letters)
  .map(([start, again]) => start + again.repeat(Math.ceil((1.5 * PART) / again.length)));

const byLetter = (change: (letter: string) => string) => (text: string) => [...text].map(change).join('');
const isRemoved = (code: number) => code < 9 || code === 11 || (code > 13 && code < 32) || code === 127;

/** Pieces of special tokens and of every byte. */
const BYTES = [
  ...['<pad>', '</s>', '<unk>'],
  ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`),
];

describe('a long text', () => {
  it('is cut between letters, into pieces of about a part', () => {
    fc.assert(
      fc.property(longText, fc.boolean(), (text, isAnywhere) => {
        const mayCut = (at: number) => isAnywhere || text[at] < '\x7f';
        const found = [...pieces(text, mayCut)];
        expect(found.join('')).toBe(text);
        for (const piece of found) expect(piece).toBe(Buffer.from(piece).toString());
        for (const piece of found.slice(0, -1)) expect(piece.length).toBeGreaterThanOrEqual(PART);
        if (isAnywhere) for (const piece of found) expect(piece.length).toBeLessThanOrEqual(PART + 1);
        else for (const [first] of found.slice(1)) expect(first < '\x7f').toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it.each<[string, (text: string) => string]>([
    ['NFC', (text) => text.normalize('NFC')],
    ['NFD', (text) => text.normalize('NFD')],
    ['NFKC', (text) => text.normalize('NFKC')],
    ['NFKD', (text) => text.normalize('NFKD')],
    ['Lowercase', byLetter((letter) => letter.toLowerCase())],
    ['StripAccents', byLetter((letter) => (/\p{M}/u.test(letter) ? '' : letter))],
    [
      'Nmt',
      byLetter((letter) => {
        if (isRemoved(letter.charCodeAt(0))) return '';
        return letter === '\u200b' ? ' ' : letter;
      }),
    ],
  ])('is changed by %s as it is in one piece', (type, change) => {
    fc.assert(
      fc.property(longText, (text) => {
        expect(atOnce(readNormalizer({ type })({ text, head: 0 })).text).toBe(change(text));
      }),
      { numRuns: 5 },
    );
  });

  /** How often encoding a text gives way, with these steps and a model of bytes and letters. */
  async function turns(text: string, steps: object): Promise<number> {
    const names = [...BYTES, 'a', 'b', 'ab'];
    const vocab = Object.fromEntries(names.map((name, id) => [name, id]));
    const model = { type: 'BPE', vocab, merges: ['a b'], unk_token: '<unk>', byte_fallback: true };
    const tokenizer = await load({ 'tokenizer.json': JSON.stringify({ model, decoder: null, ...steps }) });
    let count = 0;
    const found = await tokenizer.encodeInParts?.(text, { betweenParts: async () => void count++ });
    expect(found).toEqual(tokenizer.encode(text));
    return count;
  }

  const text = 'ab E\u0301 '.repeat((2.5 * PART) / 6);
  const regex = (Regex: string) => ({ pattern: { Regex } });
  it.each<[object]>([
    ...['NFC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel'].map((type): [object] => [
      { normalizer: { type } },
    ]),
    [{ normalizer: { type: 'Replace', ...regex('E'), content: 'E' } }],
    [{ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }] } }],
    ...['WhitespaceSplit', 'Whitespace', 'ByteLevel', 'BertPreTokenizer', 'Metaspace'].map((type): [object] => [
      { pre_tokenizer: { type } },
    ]),
    [{ pre_tokenizer: { type: 'Split', ...regex('E'), behavior: 'Isolated' } }],
    [{ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Split', ...regex('E'), behavior: 'Isolated' }] } }],
    [{ pre_tokenizer: { type: 'ByteLevel', use_regex: false } }],
  ])('can be interrupted in each part of %j', async (steps) => {
    const without = await turns('', steps);
    const alone = await turns(text, { pre_tokenizer: { type: 'Split', ...regex(' '), behavior: 'Isolated' } });
    expect(without).toBe(0);
    // The words alone: each part once in finding them and once in encoding them.
    expect(alone).toBeGreaterThanOrEqual(2 * (text.length / PART - 1));
    expect(await turns(text, steps)).toBeGreaterThanOrEqual(2 * (text.length / PART - 1));
  });

  it.each([['ab'], ['b'], ['€']])('of one word, %s again and again, is encoded in parts', async (again) => {
    const word = again.repeat((3 * PART) / again.length);
    // Letters, merges and the ids that are left are each looked at in parts.
    expect(await turns(word, {})).toBeGreaterThanOrEqual(3 * (3 - 1));
  });

  it('with 400,000 spaces inside is trimmed at its ends in linear time', async () => {
    const spaces = ' '.repeat(400_000);
    const strip = readNormalizer({ type: 'Strip' });
    expect(atOnce(strip({ text: `${spaces}a${spaces}b${spaces}`, head: 1 }))).toEqual({
      text: `a${spaces}b`,
      head: 0,
    });
  });
});

it('SentencePiece with legacy false takes 400,000 spaces inside a text in linear time', async () => {
  const settings = JSON.stringify({ legacy: false });
  const tokenizer = await load({ 'spiece.model': data('t5.spiece.model'), 'tokenizer_config.json': settings });
  const spaces = ' '.repeat(400_000);
  expect(tokenizer.encode(`a${spaces}b${spaces}`)).toEqual(tokenizer.encode('a b'));
});

describe('a run of letters that no piece has', () => {
  it.each([[true], [false]])(
    'of 200,000 letters is its bytes or one unknown token (bytes: %j)',
    async (byte_fallback) => {
      const vocab = [...BYTES, 'a'].map((name, id) => [name, id < 3 ? 0 : -id]);
      const model = { type: 'Unigram', unk_id: 2, vocab, byte_fallback };
      const digits = { type: 'Digits', individual_digits: false };
      const tokenizer = await load({
        'tokenizer.json': JSON.stringify({ model, pre_tokenizer: digits, decoder: null }),
      });
      const count = 200_000;
      const ids = tokenizer.encode('é'.repeat(count), { addEos: false });
      expect(ids.length).toBe(byte_fallback ? 2 * count : 1);
      expect(new Set(ids)).toEqual(new Set(byte_fallback ? [3 + 0xc3, 3 + 0xa9] : [2]));
    },
  );
});
