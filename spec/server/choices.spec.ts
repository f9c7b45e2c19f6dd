import fc from 'fast-check';
import type { TokenStreamEvent } from '../../api';
import { finishReason, GrowingChoice } from '../../server/choices';
import { Pieces } from '../../server/pieces';

/** Ids of several texts, some of them the same. */
const TEXTS = ['a', 'b', 'ab', '�', '�', '', 'toString'];

/** Texts of ids, and how often each was asked for. */
function tableOf(hasTokenizer = true) {
  const asked: (readonly number[])[] = [];
  const tandem = {
    hasTokenizer,
    decode: async (ids: readonly number[], options: object) => {
      expect(options).toEqual({ skipSpecialTokens: false });
      asked.push(ids);
      // A text's first token loses the space that it begins with.
      return ids
        .map((id) => ` ${TEXTS[id]}`)
        .join('')
        .slice(1);
    },
  };
  return { asked, pieces: new Pieces(tandem as never) };
}

const id = fc.nat(TEXTS.length - 1);
const logProb = fc.double({ min: -20, max: 0, noNaN: true });
const tops = fc.uniqueArray(fc.record({ token: id, logProb }), { selector: ({ token }) => token, maxLength: 5 });
const events = fc.array(fc.record({ token: id, text: fc.string({ maxLength: 3 }), logProb, top: tops }), {
  maxLength: 6,
});
const asEvent = (fields: object) => fields as TokenStreamEvent;

describe('a choice', () => {
  test('grows by what each token brings, with one entry a token; the offset is where its text begins', async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.constantFrom(null, 0, 3), async (list, logprobs) => {
        const choice = new GrowingChoice(4, logprobs, tableOf().pieces);
        const empty = { tokens: [], token_logprobs: [], top_logprobs: logprobs ? [] : null, text_offset: [] };
        expect(choice.whole).toEqual({
          index: 4,
          text: '',
          logprobs: logprobs === null ? null : empty,
          finish_reason: null,
        });
        let text = '';
        for (const one of list) {
          const top = [...one.top].sort((a, b) => b.logProb - a.logProb);
          const part = await choice.push(asEvent({ ...one, top }));
          const own = ` ${TEXTS[one.token]}`;
          const named = new Map<string, number>();
          for (const other of top) {
            const name = ` ${TEXTS[other.token]}`;
            if (!named.has(name)) named.set(name, other.logProb);
          }
          if (!named.has(own)) named.set(own, one.logProb);
          expect(part).toEqual({
            ...{ index: 4, text: one.text, finish_reason: null },
            logprobs:
              logprobs === null
                ? null
                : {
                    ...{ tokens: [own], token_logprobs: [one.logProb], text_offset: [text.length] },
                    top_logprobs: logprobs > 0 ? [Object.fromEntries(named)] : null,
                  },
          });
          text += one.text;
        }
        expect(choice.whole.text).toBe(text);
        if (choice.whole.logprobs === null) return;
        const { tokens, token_logprobs, text_offset, top_logprobs } = choice.whole.logprobs;
        expect([tokens.length, token_logprobs, text_offset.length]).toEqual([
          ...[list.length, list.map((one) => one.logProb), list.length],
        ]);
        expect(top_logprobs?.length).toBe(logprobs ? list.length : undefined);
      }),
    );
  });

  test('has no entry for what was not asked for, nor for a token without a log-probability', async () => {
    const { asked, pieces } = tableOf();
    expect(await new GrowingChoice(0, null, pieces).push(asEvent({ token: 1, text: 'b', logProb: -1 }))).toMatchObject({
      logprobs: null,
    });
    const choice = new GrowingChoice(0, 2, pieces);
    expect((await choice.push(asEvent({ token: 1, text: 'b' }))).logprobs).toBeNull();
    expect(choice.whole).toMatchObject({ text: 'b', logprobs: { tokens: [], top_logprobs: [] } });
    expect(asked).toEqual([]);
    const own = await choice.push(asEvent({ token: 1, text: 'b', logProb: -1 }));
    expect(own.logprobs?.top_logprobs).toEqual([{ ' b': -1 }]);
  });

  test('asks for the text of each token once, and names ids where there is no tokenizer', async () => {
    const { asked, pieces } = tableOf();
    for (const token of [2, 0, 2, 2, 0]) expect(await pieces.of(token)).toBe(` ${TEXTS[token]}`);
    expect(asked).toEqual([[2], [2, 2], [0], [0, 0]]);
    const none = tableOf(false);
    expect([await none.pieces.of(3), none.asked]).toEqual(['token_id:3', []]);
  });

  test.each([
    ['length', 'length'],
    ['eos', 'stop'],
    ['stop', 'stop'],
  ])('that ended by %s says %s', (reason, said) => {
    expect(finishReason(reason as never)).toBe(said);
  });
});
