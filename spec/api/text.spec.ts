import fc from 'fast-check';
import { SequenceText, StopStrings } from '../../api/text';
import type { Tokenizer } from '../../weights';

/** Cuts a text into pieces at places that fast-check chooses. */
const inPieces = (text: string) =>
  fc.array(fc.nat(text.length), { maxLength: 6 }).map((cuts) => {
    const places = [0, ...cuts.sort((a, b) => a - b), text.length];
    return places.slice(1).map((end, i) => text.slice(places[i], end));
  });

const LETTERS = fc.constantFrom('a', 'b', 'c');
const words = (least: number) => fc.array(LETTERS, { minLength: least, maxLength: 12 }).map((list) => list.join(''));
const stops = fc.array(words(1), { maxLength: 4 });

/** By definition: the text before the stop string whose last character comes first; the longest of those that end there. */
function before(text: string, list: readonly string[]): { text: string; found: boolean } {
  for (let end = 0; end <= text.length; end++) {
    const ending = list.filter((stop) => text.slice(0, end).endsWith(stop));
    if (ending.length > 0) {
      return { text: text.slice(0, end - Math.max(...ending.map((stop) => stop.length))), found: true };
    }
  }
  return { text, found: false };
}

describe('stop strings', () => {
  it('pass on the text before the first that is complete, however the text comes in pieces', () => {
    let found = 0;
    fc.assert(
      fc.property(
        words(0).chain((text) => fc.tuple(fc.constant(text), inPieces(text))),
        stops,
        ([text, pieces], list) => {
          const expected = before(text, list);
          const watch = new StopStrings(list);
          let out = '';
          for (const piece of pieces) {
            out += watch.push(piece);
            expect(expected.text.startsWith(out)).toBe(true); // nothing that a stop string cuts off has been passed on
          }
          if (!watch.found) out += watch.end();
          expect([out, watch.found]).toEqual([expected.text, expected.found]);
          if (expected.found) found++;
        },
      ),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(200);
  });

  it('keep back only what may begin a stop string', () => {
    const watch = new StopStrings(['END', 'Ego']);
    expect(['the E', 'N', 'E', 'g', ' '].map((piece) => watch.push(piece))).toEqual(['the ', '', 'EN', '', 'Eg ']);
  });

  it('give nothing after one was found', () => {
    const watch = new StopStrings(['b']);
    expect([watch.push('ab'), watch.push('cc'), watch.end(), watch.found]).toEqual(['a', '', '', true]);
  });
});

describe('the text of a sequence', () => {
  /** Each id is a character, and the text of an id comes with the next one, as in a character of several bytes. */
  const late: Tokenizer = {
    incrementalDecoder: () => {
      let kept = '';
      return {
        push: (id: number) => {
          const text = kept;
          kept = id === 1 ? '' : String.fromCharCode(95 + id);
          return text;
        },
        end: () => kept,
      };
    },
  } as unknown as Tokenizer;

  const ids = fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 12 });

  it('is what its tokens brought, joined; the last token brings what was kept back', () => {
    let cut = 0;
    fc.assert(
      fc.property(ids, fc.boolean(), stops, (tokens, endsWithEos, stop) => {
        const all = endsWithEos ? [...tokens, 1] : tokens;
        const text = new SequenceText({ tokenizer: late, eosTokens: [1], maxNewTokens: all.length, stop });
        let joined = '';
        for (const token of all) {
          const reading = text.read(token);
          joined += reading.text;
          expect(text.text).toBe(joined);
          if (reading.stop) break;
        }
        const plain = tokens.map((id) => String.fromCharCode(95 + id)).join('');
        const expected = before(plain, stop);
        expect(joined).toBe(expected.text);
        if (expected.found) cut++;
      }),
      { numRuns: 1000 },
    );
    expect(cut).toBeGreaterThan(100);
  });

  it('stays empty without a tokenizer', () => {
    const text = new SequenceText({ tokenizer: null, eosTokens: [1], maxNewTokens: 9, stop: ['a'] });
    expect([text.read(5), text.read(1), text.text]).toEqual([{ text: '', stop: false }, { text: '', stop: false }, '']);
  });
});
