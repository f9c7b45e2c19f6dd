import fc from 'fast-check';
import { normalize } from '../../../weights/tokenizer/normalize';
import { atOnce } from '../../../weights/tokenizer/steps';
import type { NormalizerSpec } from '../../../weights/tokenizer/vocabulary';

const MARK = '\u2581';
const spec = (addDummyPrefix: boolean, removeExtraWhitespaces: boolean, escapeWhitespaces: boolean): NormalizerSpec =>
  ({ addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces }) as NormalizerSpec;

/** What SentencePiece's three switches mean, on whole texts. */
function plain(text: string, { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces }: NormalizerSpec): string {
  const tidy = removeExtraWhitespaces ? text.replace(/ +/g, ' ').replace(/^ | $/g, '') : text;
  const spaced = addDummyPrefix && tidy !== '' ? ` ${tidy}` : tidy;
  return escapeWhitespaces ? spaced.replaceAll(' ', MARK) : spaced;
}

describe('normalising without a charsmap', () => {
  it('does what each switch says, to any text', () => {
    const text = fc.string({ unit: fc.constantFrom(' ', 'a', 'ß', '字', '\u{1f600}', '\t', '\n'), maxLength: 12 });
    fc.assert(
      fc.property(text, fc.boolean(), fc.boolean(), fc.boolean(), (text, prefix, removes, escapes) => {
        const switches = spec(prefix, removes, escapes);
        const out = atOnce(normalize({ spec: switches, charsmap: null, userDefined: null }, Buffer.from(text)));
        expect(Buffer.from(out).toString()).toBe(plain(text, switches));
      }),
      { numRuns: 500 },
    );
  });
});
