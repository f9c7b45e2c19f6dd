/** Ids of an input: of a tokenizer that gives each letter its own id, with EOS = 1 at the end. */
import fc from 'fast-check';
import type { Loaded } from '../../api/load';
import {
  idsOfText,
  isMasked,
  neededTokenizer,
  sourceIds,
  sourceOf,
  withoutLongText,
  withoutLongTexts,
} from '../../api/source';

const EOS = 1;
const LONG = 1 << 16;

function made({ sourceLength = null as number | null, prefix = '', inParts = true, tokenizer = true } = {}) {
  const calls = { whole: 0, parts: 0, told: [] as (readonly number[])[] };
  const idsFor = (text: string) => [...Array.from(text.trim(), (letter) => letter.charCodeAt(0)), EOS];
  const encodeInParts = async (text: string, { betweenParts }: { betweenParts: () => Promise<void> }) => {
    calls.parts++;
    await betweenParts();
    return idsFor(text);
  };
  const loaded = {
    prefix,
    sourceLength,
    target: { name: 'model', eosTokens: [EOS] },
    tokenizer: tokenizer
      ? {
          encode: (text: string, options: { parseSpecial?: boolean } = {}) => {
            calls.whole++;
            return options.parseSpecial ? [9, ...idsFor(text)] : idsFor(text);
          },
          ...(inParts && { encodeInParts }),
        }
      : null,
    tokenizerError: null,
    tellLength: (...found: number[]) => calls.told.push(found),
  } as unknown as Loaded;
  return { loaded, calls, idsFor };
}

const ids = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });

describe('the ids of an input', () => {
  it('are those of the prefix and the text, or the ids themselves, as a copy', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,9}$/), fc.constantFrom('', 'to: '), ids, (text, prefix, given) => {
        const { loaded, idsFor } = made({ prefix });
        expect(sourceIds(loaded, text)).toEqual(idsFor(prefix + text));
        expect(sourceIds(loaded, text, { parseSpecial: true })).toEqual([9, ...idsFor(prefix + text)]);
        const found = sourceIds(loaded, given);
        expect(found).toEqual(given);
        expect(found).not.toBe(given);
        expect(sourceIds(loaded, Int32Array.from(given) as never)).toEqual(given);
        expect(sourceIds(loaded, { ids: given, mask: given.map(() => 0) })).toEqual(given);
      }),
    );
    expect(() => sourceIds(made().loaded, ' ')).toThrow('text: expected at least one token, found none');
  });

  it('are cut to so many, and a closing EOS stays', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 10 }), fc.boolean(), (given, most, byModel) => {
        const { loaded } = made({ sourceLength: byModel ? most : null });
        const found = sourceIds(loaded, given, { truncate: byModel ? true : most });
        const isClosed = given.at(-1) === EOS;
        const expected =
          given.length <= most ? given : isClosed ? [...given.slice(0, most - 1), EOS] : given.slice(0, most);
        expect(found).toEqual(expected);
        expect(sourceIds(loaded, given, { truncate: false })).toEqual(given);
      }),
    );
    expect(() => sourceIds(made().loaded, [1, 2], { truncate: true })).toThrow(
      'truncate: expected a number of ids: model does not say how long a source it was made for, found true',
    );
  });

  it('keep the places of their mask when they are cut', () => {
    fc.assert(
      fc.property(
        ids,
        fc.integer({ min: 1, max: 10 }),
        fc.infiniteStream(fc.constantFrom(0, 1)),
        (given, most, bits) => {
          const mask = [...bits.take(given.length)];
          const found = sourceOf(made().loaded, { ids: given, mask }, { truncate: most }) as never as {
            ids: number[];
            mask: ArrayLike<number>;
          };
          // Each id that is left has the bit of the place that it came from: EOS that of the end, the others their own.
          const isMoved = (i: number) => given.length > most && i === most - 1 && given.at(-1) === EOS;
          expect(found.ids).toEqual(sourceIds(made().loaded, given, { truncate: most }));
          expect(Array.from(found.mask)).toEqual(found.ids.map((_, i) => mask[isMoved(i) ? given.length - 1 : i]));
        },
      ),
    );
    expect(sourceOf(made().loaded, [4, 5])).toEqual([4, 5]);
    expect([isMasked('mask'), isMasked([1]), isMasked({ ids: [1], mask: [1] })]).toEqual([false, false, true]);
  });

  it('that are more than the model was made for are told, and no others', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 9 }), (given, sourceLength) => {
        const { loaded, calls } = made({ sourceLength });
        sourceIds(loaded, given);
        expect(calls.told).toEqual(given.length > sourceLength ? [[given.length, sourceLength]] : []);
      }),
    );
    const { loaded, calls } = made();
    sourceIds(loaded, [1, 2, 3]);
    expect(calls.told).toEqual([]);
  });

  it('of text need a tokenizer, and the error says why there is none', () => {
    const { loaded } = made({ tokenizer: false });
    expect(() => sourceIds(loaded, 'a')).toThrow(
      'model: expected a tokenizer file for text, found none; token ids can be used without one',
    );
    const tokenizerError = new Error('spiece.model: broken');
    expect(() => neededTokenizer({ ...loaded, tokenizerError } as never)).toThrow(
      expect.objectContaining({
        message: 'spiece.model: broken; token ids can be used without one',
        cause: tokenizerError,
        code: 'tokenizer-invalid',
      }),
    );
    expect(sourceIds(loaded, [3])).toEqual([3]);
  });
});

describe('a long text', () => {
  const at = (length: number) => 'a'.repeat(length);

  it('is one of 65,536 letters or more: it is encoded in parts, where the tokenizer can', async () => {
    for (const [length, inParts, parts] of [
      [LONG - 1, true, 0],
      [LONG, true, 1],
      [LONG, false, 0],
    ] as const) {
      const { loaded, calls, idsFor } = made({ inParts });
      const tokenizer = neededTokenizer(loaded);
      expect(await idsOfText(tokenizer, at(length))).toEqual(idsFor(at(length)));
      expect([calls.parts, calls.whole]).toEqual([parts, 1 - parts]);
    }
  });

  it('becomes its ids with the prefix; anything else stays as it is', async () => {
    const { loaded, calls, idsFor } = made({ prefix: 'to: ' });
    const signal = new AbortController().signal;
    const long = at(LONG);
    const inputs = ['short', [1, 2], at(LONG - 1), long, { ids: [1], mask: [1] }];
    const expected = ['short', [1, 2], at(LONG - 1), idsFor(`to: ${long}`), { ids: [1], mask: [1] }];
    for (const [i, input] of inputs.entries()) {
      expect(await withoutLongText(loaded, input, {})).toEqual(expected[i]);
    }
    expect(await withoutLongTexts(loaded, inputs, {}, signal)).toEqual(expected);
    expect(calls.parts).toBe(2);
    const blank = ' '.repeat(LONG);
    expect(await withoutLongText(made().loaded, blank, {})).toBe(blank);
    expect(await withoutLongText(made({ tokenizer: false }).loaded, long, {})).toBe(long);
  });

  it('hears a cancel between its parts', async () => {
    const { loaded } = made();
    const tokenizer = neededTokenizer(loaded);
    const reason = new Error('enough');
    await expect(idsOfText(tokenizer, at(LONG), {}, AbortSignal.abort(reason))).rejects.toMatchObject({
      code: 'aborted',
      cause: reason,
    });
    expect(await idsOfText(tokenizer, 'short', {}, AbortSignal.abort(reason))).toHaveLength(6);
  });
});
