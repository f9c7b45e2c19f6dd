import fc from 'fast-check';
import { checkInput, checkSource, isMany } from '../../api/inputs';
import { TandemError } from '../../common';

const id = fc.nat(1 << 20);
const lists = fc.oneof(
  fc.array(id, { maxLength: 6 }),
  fc.array(id, { maxLength: 6 }).map((ids) => Int32Array.from(ids)),
  fc.array(id, { maxLength: 6 }).map((ids) => Uint32Array.from(ids)),
);

/** The message for an input that is refused; null for one that is accepted. */
function refusal(check: (input: unknown, where: string) => void, input: unknown): string | null {
  try {
    check(input, 'here');
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(TandemError);
    expect((error as TandemError).code).toBe('argument-invalid');
    return (error as Error).message;
  }
}

const neither = (found: string) => `here: expected text or a list of token ids, found ${found}`;

describe('an input', () => {
  it('is text or a list of whole numbers', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), lists), (input) => {
        expect([refusal(checkInput, input), refusal(checkSource, input)]).toEqual([null, null]);
      }),
    );
    for (const check of [checkInput, checkSource]) {
      for (const [input, found] of [
        [null, 'null'],
        [undefined, 'undefined'],
        [7, '7'],
        [true, 'true'],
        [{}, 'an object (Object)'],
        [new Float64Array(2), 'an object (Float64Array)'],
        [new Set([1]), 'an object (Set)'],
      ] as const) {
        expect(refusal(check, input)).toBe(neither(found));
      }
    }
  });

  it('is refused at the first place that is no whole number, holes with it', () => {
    const wrong = fc.constantFrom<unknown>(1.5, Number.NaN, Infinity, '3', null, undefined, 2 ** 53, [1]);
    fc.assert(
      fc.property(
        fc.array(id, { maxLength: 4 }),
        wrong,
        fc.array(fc.oneof(id, wrong), { maxLength: 3 }),
        (before, one, after) => {
          const message = refusal(checkInput, [...before, one, ...after]);
          expect(message).toMatch(/^here: expected text or a list of token ids, found /);
          expect(message?.endsWith(` at place ${before.length}`)).toBe(true);
        },
      ),
    );
    const list = [1, 2, 3];
    delete list[1];
    expect(refusal(checkInput, list)).toBe(neither('undefined at place 1'));
  });

  it('may have a mask of as many zeros and ones as it has ids', () => {
    fc.assert(
      fc.property(
        lists,
        fc.infiniteStream(fc.constantFrom(0, 1)),
        fc.integer({ min: -1, max: 1 }),
        (ids, bits, more) => {
          fc.pre(ids.length + more >= 0);
          const mask = [...bits.take(ids.length + more)];
          for (const given of [mask, Uint8Array.from(mask), Int32Array.from(mask)]) {
            const expected =
              more === 0 ? null : `here: mask: expected ${ids.length} numbers, one an id, found ${mask.length}`;
            expect(refusal(checkSource, { ids, mask: given })).toBe(expected);
          }
        },
      ),
    );
  });

  it('with a mask is refused by what is wrong with it', () => {
    const ids = [4, 5, 6];
    for (const [input, message] of [
      [{ ids, mask: [1, 2, 3] }, 'here: mask: expected 0 or 1, found 2 at place 1'],
      [{ ids, mask: [0, 1, true] }, 'here: mask: expected 0 or 1, found true at place 2'],
      [{ ids, mask: [-1, 1, 1] }, 'here: mask: expected 0 or 1, found -1 at place 0'],
      [{ ids }, 'here: mask: expected a list of 0 and 1, found undefined'],
      [{ ids, mask: '101' }, "here: mask: expected a list of 0 and 1, found '101'"],
      [{ ids: 'abc', mask: [1, 1, 1] }, 'here: expected token ids beside a mask, found text'],
      [{ mask: [1] }, 'here: ids: expected text or a list of token ids, found undefined'],
      [{ ids: [1, 'x', 2], mask: [1, 1, 1] }, "here: ids: expected text or a list of token ids, found 'x' at place 1"],
      [{ ids, mask: [1, 1, 1], extra: 1 }, "here: expected { ids, mask }, found another member, 'extra'"],
    ] as const) {
      expect(refusal(checkSource, input)).toBe(message);
    }
    expect(refusal(checkInput, { ids, mask: [1, 1, 1] })).toBe(neither('an object (Object)'));
  });

  it('is many where it is a list that does not begin with a number', () => {
    for (const many of [[], ['a'], [[1]], [{ ids: [1], mask: [1] }]]) expect(isMany(many as never)).toBe(true);
    for (const one of ['a', [1], [0], Int32Array.of(1), new Int32Array(0), { ids: [1], mask: [1] }])
      expect(isMany(one as never)).toBe(false);
  });
});
