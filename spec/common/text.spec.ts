import fc from 'fast-check';
import { nearest, printable, quoted } from '../../common';

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

  it('finds the known word that was meant, and none that is far away', () => {
    const known = ['maxNewTokens', 'minNewTokens', 'temperature', 'topK'];
    expect(nearest('max_new_tokens', known)).toBe('maxNewTokens');
    expect(nearest('temprature', known)).toBe('temperature');
    expect(nearest('top-k', known)).toBe('topK');
    expect(nearest('verification', known)).toBeNull();
  });
});
