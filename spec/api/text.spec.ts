import fc from 'fast-check';
import { StopStrings } from '../../api/stops';
import { SequenceText } from '../../api/text';
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
function textBefore(text: string, list: readonly string[]): { text: string; found: boolean } {
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
          const expected = textBefore(text, list);
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
    special: new Map(),
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
        const expected = textBefore(plain, stop);
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

describe('stop strings that spell special tokens', () => {
  const SPELLINGS = ['', '', 'a', 'b', 'c', '<s>', '<t>'];
  const shownOf = (ids: readonly number[]) => ids.map((id) => (id > 4 ? '' : SPELLINGS[id])).join('');
  const fullOf = (ids: readonly number[]) => ids.map((id) => SPELLINGS[id]).join('');
  const spelled = {
    special: new Map([
      ['<s>', 5],
      ['<t>', 6],
    ]),
    incrementalDecoder: ({ skipSpecialTokens = true } = {}) => ({
      push: (id: number) => (skipSpecialTokens ? shownOf : fullOf)([id]),
      end: () => '',
    }),
  } as unknown as Tokenizer;

  /** By definition: the first token with which a stop string is complete ends the text, where that stop string begins. */
  function expectedOf(ids: readonly number[], list: readonly string[]): { text: string; stopped: boolean } {
    const hidden = list.filter((stop) => /<[st]>/.test(stop));
    const plain = list.filter((stop) => !hidden.includes(stop));
    for (let count = 1; count <= ids.length; count++) {
      const some = ids.slice(0, count);
      const [inFull, inShown] = [textBefore(fullOf(some), hidden), textBefore(shownOf(some), plain)];
      const texts = [
        inFull.found ? [inFull.text.replace(/<[st]>/g, '')] : [],
        inShown.found ? [inShown.text] : [],
      ].flat();
      if (texts.length > 0) return { text: texts.sort((a, b) => a.length - b.length)[0], stopped: true };
    }
    return { text: shownOf(ids), stopped: false };
  }

  it('end the text where they begin, although the text hides special tokens; nothing is passed on that they cut off', () => {
    const stop = fc
      .array(fc.constantFrom('a', 'b', '<s>', '<t>'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join(''));
    const tokens = fc.array(fc.constantFrom(2, 2, 3, 4, 5, 5, 6), { minLength: 1, maxLength: 12 });
    let [hidden, mixed] = [0, 0];
    fc.assert(
      fc.property(tokens, fc.array(stop, { minLength: 1, maxLength: 3 }), (ids, list) => {
        const expected = expectedOf(ids, list);
        const text = new SequenceText({ tokenizer: spelled, eosTokens: [1], maxNewTokens: ids.length, stop: list });
        let [joined, stopped] = ['', false];
        for (const id of ids) {
          const reading = text.read(id);
          joined += reading.text;
          expect(expected.text.startsWith(joined)).toBe(true);
          stopped = reading.stop;
          if (stopped) break;
        }
        expect({ text: joined, stopped }).toEqual(expected);
        expect(text.text).toBe(joined);
        if (stopped && list.every((one) => one.includes('<'))) hidden++;
        else if (stopped) mixed++;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(hidden, mixed)).toBeGreaterThan(200);
  });

  it('are found in the text itself when it shows special tokens', () => {
    const ends = { tokenizer: spelled, eosTokens: [1], maxNewTokens: 9, stop: ['b<s>'], skipSpecialTokens: false };
    const text = new SequenceText(ends);
    expect([6, 2, 3, 5].map((id) => text.read(id))).toEqual([
      { text: '<t>', stop: false },
      { text: 'a', stop: false },
      { text: '', stop: false },
      { text: '', stop: true },
    ]);
  });
});
