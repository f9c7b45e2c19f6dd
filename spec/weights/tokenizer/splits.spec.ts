/** How the steps of tokenizer.json find and split text: each kind of expression and of split, and what is refused. */
import { readPattern } from '../../../weights/tokenizer/pipeline/pattern';
import { readPreTokenizer, type Words } from '../../../weights/tokenizer/pipeline/pre-tokenizers';

/** The words of a part. */
const wordsOf = (words: Words) => [...words].filter((word) => word !== undefined);

describe('a pattern', () => {
  const found = (Regex: string, text: string) =>
    [...readPattern({ Regex }, 'x').find(text)].flatMap((match) => match?.[0] ?? []);

  it.each<[string, string, string[]]>([
    ['a.c', 'abc a\nc', ['abc']],
    ['\\.', 'a.b', ['.']],
    ['\\s+', 'a \u00a0\u3000\tb', [' \u00a0\u3000\t']],
    ['\\S', ' a\u3000b', ['a', 'b']],
    ['\\d', 'a1٣²', ['1', '٣']],
    ['\\D', '1a', ['a']],
    ['\\w+', 'é_1-ß', ['é_1', 'ß']],
    ['\\W+', 'é_1-ß', ['-']],
    ['[\\w-]+', 'a-b c', ['a-b', 'c']],
    ['[\\d\\-x]+', '1-x2y', ['1-x2']],
    ['[^\\s\\w]+', 'a,. b', [',.']],
    ['[.*(){}|/$+?^]+', 'a.*(){}|/$+?^b', ['.*(){}|/$+?^']],
    ['[^a]', 'ab', ['b']],
    ['\\n|\\r|\\t', 'a\n\r\tb', ['\n', '\r', '\t']],
    ['a{2}', 'aaaaa', ['aa', 'aa']],
    ['a{2,}', 'aaaaa a', ['aaaaa']],
    ['a{1,2}b', 'aaab', ['aab']],
    ['ab?', 'aab', ['a', 'ab']],
    ['a+?', 'aa', ['a', 'a']],
    ['(?:ab)c|d', 'abcd', ['abc', 'd']],
    ['(ab|c)d', 'abdcd', ['abd', 'cd']],
    ['a(?=b)', 'aab', ['a']],
    ['a(?!b)', 'aab', ['a']],
    ['(?<=a)b', 'ab bb', ['b']],
    ['(?<!a)b', 'ab b', ['b']],
    ['\\p{L}+', 'aé1', ['aé']],
    ['\\P{L}', 'a1', ['1']],
    ['[\\p{N}]', 'a1', ['1']],
    ['\\/\\"', '/"', ['/"']],
    ['😀', 'a😀', ['😀']],
    ['[😀]', 'a😀', ['😀']],
    ['a+b+|c+d+', 'aabb ccd', ['aabb', 'ccd']],
    ['(a)?b', 'ab', ['ab']],
    ['a+b+c+|b', 'abbcab', ['abbc', 'b']],
    ['a{1,2}?', 'aa', ['a', 'a']],
    ['a(?=b{1,2}c|d)', 'abbcadabd', ['a', 'a']],
  ])('%j finds in %j: %j', (pattern, text, matches) => {
    expect(found(pattern, text)).toEqual(matches);
  });

  it.each([
    ...[
      'a*+b',
      'a?+',
      '(ab)+',
      '(ab)*',
      '(ab){2}',
      '()?a',
      '(?<n>a)',
      '(?i)a',
      '(?>a)',
      '^a',
      'a$',
      'a}',
      ']',
      '{',
      '*a',
      '+',
    ],
    ...[
      '[[a]]',
      '[a&&b]',
      '[a',
      '[a\\',
      '\\b',
      '\\1',
      '\\x41',
      '\\',
      'a(?=b+)',
      '(?<=a*)b',
      '(?!a?b?)c',
      '(?=(?:a|b))c',
      'a{1000}',
      '(a?)?b',
      '[\\W]',
      '\\p{Nothing}',
      'a|',
    ],
    ...['a*'],
  ])('%j is refused', (pattern) => {
    const refusal = /^x: (the expression|an expression that matches nothing) ".*", which is not supported$/;
    expect(() => readPattern({ Regex: pattern }, 'x')).toThrow(refusal);
  });

  it('has at most 128 ways to go on in different ways to one place', () => {
    expect(found(`${'a?'.repeat(128)}b`, 'aab')).toEqual(['aab']);
    expect(() => found(`${'a?'.repeat(129)}b`, 'aab')).toThrow(/^x: the expression "a/);
  });

  it('has at most 2,000 characters, of which a message shows the first; a text is taken as it is', () => {
    expect(found('x'.repeat(2000), 'x'.repeat(4001))).toHaveLength(2);
    expect(() => readPattern({ Regex: `${'x'.repeat(2000)}y` }, 'x')).toThrow(/^x: the expression "x{70,100}…/);
    const odd = '\\^$.*+?()[]{}|/';
    const places = (sought: string, text: string) =>
      [...readPattern({ String: sought }, 'x').find(text)].map((one) => one?.index);
    expect(places(odd, `a${odd}${odd}`)).toEqual([1, 1 + odd.length]);
    expect(places('a.', 'ab')).toEqual([]);
    expect(() => readPattern({ String: '' }, 'x')).toThrow(/^x is not a text$/);
    expect(() => readPattern('a', 'x')).toThrow(/^x is not an object$/);
  });
});

describe('a pre-tokeniser', () => {
  const parts = (step: unknown, text: string) =>
    wordsOf(readPreTokenizer(step)({ text, head: text === '' ? 0 : 1 })).map((part) => part.text);
  const split = (behavior: string, more: object = {}) => ({
    type: 'Split',
    pattern: { String: '-' },
    behavior,
    ...more,
  });

  it.each<[unknown, string, string[]]>([
    [null, 'a b', ['a b']],
    [null, '', []],
    [undefined, 'a', ['a']],
    [{ type: 'WhitespaceSplit' }, ' a\u3000b ', ['a', 'b']],
    [{ type: 'Whitespace' }, 'ab, c_d!?', ['ab', ',', 'c_d', '!?']],
    [{ type: 'Digits' }, 'a12b3', ['a', '12', 'b', '3']],
    [{ type: 'Digits', individual_digits: true }, 'a12b', ['a', '1', '2', 'b']],
    [{ type: 'Punctuation' }, 'a,.b', ['a', ',', '.', 'b']],
    [{ type: 'Punctuation', behavior: 'Contiguous' }, 'a,.b', ['a', ',.', 'b']],
    [{ type: 'Punctuation', behavior: 'Removed' }, 'a$+b', ['a', 'b']],
    [{ type: 'BertPreTokenizer' }, 'a b, c', ['a', 'b', ',', 'c']],
    [{ type: 'CharDelimiterSplit', delimiter: '-' }, 'a-b--c', ['a', 'b', 'c']],
    [split('Removed'), '-a--b', ['a', 'b']],
    [split('Isolated'), '-a--b', ['-', 'a', '-', '-', 'b']],
    [split('Contiguous'), '-a--b', ['-', 'a', '--', 'b']],
    [split('MergedWithPrevious'), '-a--b', ['-', 'a-', '-', 'b']],
    [split('MergedWithNext'), '-a--b-', ['-a', '-', '-b', '-']],
    [split('Removed', { invert: true }), '-a--b', ['-', '-', '-']],
    [split('Isolated', { invert: true }), 'ab-c', ['ab', '-', 'c']],
    [{ type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, split('Removed')] }, 'a-b c', ['a', 'b', 'c']],
    [{ type: 'Sequence', pretokenizers: [] }, '', []],
    [{ type: 'Sequence', pretokenizers: [] }, 'a b', ['a b']],
    [{ type: 'Metaspace' }, 'a b', ['▁a', '▁b']],
    [{ type: 'Metaspace' }, ' a', ['▁a']],
    [{ type: 'Metaspace' }, '', []],
    [{ type: 'Metaspace', split: false }, 'a b', ['▁a▁b']],
    [{ type: 'Metaspace', prepend_scheme: 'never' }, 'a b', ['a', '▁b']],
    [{ type: 'Metaspace', add_prefix_space: false, prepend_scheme: 'always' }, 'a b', ['a', '▁b']],
    [{ type: 'Metaspace', replacement: '_' }, 'a b', ['_a', '_b']],
    [{ type: 'ByteLevel' }, "a's  b1", ['Ġa', "'s", 'Ġ', 'Ġb', '1']],
    [{ type: 'ByteLevel', add_prefix_space: false }, 'é b', ['Ã©', 'Ġb']],
    [{ type: 'ByteLevel', use_regex: false }, 'a b', ['ĠaĠb']],
    [{ type: 'ByteLevel' }, ' a', ['Ġa']],
    [{ type: 'ByteLevel', use_regex: false }, '', []],
  ])('%j splits %j into %j', (step, text, expected) => {
    expect(parts(step, text)).toEqual(expected);
  });

  it('knows which part the input begins with: only there the scheme first puts a symbol', () => {
    const step = { type: 'Metaspace', prepend_scheme: 'first' };
    expect(wordsOf(readPreTokenizer(step)({ text: 'a b', head: 1 })).map((part) => part.text)).toEqual(['▁a', '▁b']);
    expect(wordsOf(readPreTokenizer(step)({ text: 'a b', head: 0 })).map((part) => part.text)).toEqual(['a', '▁b']);
    const all = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, step] };
    expect(wordsOf(readPreTokenizer(all)({ text: 'a b', head: 1 })).map((part) => part.text)).toEqual(['▁a', 'b']);
    const spaced = wordsOf(readPreTokenizer({ type: 'ByteLevel', use_regex: false })({ text: 'a', head: 1 }));
    expect(spaced).toEqual([{ text: 'Ġa', head: 2 }]);
    expect(wordsOf(readPreTokenizer({ type: 'ByteLevel', use_regex: false })({ text: 'a', head: 0 }))[0].head).toBe(0);
  });

  it.each<[unknown, RegExp]>([
    [{ type: 'UnicodeScripts' }, /^pre_tokenizer "UnicodeScripts", which is not supported$/],
    [{ type: 'constructor' }, /^pre_tokenizer "constructor"/],
    [{ type: null }, /^pre_tokenizer null/],
    ['Metaspace', /^pre_tokenizer is not an object$/],
    [{ type: 'Sequence' }, /^pretokenizers is not a list$/],
    [split('Merged'), /^the behavior of a split "Merged"/],
    [split('Removed', { pattern: 3 }), /^pre_tokenizer Split is not an object$/],
    [{ type: 'Punctuation', behavior: 'removed' }, /^the behavior of a split "removed"/],
    [{ type: 'CharDelimiterSplit' }, /^pre_tokenizer CharDelimiterSplit is not a text$/],
    [{ type: 'Metaspace', replacement: '' }, /^Metaspace.replacement ""/],
    [{ type: 'Metaspace', replacement: 5 }, /^Metaspace.replacement 5/],
    [{ type: 'Metaspace', prepend_scheme: 'last' }, /^prepend_scheme "last"/],
  ])('%j is refused', (step, message) => {
    expect(() => readPreTokenizer(step)).toThrow(message);
  });
});
