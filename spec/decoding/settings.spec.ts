import type { Settings } from '../../decoding';
import { checkIds, checkSampling } from '../../decoding/processing';
import { checkSettings, SETTINGS } from '../../decoding/settings';

const VOCABULARY = 10;
const NONE_OF_A_NUMBER = [Number.NaN, '1', true, null, [], {}];

/** The option that a refusal names; null for settings that are accepted. */
function refused(settings: object): string | null {
  try {
    checkSettings(settings as Settings, VOCABULARY);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ name: 'DecodingError', code: 'option-invalid' });
    return /^\w+/.exec((error as Error).message)?.[0] ?? '';
  }
}

/** The last values inside each range, and the first ones outside. */
const RANGES: Readonly<Partial<Record<keyof Settings, { inside: readonly unknown[]; outside: readonly unknown[] }>>> = {
  gamma: { inside: [0, 64, 'auto'], outside: [-1, 65, 1.5, 'Auto', ''] },
  maxNewTokens: { inside: [1, 1e6], outside: [0, -1, 1.5, Infinity] },
  lenience: { inside: [1e-9, 1], outside: [0, -0.1, 1.000001, Infinity] },
  temperature: { inside: [0, 1e-3, 100], outside: [-0.001, Infinity] },
  seed: { inside: [0, 2 ** 40, 2 ** 53 - 1], outside: [-1, 0.5, Infinity, 2 ** 53, 2 ** 60] },
  logProbs: { inside: [0, 100], outside: [-1, 101, 0.5] },
  noRepeatNgramSize: { inside: [1, 50], outside: [0, 1.5] },
  encoderNoRepeatNgramSize: { inside: [1, 50], outside: [0, 1.5] },
  repetitionPenalty: { inside: [1e-9, 1, 5], outside: [0, -1, Infinity] },
  encoderRepetitionPenalty: { inside: [1e-9, 1, 5], outside: [0, -1, Infinity] },
  minNewTokens: { inside: [0, 7], outside: [-1, 0.5] },
  forcedBosToken: { inside: [0, 9], outside: [-1, 10, 0.5] },
  forcedEosToken: { inside: [0, 9, [9], [0, 1]], outside: [-1, 10, 0.5, [], [10], [1, -1]] },
};
/** Those of sampling, at a temperature above 0. */
const SAMPLING_RANGES: typeof RANGES = {
  topH: { inside: [1e-9, 1], outside: [0, 1.001] },
  topK: { inside: [1, 1e6], outside: [0, 1.5] },
  topP: { inside: [1e-9, 1], outside: [0, 1.001] },
  minP: { inside: [0, 1], outside: [-0.001, 1.001] },
  typicalP: { inside: [1e-9, 1], outside: [0, 1.001] },
  epsilonCutoff: { inside: [0, 0.999], outside: [-0.001, 1] },
  etaCutoff: { inside: [0, 0.999], outside: [-0.001, 1] },
};

