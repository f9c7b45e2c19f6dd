import fc from 'fast-check';
import { SuffixAutomaton } from '../../../decoding/drafters/suffix-automaton';

const token = fc.integer({ min: 0, max: 3 });
const text = fc.array(token, { maxLength: 40 });

/** Longest suffix of `read` that occurs in `tokens`, and the end of its first occurrence, by trying all. */
function longest(tokens: readonly number[], read: readonly number[]): { length: number; end: number } {
  for (let length = Math.min(read.length, tokens.length); length > 0; length--) {
    const suffix = read.slice(read.length - length);
    for (let start = 0; start + length <= tokens.length; start++) {
      if (suffix.every((value, i) => tokens[start + i] === value)) return { length, end: start + length };
    }
  }
  return { length: 0, end: 0 };
}

describe('the suffix automaton', () => {
  it('finds the longest suffix of what is read and its first occurrence, as trying all does', () => {
    fc.assert(
      fc.property(text, text, (tokens, read) => {
        const automaton = new SuffixAutomaton(tokens);
        let cursor = automaton.cursor();
        for (let i = 0; i < read.length; i++) {
          cursor = automaton.step(cursor, read[i]);
          const expected = longest(tokens, read.slice(0, i + 1));
          expect({ length: cursor.length, end: automaton.end(cursor) }).toEqual(expected);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('has at most 2n states for n tokens', () => {
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 300 }), (tokens) => {
        expect(new SuffixAutomaton(tokens).size).toBeLessThanOrEqual(2 * tokens.length);
      }),
    );
  });
});
