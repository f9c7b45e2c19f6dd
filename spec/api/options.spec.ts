import fc from 'fast-check';
import {
  COMPARE_OPTIONS,
  EMBED_OPTIONS,
  GENERATE_OPTIONS,
  type GenerateOptions,
  LOAD_OPTIONS,
  MEASURE_OPTIONS,
  SCORE_OPTIONS,
  Tandem,
} from '../../api';
import type { OptionTable } from '../../common';
import { NOT_FOLLOWED, TraceRecorder } from '../../decoding';
import { tableTandem } from '../support/table-tandem';

/** One value of every type that a program may pass by mistake. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['true', true],
  ['a number', 0.5],
  ['NaN', Number.NaN],
  ['a negative number', -1],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 3n],
  ['text', 'abc'],
  ['empty text', ''],
  ['text of a number', '4'],
  ['a symbol', Symbol('x')],
  ['an object', {}],
  ['a list', []],
  ['a list of text', ['a']],
  ['a list of nothing', [undefined]],
  ['a list with a hole', new Array(1)],
  ['a function', () => 1],
  ['a promise', Promise.resolve(1)],
  ['a date', new Date(0)],
];

const { tandem } = tableTandem({ seed: 1 });

/** A call with one option, and how the call's table is named in messages. */
const CALLS: Record<string, { table: OptionTable; call: (options: object) => unknown }> = {
  load: { table: LOAD_OPTIONS, call: (options) => Tandem.load('no/such/model', { offline: true, ...options }) },
  generate: { table: GENERATE_OPTIONS, call: (options) => tandem.generate('abc', options) },
  stream: { table: GENERATE_OPTIONS, call: async (options) => tandem.stream('abc', options) },
  compare: { table: COMPARE_OPTIONS, call: (options) => tandem.compare('abc', options) },
  measureCosts: { table: MEASURE_OPTIONS, call: (options) => tandem.measureCosts('abc', options) },
  embed: { table: EMBED_OPTIONS, call: (options) => tandem.embed('abc', options) },
  score: { table: SCORE_OPTIONS, call: (options) => tandem.score('abc', 'de', options) },
};

const codeOf = (call: () => unknown) =>
  Promise.resolve()
    .then(call)
    .then(
      () => 'done',
      (error: Error & { code?: string }) => error.code ?? `no code: ${error.name} ${error.message}`,
    );

describe.each(Object.entries(CALLS))('options of %s', (_, { table, call }) => {
  const names = Object.keys(table);

  it.each(names)('%s: a value that its rule does not accept is refused by name', async (name) => {
    const wrong = WRONG.filter(([, value]) => !table[name].holds(value));
    expect(wrong.length).toBeGreaterThan(WRONG.length / 3);
    for (const [what, value] of wrong) {
      const error = await Promise.resolve()
        .then(() => call({ [name]: value }))
        .then(
          () => new Error(`${what} was accepted`),
          (thrown) => thrown,
        );
      expect([what, error.code, error.message]).toEqual([what, 'option-invalid', expect.stringMatching(name)]);
      expect(error.message).toMatch(/expected/);
      expect(error.message.length).toBeLessThan(400);
    }
  });

  it.each(names)('%s: undefined is as good as left out', async (name) => {
    expect(await codeOf(() => call({ [name]: undefined }))).toBe(await codeOf(() => call({})));
  });

  it('an unknown name is refused, and the nearest known one is named', async () => {
    for (const name of names) {
      const misspelt = `${name}s`;
      await expect(Promise.resolve().then(() => call({ [misspelt]: 1 }))).rejects.toMatchObject({
        code: 'option-invalid',
        message: expect.stringMatching(new RegExp(`unknown option '${misspelt}'.*${name}`)),
      });
    }
  });

  it('what is no object of options is refused', async () => {
    for (const options of [null, 3, 'abc', []]) {
      // A list and text are spread by `load` of this spec into an object, so only the others reach it as they are.
      if (call === CALLS.load.call) continue;
      expect(await codeOf(() => call(options as never))).toBe('option-invalid');
    }
    for (const options of [null, 3, []]) {
      expect(await codeOf(() => Tandem.load('no/such/model', options as never))).toBe('option-invalid');
    }
  });

  it('every option has one sentence about it', () => {
    for (const name of names) expect(table[name].about).toMatch(/^[a-z0-9].{8,}[^.]$/i);
  });
});

