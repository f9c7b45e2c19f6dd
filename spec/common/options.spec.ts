import {
  anyOf,
  checkOptions,
  listOf,
  nothing,
  number,
  type OptionTable,
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
});