describe('settings', () => {
  it.each(Object.entries(RANGES))('%s ends where its range ends', (name, range) => {
    for (const value of range.inside) expect([value, refused({ [name]: value })]).toEqual([value, null]);
    const others = name === 'forcedEosToken' ? NONE_OF_A_NUMBER.slice(0, 4) : NONE_OF_A_NUMBER;
    for (const value of [...range.outside, ...others]) {
      expect([value, refused({ [name]: value })]).toEqual([value, name]);
    }
  });

  it.each(Object.entries(SAMPLING_RANGES))(
    '%s ends where its range ends, and is refused where tokens are not sampled',
    (name, range) => {
      for (const value of range.inside) {
        expect([value, refused({ [name]: value, temperature: 0.5 })]).toEqual([value, null]);
        for (const greedy of [{}, { temperature: 0 }]) expect(refused({ [name]: value, ...greedy })).toBe(name);
        expect(() => checkSampling({ [name]: value })).toThrow(expect.objectContaining({ code: 'option-invalid' }));
      }
      for (const value of [...range.outside, ...NONE_OF_A_NUMBER]) {
        expect([value, refused({ [name]: value, temperature: 0.5 })]).toEqual([value, name]);
      }
    },
  );

  it('name the largest seed where one is larger', () => {
    const message = 'seed: expected a whole number from 0 to 9007199254740991, found 9007199254740992';
    expect(() => checkSettings({ seed: 2 ** 53 }, VOCABULARY)).toThrow(message);
  });

  it('that are lists hold ids of the vocabulary, and biases that are finite', () => {
    for (const name of ['suppressTokens', 'beginSuppressTokens', 'forcedPrefix']) {
      for (const list of [[], [0, 9]]) expect(refused({ [name]: list })).toBeNull();
      for (const list of [[10], [0, 10], [-1], [0.5], ['1'], 3, '1']) expect(refused({ [name]: list })).toBe(name);
    }
    for (const list of [[], [[0]], [[9, 0], [1]]]) expect(refused({ badWords: list })).toBeNull();
    for (const list of [[10], [[]], [[0], []], [[0, 10]], [[0], [10]], [[0], [-1]], 3]) {
      expect([list, refused({ badWords: list })]).toEqual([list, 'badWords']);
    }
    for (const list of [
      [],
      [[[9], 0]],
      [
        [[0, 1], -2.5],
        [[3], 3],
      ],
    ])
      expect(refused({ sequenceBias: list })).toBeNull();
    for (const list of [
      [[[10], 1]],
      [[[], 1]],
      [[[1], Infinity]],
      [[[1], Number.NaN]],
      [[[1]]],
      [[[1], 1, 1]],
      [[1, 1]],
      [[[1], '1']],
    ]) {
      expect([list, refused({ sequenceBias: list })]).toEqual([list, 'sequenceBias']);
    }
    for (const pair of [
      [0, 1e-9],
      [7, 2],
    ])
      expect(refused({ exponentialDecayLengthPenalty: pair })).toBeNull();
    for (const pair of [[-1, 1], [0.5, 1], [1, 0], [1, -1], [1], [1, 1, 1], 1, '1,1', [1, Infinity]]) {
      expect([pair, refused({ exponentialDecayLengthPenalty: pair })]).toEqual([pair, 'exponentialDecayLengthPenalty']);
    }
    for (const costs of [
      { c: 0, v: [] },
      { c: 0.5, v: [1, 0] },
    ])
      expect(refused({ costs })).toBeNull();
    for (const costs of [
      null,
      3,
      [],
      {},
      { c: 1 },
      { v: [1] },
      { c: -1, v: [1] },
      { c: 1, v: [-1] },
      { c: 1, v: 1 },
      { c: '1', v: [1] },
    ]) {
      expect([costs, refused({ costs })]).toEqual([costs, 'costs']);
    }
    expect(() => checkIds({ badWords: [[3]] }, 3)).toThrow(/^badWords: expected ids from 0 to 2, found 3$/);
    expect(() => checkIds({ badWords: [[2]] }, 3)).not.toThrow();
  });

  it('that contradict each other are refused by the name of one; alone, each is taken', () => {
    const costs = { c: 1, v: [1] };
    const branching = [2, 2];
    const pairs: readonly (readonly [object, string | null])[] = [
      [{ lenience: 0.5, verification: 'block' }, 'lenience'],
      [{ lenience: 0.5, verification: 'coupled' }, 'lenience'],
      [{ lenience: 0.5, verification: 'token' }, null],
      [{ lenience: 0.5 }, null],
      [{ lenience: 1, verification: 'block' }, null],
      [{ branching }, null],
      [{ branching, verification: 'token' }, null],
      [{ branching, verification: 'coupled' }, null],
      [{ branching, verification: 'block' }, 'branching'],
      [{ branching, lenience: 0.5 }, 'branching'],
      [{ branching, lenience: 1 }, null],
      [{ branching, gamma: 0 }, 'gamma'],
      [{ branching, gamma: 'auto' }, 'gamma'],
      [{ branching, costs }, 'costs'],
      [{ costs, gamma: 3 }, null],
      [{ forcedBosToken: 1, forcedPrefix: [1] }, 'forcedBosToken'],
      [{ forcedBosToken: 1, forcedPrefix: [] }, null],
      [{ verification: 'paper' }, 'verification'],
      [{ sequence: '' }, 'sequence'],
      [{ sequence: 'a' }, null],
    ];
    for (const [settings, name] of pairs) expect([settings, refused(settings)]).toEqual([settings, name]);
  });

  it('of a tree have at most 128 tokens in all: those of a depth are as many as all counts down to it multiply to', () => {
    for (const [branching, tokens] of [
      [[128], 128],
      [[129], 129],
      [[1], 1],
      [[8, 15], 128],
      [[8, 15, 1], 248],
      [[2, 2, 2, 2, 2, 2], 126],
      [[2, 2, 2, 2, 2, 2, 1], 190],
      [new Array(128).fill(1), 128],
      [new Array(129).fill(1), 129],
    ] as const) {
      expect([branching, refused({ branching })]).toEqual([branching, tokens > 128 ? 'branching' : null]);
    }
    for (const branching of [[], [0], [1.5], ['1'], 3]) expect(refused({ branching })).toBe('branching');
    expect(() => checkSettings({ branching: [8, 15, 1] }, VOCABULARY)).toThrow(/128 tokens in all, found 248$/);
  });

  it.each([
    ['costs', '0.5,1,2', { c: 0.5, v: [1, 2] }],
    ['costs', '0.5', null],
    ['costs', '', null],
    ['costs', '1,x', null],
    [
      'sequenceBias',
      '1,7:-2.5;9:3',
      [
        [[1, 7], -2.5],
        [[9], 3],
      ],
    ],
    ['sequenceBias', '1:2:3', null],
    ['sequenceBias', '1', null],
    ['sequenceBias', ':2', null],
    ['sequenceBias', '1:', null],
    ['badWords', '1,7;9', [[1, 7], [9]]],
    ['badWords', '1;;9', null],
    ['badWords', 'a', null],
    ['exponentialDecayLengthPenalty', '20,1.05', [20, 1.05]],
    ['exponentialDecayLengthPenalty', '20', null],
    ['exponentialDecayLengthPenalty', '20,1,1', null],
    ['exponentialDecayLengthPenalty', 'x,1', null],
    ['exponentialDecayLengthPenalty', '20,x', null],
    ['forcedEosToken', '1', 1],
    ['forcedEosToken', '1,7', [1, 7]],
    ['gamma', 'auto', 'auto'],
    ['gamma', '7', 7],
    ['gamma', 'x', null],
    ['branching', '3,1,1', [3, 1, 1]],
    ['suppressTokens', '1,7', [1, 7]],
  ] as const)('%s reads the text of its flag, %j', (name, text, value) => {
    expect(SETTINGS[name].parse?.(text)).toEqual(value);
  });
});
