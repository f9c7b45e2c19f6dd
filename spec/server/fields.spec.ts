import fc from 'fast-check';
import { GENERATE_OPTIONS } from '../../api';
import { type BodyRules, readBody } from '../../server/body';
import { RequestError } from '../../server/failure';
import { COMPLETION_BODY, INPUTS, inFieldNames, inputsOf, OPTION_OF, optionsOf } from '../../server/fields';

const { followed, neutral } = COMPLETION_BODY;

/** A request with a body of some type. */
function request(body: unknown, type: string | null = 'application/json'): Request {
  const headers = type === null ? undefined : { 'Content-Type': type };
  const bytes = body instanceof Uint8Array ? new Uint8Array(body) : new TextEncoder().encode(JSON.stringify(body));
  return new Request('http://localhost/', { method: 'POST', body: bytes, headers });
}

/** What a refusal says, without its wording. */
async function refusal(asked: Promise<unknown>) {
  const error = await asked.then(
    () => null,
    (one) => one,
  );
  if (!(error instanceof RequestError)) return error;
  const { status, details } = error;
  return { status, code: details.code, param: details.param };
}

describe('a body', () => {
  const rules: BodyRules = {
    followed: { a: { expected: 'a number', holds: (value) => typeof value === 'number' }, stop: followed.stop },
    neutral: { echo: { holds: (value) => value === false, why: 'it has none' } },
  };

  test.each(['application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application/json ;x=y'])(
    'of type %j is read; one that is null counts as left out, and so does one that changes nothing',
    async (type) => {
      expect(await readBody(request({ a: 2, stop: null, echo: false }, type), rules)).toEqual({ a: 2 });
      expect(await readBody(request({ a: null, echo: null }, type), rules)).toEqual({});
      expect(await readBody(request({}, type), rules)).toEqual({});
    },
  );

  test.each([null, 'text/plain', 'application/json5', 'json', 'text/x;application/json'])(
    'of type %j is refused',
    async (type) => {
      expect(await refusal(readBody(request({}, type), rules))).toEqual({
        ...{ status: 415, code: 'unsupported_media_type', param: undefined },
      });
    },
  );

  test.each<[string, unknown]>([
    ['a list', [1]],
    ['null', null],
    ['a text', 'a'],
    ['a number', 1],
    ['half an object', new TextEncoder().encode('{"a": 1')],
    ['nothing', new Uint8Array(0)],
    ['no UTF-8', Uint8Array.of(123, 255, 125)],
    ['deep nesting', new TextEncoder().encode('['.repeat(2000) + ']'.repeat(2000))],
  ])('that is %s is refused', async (_, body) => {
    expect(await refusal(readBody(request(body), rules))).toEqual({
      ...{ status: 400, code: 'invalid_json', param: undefined },
    });
  });

  test.each<[object, string, string, RegExp]>([
    [{ a: 'x' }, 'invalid_value', 'a', /^a: .*'x'/],
    [{ stop: [''] }, 'invalid_value', 'stop', /^stop: /],
    [{ echo: true }, 'unsupported_parameter', 'echo', /^echo: .*true: it has none$/],
    [{ stpo: 1 }, 'unknown_parameter', 'stpo', /'stpo'; .*'stop'/],
    [{ other: 1 }, 'unknown_parameter', 'other', /'other'; .* a, stop$/],
    [{ toString: 1 }, 'unknown_parameter', 'toString', /'toString'/],
  ])('%j is refused by the name of its field', async (body, code, param, message) => {
    const asked = readBody(request(body), rules);
    expect(await refusal(asked)).toEqual({ status: 400, code, param });
    await expect(asked).rejects.toThrow(message);
  });
});

