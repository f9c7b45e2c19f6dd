import fc from 'fast-check';
import { type AddedToken, type Segment, splitterOf } from '../../../weights/tokenizer/added-tokens';
import { atOnce } from '../../../weights/tokenizer/steps';

const SPACES = [' ', '\u00a0', '\u0085'];
const WORDS = ['a', 'b', '_', 'ß', '7', '\u0301', '\u{1d54f}', '\u200d'];
/** Neither: U+FEFF is white space for JavaScript alone. */
const OTHERS = ['-', '\ufeff', '\u{1f600}'];
const ALL = [...SPACES, ...WORDS, ...OTHERS];

/** The rules once more, by simple means: the leftmost first, then the longest; tokens that do not count are passed over. */
function plain(
  text: string,
  tokens: readonly (AddedToken & { readonly spelling: string })[],
  parse: boolean,
): Segment[] {
  const segments: Segment[] = [];
  let [from, at] = [0, 0];
  const add = (end: number) => {
    if (end > from) segments.push({ text: text.slice(from, end), start: from });
  };
  while (at < text.length) {
    const here = tokens.filter(({ spelling }) => spelling !== '' && text.startsWith(spelling, at));
    const token = here.sort((a, b) => b.spelling.length - a.spelling.length)[0];
    if (token === undefined) {
      at++;
      continue;
    }
    const end = at + token.spelling.length;
    const before = [...text.slice(0, at)].at(-1) ?? ' ';
    const after = [...text.slice(end)].at(0) ?? ' ';
    const isAlone = !WORDS.includes(before) && !WORDS.includes(after);
    if ((token.special && !parse) || (token.singleWord && !isAlone)) {
      at = end;
      continue;
    }
    let [first, last] = [at, end];
    while (token.lstrip && first > from && SPACES.includes(text[first - 1])) first--;
    while (token.rstrip && SPACES.includes(text[last] ?? '')) last++;
    add(first);
    segments.push(token.id);
    [from, at] = [Math.max(first, last), end];
  }
  add(text.length);
  return segments;
}

const flag = fc.boolean();
const token = fc.record({
  spelling: fc.string({ unit: fc.constantFrom('a', '-', ' '), maxLength: 3 }),
  ...{ special: flag, lstrip: flag, rstrip: flag, singleWord: flag },
});

describe('added tokens in a text', () => {
  it('are found at the leftmost place and as long as they can be, by the rules of their flags', () => {
    const texts = fc.string({ unit: fc.constantFrom(...ALL, 'a', '-', ' ', 'a', '-', ' '), maxLength: 20 });
    const some = fc.uniqueArray(token, { maxLength: 4, selector: ({ spelling }) => spelling });
    let found = 0;
    fc.assert(
      fc.property(some, texts, flag, (list, text, parse) => {
        // White space that one token takes and another one begins with is a case of its own, which is not told apart here.
        const tokens = list.map((one, id) => {
          const outer = /^ | $/.test(one.spelling) || list.some(({ spelling }) => spelling.includes(' '));
          const strips = outer ? { lstrip: false, rstrip: false } : {};
          return { ...one, ...strips, id, content: one.spelling, normalized: false };
        });
        const split = splitterOf(
          tokens,
          tokens.map(({ spelling }) => spelling),
        );
        const segments = atOnce(split(text, parse));
        expect(segments).toEqual(plain(text, tokens, parse));
        found += segments.filter((segment) => typeof segment === 'number').length;
      }),
      { numRuns: 1000 },
    );
    expect(found).toBeGreaterThan(0);
  });
});
