import fc from 'fast-check';
import { counted, nearest, printable, quoted, shortened } from '../../common';

describe('text from outside', () => {
  it('never keeps a control character or a mark of direction', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const character of printable(text))
          expect(character).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
    expect(printable('a\u001b[31mb\u0000\n\u009b\u202e')).toBe('a\\x1b[31mb\\x00\\x0a\\x9b\\u202e');
  });

  it('keeps all other text as it is', () => {
    expect(printable('Zürich, 東京, 👍 – “fine”')).toBe('Zürich, 東京, 👍 – “fine”');
  });

  it('quotes briefly, whatever the value', () => {
    fc.assert(fc.property(fc.anything(), (value) => expect(quoted(value).length).toBeLessThan(500)));
    expect(quoted('x'.repeat(1e6))).toHaveLength(83);
    expect(quoted([1, 2])).toBe('[1, 2]');
  });

  it('counts things, of which one is no plural', () => {
    expect([0, 1, 2].map((count) => counted(count, 'call'))).toEqual(['0 calls', '1 call', '2 calls']);
  });

  it('finds the known word that was meant, and none that is far away', () => {
    const known = ['maxNewTokens', 'minNewTokens', 'temperature', 'topK'];
    expect(nearest('max_new_tokens', known)).toBe('maxNewTokens');
    expect(nearest('temprature', known)).toBe('temperature');
    expect(nearest('top-k', known)).toBe('topK');
    expect(nearest('verification', known)).toBeNull();
  });

  /** Levenshtein's distance by its definition. */
  const distance = (a: string, b: string): number => {
    if (a === '' || b === '') return a.length + b.length;
    const [restA, restB] = [a.slice(1), b.slice(1)];
    if (a[0] === b[0]) return distance(restA, restB);
    return 1 + Math.min(distance(restA, b), distance(a, restB), distance(restA, restB));
  };

  it('finds the first of the nearest words, by Levenshtein, where a third of the letters or two are wrong', () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.oneof(words, fc.constant('abcabcabc')), fc.array(words, { maxLength: 5 }), (word, known) => {
        const distances = known.map((one) => distance(word, one));
        const least = Math.min(...distances);
        const found = least <= Math.max(2, Math.floor(word.length / 3)) ? known[distances.indexOf(least)] : null;
        expect(nearest(word, known)).toBe(found);
      }),
    );
    expect(nearest('abcdefghi', ['abcdef'])).toBe('abcdef');
    expect(nearest('abcdefgh', ['abcde'])).toBeNull();
    expect(nearest('AB-cd', ['a_b_c_d_xy'])).toBe('a_b_c_d_xy');
  });

  it('looks at the first 64 letters of a word, whatever follows', () => {
    const long = 'x'.repeat(1 << 22);
    expect(nearest(long, ['x'.repeat(64)])).toBe('x'.repeat(64));
    expect(nearest(long, ['y'])).not.toBeNull();
  });

  it('is as it is up to the limit, and its beginning and a sign from there on', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(12), (text, longest) => {
        expect(shortened(text, longest)).toBe(text.length > longest ? `${text.slice(0, longest)}…` : text);
      }),
    );
    expect(shortened('x'.repeat(80))).toBe('x'.repeat(80));
    expect(shortened('x'.repeat(81))).toBe(`${'x'.repeat(80)}…`);
  });

  it('is quoted by what it is', () => {
    const ten = Array.from({ length: 10 }, (_, i) => i);
    expect(quoted(ten)).toBe('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]');
    expect(quoted([...ten, 10])).toBe('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …]');
    expect(quoted(['a', null, {}, [], undefined, () => 1])).toMatch(/^\[a, null, an object, an object, undefined, /);
    expect(quoted(['\n'])).toBe('[\\x0a]');
    expect([5n, () => 1, new Map(), null, undefined, true, 1.5, Symbol('s')].map(quoted)).toEqual([
      ...['5n', 'a function', 'an object (Map)', 'null', 'undefined', 'true', '1.5', 'Symbol(s)'],
    ]);
    expect(quoted({ [Symbol.toStringTag]: 'a\u001b' })).toBe('an object (a\\x1b)');
    expect(quoted({ [Symbol.toStringTag]: 'y'.repeat(200) })).toHaveLength('an object ()'.length + 81);
    expect(quoted('\u001b')).toBe("'\\x1b'");
  });
});