describe.each(['backend', 'dtype'] as const)('the option %s of load', (name) => {
  it('takes every value that the sentence about it lists', () => {
    const { about, holds } = LOAD_OPTIONS[name];
    const listed = about.replace(/^[^:]*: | ?\(.*$|, which is for drafts/g, '').split(/, or |, | or /);
    expect(listed.length).toBeGreaterThan(3);
    expect(listed.filter((value) => !holds(value))).toEqual([]);
  });
});

describe('options that cannot be done together', () => {
  const refusedOptions: readonly (readonly [keyof GenerateOptions, GenerateOptions])[] = [
    ['topP', { topP: 0.9 }],
    ['topK', { topK: 5, temperature: 0 }],
    ['topH', { topH: 0.5 }],
    ['typicalP', { typicalP: 0.5 }],
    ['epsilonCutoff', { epsilonCutoff: 0.1 }],
    ['etaCutoff', { etaCutoff: 0.1 }],
    ['minP', { minP: 0.1 }],
    ['numReturnSequences', { numReturnSequences: 2 }],
    ['numReturnSequences', { numReturnSequences: 2, numBeams: 1 }],
    ['numReturnSequences', { numReturnSequences: 3, numBeams: 2 }],
    ['lengthPenalty', { lengthPenalty: 1 }],
    ['earlyStopping', { earlyStopping: true, numBeams: 1 }],
    ['temperature', { temperature: 0.5, numBeams: 2 }],
    ['stop', { stop: ['a'], numBeams: 2 }],
    ['verification', { verification: 'block', numBeams: 2 }],
    ['lenience', { lenience: 0.5, numBeams: 2 }],
    ['costs', { costs: { c: 0.1, v: [1] }, numBeams: 2 }],
    ['branching', { branching: [2], numBeams: 2 }],
    ['trace', { trace: new TraceRecorder(), numBeams: 2 }],
    ['trace', { trace: new TraceRecorder(), temperature: 1, numReturnSequences: 2 }],
    ['stop', { stop: [''] }],
  ];

  it.each(refusedOptions)('%s in %j is refused by name', async (name, options) => {
    await expect(tandem.generate('abc', options)).rejects.toMatchObject({
      code: 'option-invalid',
      message: expect.stringMatching(new RegExp(`^${name}: expected`)),
    });
  });

  it.each(refusedOptions)('%s in %j is refused when a stream is made, not when it is read', (name, options) => {
    expect(() => tandem.stream('abc', options)).toThrow(
      expect.objectContaining({
        code: 'option-invalid',
        message: expect.stringMatching(new RegExp(`^${name}: expected`)),
      }),
    );
  });

  it.each(Object.entries(NOT_FOLLOWED))('%s of Hugging Face is refused with the reason: %s', async (name, reason) => {
    expect(Object.hasOwn(GENERATE_OPTIONS, name)).toBe(false);
    await expect(tandem.generate('abc', { [name]: 1 })).rejects.toMatchObject({
      code: 'option-invalid',
      message: `generate: expected options of Tandem, found '${name}': ${reason}`,
    });
  });

  it('a trace of several inputs is refused', async () => {
    const options = { trace: new TraceRecorder(), maxNewTokens: 2 };
    await expect(tandem.generate(['abc', 'a'], options)).rejects.toMatchObject({ code: 'option-invalid' });
    expect((await tandem.generate(['abc'], options))[0].error).toBeUndefined();
  });

  it.each([
    { seed: 3 },
    { seed: 3, numBeams: 2, sequence: 'x', speculative: false, gamma: 2, concurrency: 2 },
    { numBeams: 2, temperature: 0, lengthPenalty: 0, earlyStopping: 'never' },
    { numBeams: 1, temperature: 1, topP: 0.9, topK: 3, minP: 0.1, numReturnSequences: 2 },
    { stop: [] },
    { concurrency: 3 },
  ] as const)('%j can be done', async (options) => {
    expect((await tandem.generate('abc', { maxNewTokens: 4, ...options })).ids.length).toBeGreaterThan(0);
  });
});

describe('inputs', () => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['true', true],
    ['an object', {}],
    ['a function', () => 'abc'],
    ['ids with a fraction', [1, 2.5]],
    ['ids with NaN', [1, Number.NaN]],
    ['ids with text', [1, 'a']],
    ['ids with a hole', Object.assign(new Array(3), { 0: 1, 2: 3 })],
    ['a list with null', ['abc', null]],
    ['a list with text and numbers', ['abc', 3]],
    ['bytes', new Uint8Array([1, 2])],
  ])('%s: one coded error in every call', async (_, input) => {
    for (const call of [
      () => tandem.generate(input as never),
      () => tandem.stream(input as never),
      () => tandem.compare(input as never),
      () => tandem.measureCosts(input as never),
      () => tandem.encode(input as never),
      () => tandem.score(input as never, 'abc'),
      () => tandem.score('abc', input as never),
      () => tandem.embed(input as never),
    ]) {
      expect(await codeOf(call)).toBe('argument-invalid');
    }
  });

  it.each([
    ['no mask', { ids: [3, 1] }, /mask: expected a list of 0 and 1, found undefined/],
    ['no ids', { mask: [1, 1] }, /ids: expected text or a list of token ids/],
    ['text', { ids: 'abc', mask: [1, 1, 1] }, /token ids beside a mask, found text/],
    ['another length', { ids: [3, 1], mask: [1] }, /mask: expected 2 numbers, one an id, found 1/],
    ['other numbers', { ids: [3, 1], mask: [1, 0.5] }, /mask: expected 0 or 1, found 0\.5 at place 1/],
    ['another member', { ids: [3, 1], mask: [1, 1], position: 0 }, /another member, 'position'/],
  ])('a mask with %s: one coded error in every call that takes masks', async (_, input, message) => {
    for (const call of [
      () => tandem.generate(input as never),
      () => tandem.generate(['abc', input as never]),
      () => tandem.compare(input as never),
      () => tandem.measureCosts(input as never),
      () => tandem.score(input as never, 'abc'),
      () => tandem.embed([input as never]),
    ]) {
      await expect((async () => call())()).rejects.toMatchObject({
        code: 'argument-invalid',
        message: expect.stringMatching(message),
      });
    }
  });

  it('hidden ids of a mask are not there, in every call; a mask is no target, and has no text', async () => {
    const [masked, plain] = [{ ids: [3, 5, 4, 1], mask: Uint8Array.of(1, 0, 1, 1) }, [3, 4, 1]];
    const options = { maxNewTokens: 6, temperature: 1, seed: 2 };
    expect((await tandem.generate(masked, options)).ids).toEqual((await tandem.generate(plain, options)).ids);
    expect(await tandem.score(masked, 'abc')).toEqual(await tandem.score(plain, 'abc'));
    expect((await tandem.compare(masked, { maxNewTokens: 2 })).equal).toBe(true);
    expect((await tandem.generate(masked, { numBeams: 2 })).ids).toEqual(
      (await tandem.generate(plain, { numBeams: 2 })).ids,
    );
    for (const call of [() => tandem.score('abc', masked), () => tandem.decode(masked as never)]) {
      expect(await codeOf(call)).toBe('argument-invalid');
    }
  });

  it('ids are taken as lists of numbers and as typed arrays', async () => {
    const options = { maxNewTokens: 4 };
    const { ids } = await tandem.generate([3, 4, 1], options);
    for (const source of [Int32Array.of(3, 4, 1), Uint32Array.of(3, 4, 1)]) {
      expect((await tandem.generate(source, options)).ids).toEqual(ids);
    }
    expect((await tandem.generate([[3, 4, 1]], options))[0].ids).toEqual(ids);
  });
});

describe('models that are none', () => {
  it.each([
    ['null', null, /expected a model/],
    ['a number', 3, /expected a model/],
    ['empty text', '', /expected a model/],
    ['options in their place', { draft: 'copy', threads: 1 }, /draft, threads; options are the second argument/],
    ['an empty object', {}, /options are the second argument/],
    ['an object of other things', { 'config.json': 3 }, /config\.json/],
    ['an empty list', [], /expected/],
  ])('%s: one coded error', async (_, model, message) => {
    const error = await Tandem.load(model as never, { offline: true }).then(
      () => new Error('accepted'),
      (thrown) => thrown,
    );
    expect(['argument-invalid', 'not-found']).toContain(error.code);
    expect(error.message).toMatch(message);
  });

  it('threads beyond 64 are refused, not computed with on another backend', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.integer({ min: 65 }), fc.integer({ max: 0 }), fc.double()), async (threads) => {
        fc.pre(!(Number.isInteger(threads) && threads >= 1 && threads <= 64));
        expect(await codeOf(() => Tandem.load(undefined, { threads }))).toBe('option-invalid');
      }),
    );
  });
});
