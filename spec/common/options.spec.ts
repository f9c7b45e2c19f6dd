import fc from 'fast-check';
import {
  abortSignal,
  anyOf,
  callable,
  checkOptions,
  flagged,
  listOf,
  nothing,
  number,
  type OptionRule,
  type OptionTable,
  objectWith,
  oneOf,
  TandemError,
  text,
  whole,
} from '../../common';

const TABLE: OptionTable = {
  maxNewTokens: { ...whole(1), about: 'tokens' },
  temperature: { ...number({ least: 0 }), about: 'temperature' },
  topP: { ...number({ above: 0, most: 1 }), about: 'nucleus' },
  cutoff: { ...number({ least: 0, below: 1 }), about: 'cutoff' },
  dtype: { ...oneOf('f32', 'q8'), about: 'type' },
  stop: { ...listOf(text(1), 'a list of texts that are not empty'), about: 'stops' },
  draft: { ...anyOf(text(1), nothing), about: 'draft' },
};

const problem = (options: unknown): string => {
  try {
    checkOptions(options, TABLE, 'generate', { guidance: 'there is no guide' });
  } catch (error) {
    expect(error).toBeInstanceOf(TandemError);
    expect((error as TandemError).code).toBe('option-invalid');
    return (error as Error).message;
  }
  return 'accepted';
};