describe('the fields of completions', () => {
  test('have rules that answer for every value, and that no empty or odd object passes for a text or a list', () => {
    const odd = fc.oneof(
      fc.anything({ maxDepth: 2 }),
      fc.constantFrom<unknown>(null, undefined, [], '', 0, NaN, new Map(), [[]]),
    );
    fc.assert(
      fc.property(odd, (value) => {
        for (const [name, { holds }] of Object.entries({ ...followed, ...neutral })) {
          expect([name, typeof holds(value)]).toEqual([name, 'boolean']);
        }
      }),
    );
  });

  test.each(['logit_bias', 'stream_options'])('%s is an object, and nothing else', (field) => {
    const others = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer()), fc.constant(null));
    fc.assert(fc.property(others, (value) => expect(followed[field].holds(value)).toBe(false)));
    expect(followed[field].holds({})).toBe(true);
  });

  test.each<[string, unknown[], unknown[]]>([
    [
      'logit_bias',
      [{ 0: 100 }, { 12: -100, 3: 0.5 }],
      [
        { 0: 100.5 },
        { 0: -101 },
        { a: 1 },
        { '-1': 1 },
        { '1.5': 1 },
        { '1a': 1 },
        { a1: 1 },
        { 1: '1' },
        { 1: 1, x: 1 },
      ],
    ],
    [
      'stream_options',
      [{ include_usage: true }, { include_usage: false }],
      [{ include_usage: 1 }, { include_usage: null }, { usage: true }, { include_usage: true, more: true }],
    ],
    ['stop', ['a', ['a'], ['a', 'b']], ['', [''], ['a', ''], [1], 1, {}]],
    ['logprobs', [0, 1, 100], [-1, 101, 1.5, true, '1']],
    ['stream', [true, false], [0, 1, 'true']],
    ['model', ['a'], ['', 1]],
    ['user', ['', 'a'], [1]],
    ['truncate', [1, 1 << 20], [0, -1, 1.5]],
    ['prompt', ['', 'a', ['a', ''], [0, 1], [[0], [1, 2]]], [[], [[]], [['a']], [-1], [0.5], ['a', 1], 1, {}]],
    ['max_tokens', [1], [0, 'a']],
    ['n', [1], [0]],
  ])('%s takes %j and not %j', (field, taken, refused) => {
    for (const value of taken) expect([value, followed[field].holds(value)]).toEqual([value, true]);
    for (const value of refused) expect([value, followed[field].holds(value)]).toEqual([value, false]);
  });

  test('a list has at most 2,048 inputs; the ids of one input may be more', () => {
    for (const one of ['a', [1]]) {
      expect(INPUTS.holds(Array(2048).fill(one))).toBe(true);
      expect(INPUTS.holds(Array(2049).fill(one))).toBe(false);
    }
    expect(INPUTS.holds(Array(2049).fill(1))).toBe(true);
    expect([inputsOf('ab'), inputsOf([1, 2]), inputsOf(['a', 'b']), inputsOf([[1], [2]])]).toEqual([
      ...[['ab'], [[1, 2]], ['a', 'b'], [[1], [2]]],
    ]);
  });

  test.each<[string, unknown[], unknown[]]>([
    ['echo', [false], [true, 0, '']],
    ['suffix', [], ['', 'a', false]],
    ['best_of', [1], [2, '1', true]],
    ['presence_penalty', [0], [0.1, '0', false]],
    ['frequency_penalty', [0], [-1, '0', false]],
    ['max_new_tokens', [], [1]],
    ['num_return_sequences', [], [1]],
    ['do_sample', [], [true, false]],
    ['messages', [], [[], '']],
  ])('%s has no effect at %j, and is refused at %j', (field, without, others) => {
    for (const value of without) expect(neutral[field].holds(value)).toBe(true);
    for (const value of others) expect([value, neutral[field].holds(value)]).toEqual([value, false]);
  });

  test('stand for all options of data, each in its own name or OpenAI’s, and become them again', () => {
    const none = ['processors', 'prefixAllowedTokens', 'signal', 'trace', 'concurrency', 'costs', 'stop', 'logProbs'];
    const options = Object.keys(GENERATE_OPTIONS).filter((name) => !none.includes(name));
    expect([...OPTION_OF.values()].sort()).toEqual(options.sort());
    const fields = Object.fromEntries([...OPTION_OF.keys()].map((field, i) => [field, i]));
    const named: Record<string, unknown> = optionsOf(fields) as Record<string, unknown>;
    for (const [i, [field, option]] of [...OPTION_OF].entries()) {
      expect(named[option]).toBe(i);
      expect(field).toMatch(/^[a-z]+(_[a-z]+)*$/);
      if (option === 'maxNewTokens') expect(field).toBe('max_tokens');
      else if (option === 'numReturnSequences') expect(field).toBe('n');
      else expect(field.replaceAll('_', '')).toBe(option.toLowerCase());
    }
    expect(optionsOf({})).toStrictEqual({});
  });

  test('of another shape than the option become it', () => {
    expect(optionsOf({ stop: 'a' })).toStrictEqual({ stop: ['a'] });
    expect(optionsOf({ stop: ['a', 'b'] })).toStrictEqual({ stop: ['a', 'b'] });
    expect(optionsOf({ logprobs: 0 })).toStrictEqual({ logProbs: 0 });
    expect(optionsOf({ logit_bias: {} })).toStrictEqual({});
    const sequence_bias = [[[2], 1]];
    expect(optionsOf({ logit_bias: {}, sequence_bias })).toStrictEqual({ sequenceBias: sequence_bias });
    expect(optionsOf({ logit_bias: { 3: -1, 12: 2.5 } })).toStrictEqual({
      sequenceBias: [
        [[3], -1],
        [[12], 2.5],
      ],
    });
    const both = async () => optionsOf({ logit_bias: { 3: 1 }, sequence_bias });
    return expect(refusal(both())).resolves.toEqual({ status: 400, code: 'invalid_value', param: 'logit_bias' });
  });

  test('stand in messages about options, whose first one is the field that is to blame', () => {
    expect(inFieldNames('maxNewTokens: expected 1 beside numBeams and topK')).toEqual({
      ...{ message: 'max_tokens: expected 1 beside num_beams and top_k', param: 'max_tokens' },
    });
    expect(inFieldNames('temperature: expected topK, JavaScript and iPhone')).toEqual({
      ...{ message: 'temperature: expected top_k, JavaScript and iPhone', param: 'temperature' },
    });
    for (const message of ['token 99: none', 'toString: none', 'expected n: 1', 'other: none']) {
      expect(inFieldNames(message)).toEqual({ message, param: undefined });
    }
  });
});
