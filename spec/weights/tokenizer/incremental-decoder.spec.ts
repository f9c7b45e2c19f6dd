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

describe.each(tokenizers)('the incremental decoder of %s', (_, open) => {
  it('gives the text of decode(ids), for any ids, special and unknown ones among them', async () => {
    const tokenizer = await open();
    const ids = fc.array(fc.integer({ min: 0, max: tokenizer.vocabularySize + 3 }), { maxLength: 40 });
    fc.assert(
      fc.property(ids, (list) => {
        const decoder = tokenizer.incrementalDecoder();
        expect(list.map((id) => decoder.push(id)).join('') + decoder.end()).toBe(tokenizer.decode(list));
      }),
    );
  });

  it('never takes text back: the text of a prefix of the ids begins the text of all of them', async () => {
    const tokenizer = await open();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (source) => {
        const ids = tokenizer.encode(source);
        const whole = tokenizer.decode(ids);
        const decoder = tokenizer.incrementalDecoder();
        let text = '';
        for (const id of ids) {
          text += decoder.push(id);
          expect(whole.startsWith(text)).toBe(true);
        }
      }),
    );
  });
});

describe('bytes of a character that is not complete', () => {
  it('come out with the last byte of their character', async () => {
    const byt5 = await bytes();
    const decoder = byt5.incrementalDecoder();
    expect(byt5.encode('é😊', { addEos: false }).map((id) => decoder.push(id))).toEqual(['', 'é', '', '', '', '😊']);
  });

  it('spell out unknown characters under byte fallback, U+FFFD for each byte of a broken one', async () => {
    const tokenizer = await fallback();
    const ids = tokenizer.encode('a生', { addEos: false });
    expect(ids.map((id) => tokenizer.piece(id))).toEqual(['▁', 'a', '<0xE7>', '<0x94>', '<0x9F>']);
    expect(tokenizer.decode(ids)).toBe('a生');
    expect(tokenizer.decode(ids.slice(0, 4))).toBe('a\ufffd\ufffd');
  });
});
