import fc from 'fast-check';
import { cleaningDecoder, cleanUp } from '../../../weights/tokenizer/clean-up';
import { data, load } from './files';

describe('clean_up_tokenization_spaces', () => {
  it("takes out the spaces that transformers' clean_up_tokenization takes out", async () => {
    const t5 = await load({
      'tokenizer.json': data('t5.tokenizer.json'),
      'tokenizer_config.json': JSON.stringify({ clean_up_tokenization_spaces: true }),
    });
    // As T5TokenizerFast (transformers 4.57.6) decodes its own ids.
    const ids = t5.encode('This is a . And , x ! ?');
    expect(t5.decode(ids, { skipSpecialTokens: false })).toBe('This is a. And, x!?</s>');
    expect(cleanUp("I do n't , you 're ' so ' I 'm he 's we 've .")).toBe("I don't, you're'so'I'm he's we've.");
  });

  it('gives the same text when it comes in pieces, and takes nothing back', () => {
    const part = fc.constantFrom(
      ' ',
      ' ',
      "'",
      '.',
      ',',
      'n',
      't',
      's',
      'v',
      'e',
      'r',
      'm',
      '?',
      'x',
      " n't",
      " 've",
      " ' ",
    );
    let changed = 0;
    fc.assert(
      fc.property(fc.array(part, { maxLength: 24 }), (parts) => {
        const decoder = cleaningDecoder({ push: (id) => parts[id], end: () => '' });
        const whole = cleanUp(parts.join(''));
        let text = '';
        for (const i of parts.keys()) {
          text += decoder.push(i);
          expect(whole.startsWith(text)).toBe(true);
        }
        expect(text + decoder.end()).toBe(whole);
        if (whole !== parts.join('')) changed++;
      }),
      { numRuns: 20_000 },
    );
    expect(changed).toBeGreaterThan(5000);
  });
});
