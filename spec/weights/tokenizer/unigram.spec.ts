import fc from 'fast-check';
import type { Tokenizer } from '../../../weights';
import { firstVocabularyDifference } from '../../../weights/tokenizer';
import { json, modernize, t5FromJson, t5FromModel, tiny } from './files';

interface Reference {
  cases: { text: string; ids: number[] }[];
}
interface Noise {
  texts: string[];
  ids: { t5: number[][]; modernize: number[][]; tiny: number[][] };
}

/** As SentencePiece itself: special tokens in a text are text. */
const PLAIN = { parseSpecial: false };

const tricky = fc.constantFrom(
  ...['</s>', '<extra_id_0>', '<pad>', '<unk>', '▁', ' ', '\t', '\u00a0', '\u0000', '\u0001', '\u0301', '\u200d', '😊'],
  ...['\ud800', '\udc00', '\ufffd', '\ufdfa', 'ﬁ', '½', '한', '\ufeff', '\u0085', '\u2028'],
);
const texts = fc
  .array(fc.oneof(tricky, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.lorem({ maxCount: 2 })), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

const sources: [string, () => Promise<Tokenizer>][] = [
  ['tokenizer.json', t5FromJson],
  ['spiece.model', t5FromModel],
];

describe.each(sources)('T5 from %s', (_, open) => {
  it('gives the ids of SentencePiece on all 1,231 reference texts', async () => {
    const t5 = await open();
    const { cases } = json<Reference>('sentencepiece-reference.json');
    expect(cases).toHaveLength(1231);
    expect(cases.filter(({ text, ids }) => String(t5.encode(text, PLAIN)) !== String(ids))).toEqual([]);
  });

  it('gives the pieces of the French paragraph', async () => {
    const t5 = await open();
    const { text, bpe_tokens } = json<{ text: string; bpe_tokens: string[] }>('french-paragraph.json');
    const pieces = t5.encode(text, { addEos: false }).map((id) => t5.piece(id));
    expect(pieces).toEqual(bpe_tokens);
  });

  it('numbers the sentinels downwards, and reads them in a text unless it is told not to', async () => {
    const t5 = await open();
    expect([t5.vocabularySize, t5.id('<extra_id_0>'), t5.id('<extra_id_99>')]).toEqual([32100, 32099, 32000]);
    expect(t5.encode('<extra_id_0> foo</s>', { addEos: false })).toEqual([32099, 5575, 32, 1]);
    expect(t5.encode('<extra_id_0>', PLAIN)).not.toContain(32099);
  });

  it('leaves special tokens out of decoded text unless they are asked for', async () => {
    const t5 = await open();
    const ids = [0, 32099, 8, 1712, 2, 32127, 1];
    expect(t5.decode(ids)).toBe('the cat');
    expect(t5.decode(ids, { skipSpecialTokens: false })).toBe('<pad><extra_id_0> the cat<unk></s>');
  });
});

describe('unigram', () => {
  const noisy: [keyof Noise['ids'], () => Promise<Tokenizer>][] = [
    ['t5', t5FromJson],
    ['t5', t5FromModel],
    ['modernize', () => modernize('modernize-draft', 'tokenizer.json')],
    ['modernize', () => modernize('modernize-target', 'spiece.model')],
    ['tiny', tiny],
  ];
  it.each(noisy)('gives the ids of SentencePiece on 600 texts of Unicode noise (%s)', async (name, open) => {
    const tokenizer = await open();
    const noise = json<Noise>('unicode-noise.json');
    expect(noise.texts).toHaveLength(600);
    const found = noise.texts.map((text) => tokenizer.encode(text, { ...PLAIN, addEos: false }));
    const wrong = noise.texts.flatMap((text, i) =>
      String(found[i]) === String(noise.ids[name][i]) ? [] : [{ text, found: found[i], expected: noise.ids[name][i] }],
    );
    expect(wrong).toEqual([]);
  });

  it.each(['t5', 'modernize'])('encodes and decodes any text the same way from either file (%s)', async (name) => {
    const one = await (name === 't5' ? t5FromJson() : modernize('modernize-draft', 'tokenizer.json'));
    const two = await (name === 't5' ? t5FromModel() : modernize('modernize-target', 'spiece.model'));
    expect(firstVocabularyDifference(one, two)).toBeNull();
    fc.assert(
      fc.property(texts, fc.boolean(), (text, parseSpecial) => {
        const ids = one.encode(text, { parseSpecial });
        expect(two.encode(text, { parseSpecial })).toEqual(ids);
        expect(two.decode(ids)).toBe(one.decode(ids));
      }),
    );
  });

  it('decodes what it has encoded to the same text, where normalising changes nothing', async () => {
    const t5 = await t5FromModel();
    fc.assert(
      fc.property(fc.lorem({ mode: 'sentences' }), (text) => {
        expect(t5.decode(t5.encode(text))).toBe(text);
      }),
    );
  });

  it('encodes a megabyte without a space, and a megabyte of unknown characters', async () => {
    const t5 = await t5FromModel();
    expect(t5.decode(t5.encode('a'.repeat(1e6)))).toBe('a'.repeat(1e6));
    expect(t5.encode('生'.repeat(3e5))).toEqual([3, 2, 1]);
  });
});