describe('options are accepted or refused by name', () => {
  it.each([
    {},
    { maxNewTokens: 1 },
    { temperature: 0, topP: 1, dtype: 'q8' },
    { stop: ['a'], draft: null },
    { temperature: undefined },
  ])('accepts %j', (options) => {
    expect(problem(options)).toBe('accepted');
  });

  it.each([
    [{ maxNewToken: 3 }, "generate: unknown option 'maxNewToken'; did you mean 'maxNewTokens'?"],
    [{ max_new_tokens: 3 }, "generate: unknown option 'max_new_tokens'; did you mean 'maxNewTokens'?"],
    [{ zzzzzzzzzz: 1 }, /^generate: unknown option 'zzzzzzzzzz'; known are maxNewTokens, /],
    [{ toString: 1 }, /unknown option 'toString'/],
    [{ maxNewTokens: 1.5 }, 'maxNewTokens: expected a whole number from 1 up, found 1.5'],
    [{ maxNewTokens: '3' }, "maxNewTokens: expected a whole number from 1 up, found '3'"],
    [{ temperature: Number.NaN }, 'temperature: expected a number from 0 up, found NaN'],
    [{ cutoff: 1 }, 'cutoff: expected a number from 0, below 1, found 1'],
    [{ cutoff: -0.1 }, 'cutoff: expected a number from 0, below 1, found -0.1'],
    [{ guidance: 2 }, "generate: expected options of Tandem, found 'guidance': there is no guide"],
    [{ topP: 0 }, 'topP: expected a number above 0, at most 1, found 0'],
    [{ dtype: 'int4' }, "dtype: expected one of f32, q8, found 'int4'"],
    [{ stop: [''] }, 'stop: expected a list of texts that are not empty, found []'],
    [{ stop: 'end' }, "stop: expected a list of texts that are not empty, found 'end'"],
    [{ draft: {} }, 'draft: expected text that is not empty, or null, found an object (Object)'],
    [null, 'generate: expected an object of options, found null'],
    ['text', "generate: expected an object of options, found 'text'"],
  ])('refuses %j', (options, message) => {
    expect(problem(options)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('reads from text what it accepts, and nothing else', () => {
    expect(whole(1, 64).parse?.('64')).toBe(64);
    expect(whole(1, 64).parse?.('65')).toBeNull();
    expect(whole(0).parse?.('1e3')).toBeNull();
    expect(number({ least: 0 }).parse?.('0.5')).toBe(0.5);
    expect(number().parse?.(' ')).toBeNull();
    expect(listOf(whole(0), 'ids').parse?.('5, 17,1')).toEqual([5, 17, 1]);
    expect(listOf(whole(0), 'ids').parse?.('5,,1')).toBeNull();
  });

  const edge = fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined });

  it('a number is inside its range, says its range, and reads from text as it is', () => {
    fc.assert(
      fc.property(edge, edge, edge, edge, (least, above, most, below) => {
        const rule = number({ least, above, most, below });
        for (let value = -4; value <= 4; value += 0.5) {
          const inside =
            (least === undefined || value >= least) &&
            (above === undefined || value > above) &&
            (most === undefined || value <= most) &&
            (below === undefined || value < below);
          expect([value, rule.holds(value)]).toEqual([value, inside]);
          expect(rule.parse?.(` ${value} `)).toBe(inside ? value : null);
        }
        for (const none of [NaN, Infinity, -Infinity, '1', null, 1n, [1]]) expect(rule.holds(none)).toBe(false);
        expect([rule.parse?.(''), rule.parse?.('1x'), rule.parse?.('Infinity')]).toEqual([null, null, null]);
        const said = rule.expected;
        expect(said).toMatch(/^a number\b/);
        const parts = [
          least !== undefined && `from ${least}`,
          above !== undefined && `above ${above}`,
          most !== undefined && `${least === undefined ? 'at most' : 'to'} ${most}`,
          below !== undefined && `below ${below}`,
        ].filter((part) => part !== false);
        for (const part of parts) expect(said).toContain(` ${part}`);
        expect(said.match(/-?\d/g) ?? []).toHaveLength(parts.length);
        expect(said.endsWith(' up')).toBe(least !== undefined && most === undefined && below === undefined);
        expect(said).not.toMatch(/, to| {2}|,$|^ | $/);
      }),
    );
    expect(number().expected).toBe('a number');
  });

  it('a whole number is inside its range, both ends with it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 5 }), fc.nat(5), (least, more) => {
        const most = least + more;
        const rule = whole(least, most);
        expect(rule.expected).toBe(`a whole number from ${least} to ${most}`);
        for (let value = least - 2; value <= most + 2; value++) {
          const inside = value >= least && value <= most;
          expect([rule.holds(value), rule.holds(value + 0.5)]).toEqual([inside, false]);
          expect(rule.parse?.(` ${value >= 0 ? '+' : ''}${value} `)).toBe(inside ? value : null);
        }
        for (const other of [NaN, '1', null, 2 ** 53]) expect(whole(0).holds(other)).toBe(false);
        for (const given of ['1.0', '0x1', '1 2', '', '1e1', 'a1', '1a']) expect(whole(-9).parse?.(given)).toBeNull();
      }),
    );
    expect(whole(2).expected).toBe('a whole number from 2 up');
    expect(whole(2, 2 ** 53 - 1).expected).toBe('a whole number from 2 to 9007199254740991');
    expect(whole(0).holds(Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('a list accepts what each item accepts, in arrays and typed arrays, of at least so many', () => {
    const rule = listOf(whole(0, 9), 'digits', 2);
    for (const list of [[1, 2], Int32Array.of(1, 2), new Float64Array(3)]) expect(rule.holds(list)).toBe(true);
    for (const other of [
      [1],
      [1, 10],
      [1, '2'],
      new Array(2),
      Int32Array.of(1),
      new DataView(new ArrayBuffer(8)),
      '12',
      null,
    ])
      expect(rule.holds(other)).toBe(false);
    expect([rule.parse?.('1'), rule.parse?.('1,2'), rule.parse?.('1, 10'), rule.parse?.('')]).toEqual([
      ...[null, [1, 2], null, null],
    ]);
    expect(listOf(text(), 'texts').holds([])).toBe(true);
    expect(listOf(callable, 'functions').parse?.('a')).toBeNull();
  });

  it('words, truths, functions and objects accept their own', () => {
    const values = [true, false, 'true', 'a', '', 'b', null, 0, () => 1, {}, { go: () => 1 }, { go: 1 }, [], undefined];
    const accepted = (rule: OptionRule<never> | OptionRule) => values.filter((value) => rule.holds(value));
    expect(accepted(flagged)).toEqual([true, false]);
    expect(accepted(oneOf('a', 'c'))).toEqual(['a']);
    expect(accepted(text())).toEqual(['true', 'a', '', 'b']);
    expect(accepted(text(1))).toEqual(['true', 'a', 'b']);
    expect(accepted(nothing)).toEqual([null]);
    expect(accepted(callable)).toEqual([values[8]]);
    expect(accepted(objectWith('a goer', 'go'))).toEqual([values[10]]);
    expect(accepted(abortSignal)).toEqual([]);
    expect(abortSignal.holds(new AbortController().signal)).toBe(true);
    expect(abortSignal.holds({ addEventListener: () => 1 })).toBe(false);
    expect(accepted(anyOf(flagged, nothing, text(1)))).toEqual([true, false, 'true', 'a', 'b', null]);
    const said = [
      flagged,
      oneOf('a', 'c'),
      text(),
      text(1),
      nothing,
      callable,
      objectWith('a goer', 'go'),
      abortSignal,
    ];
    expect(said.map(({ expected }) => expected)).toEqual([
      ...['true or false', 'one of a, c', 'text', 'text that is not empty', 'null', 'a function', 'a goer'],
      'an AbortSignal',
    ]);
  });

  it('a choice reads from text what its first rule reads, and completes the words of all', () => {
    const rule = anyOf(nothing, whole(1), flagged, oneOf('on', 'off'));
    expect(['3', 'true', 'false', 'on', '0', 'x'].map((given) => rule.parse?.(given))).toEqual([
      ...[3, true, false, 'on', null, null],
    ]);
    expect(rule.choices).toEqual(['true', 'false', 'on', 'off']);
    expect(rule.expected).toBe('null, or a whole number from 1 up, or true or false, or one of on, off');
    expect([flagged.parse?.('yes'), oneOf('a').parse?.('b'), oneOf('a').parse?.('a'), text(1).parse?.('')]).toEqual([
      ...[null, null, 'a', null],
    ]);
  });

  it('what is inherited is no option, whatever its name', () => {
    for (const name of ['constructor', 'hasOwnProperty', '__proto__x']) {
      expect(problem({ [name]: undefined })).toMatch(/unknown option/);
    }
    expect(problem([])).toMatch(/expected an object of options, found \[\]/);
    expect(problem(7)).toMatch(/expected an object of options, found 7/);
    expect(problem({ zz: 1 })).toMatch(/known are maxNewTokens, temperature, topP, cutoff, dtype, stop, draft$/);
  });
});
