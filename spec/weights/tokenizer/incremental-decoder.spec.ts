import fc from 'fast-check';
import type { Tokenizer } from '../../../weights';
import { bytes, modernize, t5FromModel, tiny } from './files';
import { spiece } from './spiece-writer';

const fallback = () => import('./files').then(({ load }) => load({ 'spiece.model': spiece({ byteFallback: true }) }));

const tokenizers: [string, () => Promise<Tokenizer>][] = [
  ['T5', t5FromModel],
  ['the bundled pair', () => modernize('modernize-draft', 'tokenizer.json')],
  ['a tiny vocabulary', tiny],
  ['ByT5', bytes],
  ['byte fallback', fallback],
];

describe.each(tokenizers)('the text stream of %s', (_, open) => {
  it('adds up to decode(ids) for any ids, special and unknown ones among them', async () => {
    const tokenizer = await open();
    const ids = fc.array(fc.integer({ min: 0, max: tokenizer.vocabularySize + 3 }), { maxLength: 40 });
    fc.assert(
      fc.property(ids, (list) => {
        const stream = tokenizer.incrementalDecoder();
        expect(list.map((id) => stream.push(id)).join('') + stream.end()).toBe(tokenizer.decode(list));
      }),
    );
  });

  it('never takes back: what a prefix has pushed begins the whole text', async () => {
    const tokenizer = await open();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        const ids = tokenizer.encode(text);
        const whole = tokenizer.decode(ids);
        const stream = tokenizer.incrementalDecoder();
        let sofar = '';
        for (const id of ids) {
          sofar += stream.push(id);
          expect(whole.startsWith(sofar)).toBe(true);
        }
      }),
    );
  });
});

describe('held-back bytes', () => {
  it('come out with the last byte of their character', async () => {
    const byt5 = await bytes();
    const stream = byt5.incrementalDecoder();
    expect(byt5.encode('é😊', { addEos: false }).map((id) => stream.push(id))).toEqual(['', 'é', '', '', '', '😊']);
  });

  it('are bytes + 3 for ByT5, and decode as UTF-8 with ill-formed bytes left out', async () => {
    const byt5 = await bytes();
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (raw) => {
        const expected = decoder.decode(raw).replaceAll('\ufffd', '');
        expect(byt5.decode(Array.from(raw, (byte) => byte + 3)).replaceAll('\ufffd', '')).toBe(expected);
      }),
    );
    expect([byt5.encode('a'), byt5.id('<extra_id_0>'), byt5.vocabularySize]).toEqual([[100, 1], 259, 384]);
  });

  it('spell out unknown characters under byte fallback, U+FFFD for a broken one', async () => {
    const tokenizer = await fallback();
    const ids = tokenizer.encode('a生', { addEos: false });
    expect(ids.map((id) => tokenizer.piece(id))).toEqual(['▁', 'a', '<0xE7>', '<0x94>', '<0x9F>']);
    expect(tokenizer.decode(ids)).toBe('a生');
    expect(tokenizer.decode(ids.slice(0, 4))).toBe('a\ufffd');
  });
});
