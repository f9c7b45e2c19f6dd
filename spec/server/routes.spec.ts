import { request } from 'node:http';
import { connect } from 'node:net';
import { OPTION_OF } from '../../server/fields';
import { type TableServer, tableServer } from './server';

describe('a request that is wrong', () => {
  let toy: TableServer;
  beforeAll(async () => {
    toy = await tableServer({ limitBody: 4000, limitSource: 9, limitTokens: 50, concurrency: 2, queue: 4 });
  });
  afterAll(() => toy.close());

  test.each<[string, string, unknown, number, string | null, RegExp]>([
    ['completions', 'no prompt', {}, 400, 'prompt', /prompt: expected text or token ids, found none/],
    ['completions', 'a prompt of another type', { prompt: 7 }, 400, 'prompt', /prompt: expected text, .* found 7/],
    ['completions', 'an empty list of prompts', { prompt: [] }, 400, 'prompt', /expected text/],
    ['completions', 'an empty prompt', { prompt: '' }, 400, 'prompt', /prompt: text: expected at least one token/],
    ['completions', 'an unknown field', { prompt: 'a', max_token: 1 }, 400, 'max_token', /did you mean 'max_tokens'/],
    [
      'completions',
      'the name of another library',
      { prompt: 'a', max_new_tokens: 1 },
      400,
      'max_new_tokens',
      /here it is max_tokens/,
    ],
    ['completions', 'echo', { prompt: 'a', echo: true }, 400, 'echo', /echo: expected none, found true/],
    ['completions', 'a suffix', { prompt: 'a', suffix: 'b' }, 400, 'suffix', /extra_id_0/],
    [
      'completions',
      'a presence penalty',
      { prompt: 'a', presence_penalty: 1 },
      400,
      'presence_penalty',
      /repetition_penalty/,
    ],
    ['completions', 'messages', { messages: [] }, 400, 'messages', /send prompt/],
    [
      'completions',
      'max_tokens over the limit',
      { prompt: 'a', max_tokens: 51 },
      400,
      'max_tokens',
      /at most 50, found 51/,
    ],
    ['completions', 'max_tokens of 0', { prompt: 'a', max_tokens: 0 }, 400, 'max_tokens', /a whole number from 1 up/],
    [
      'completions',
      'top_p without sampling',
      { prompt: 'a', top_p: 0.5 },
      400,
      'top_p',
      /top_p: expected a temperature above 0/,
    ],
    ['completions', 'samples without sampling', { prompt: 'a', n: 2 }, 400, 'n', /n: expected 1 at temperature 0/],
    [
      'completions',
      'a temperature below 0',
      { prompt: 'a', temperature: -1 },
      400,
      'temperature',
      /a number from 0 up/,
    ],
    ['completions', 'a stop of another type', { prompt: 'a', stop: [1] }, 400, 'stop', /stop: expected text/],
    ['completions', 'a bias too large', { prompt: 'a', logit_bias: { 2: 101 } }, 400, 'logit_bias', /-100 to 100/],
    ['completions', 'a bias of no token', { prompt: 'a', logit_bias: { 99: 1 } }, 400, null, /99/],
    [
      'completions',
      'stream_options without a stream',
      { prompt: 'a', stream_options: {} },
      400,
      'stream_options',
      /where stream is not true/,
    ],
    [
      'completions',
      'other stream_options',
      { prompt: 'a', stream: true, stream_options: { a: 1 } },
      400,
      'stream_options',
      /include_usage/,
    ],
    [
      'completions',
      'a source that is too long',
      { prompt: ['a', 'abcdefabcdef'] },
      400,
      'prompt',
      /prompt 1: expected at most 9 token ids, found 13/,
    ],
    [
      'completions',
      'more sequences than there are places',
      { prompt: 'a', temperature: 1, n: 7 },
      400,
      'prompt',
      /at most 6 sequences, found 7/,
    ],
    ['completions', 'another model', { model: 'x', prompt: 'a' }, 404, 'model', /expected 'toy', found 'x'/],
    ['completions', 'a list in place of an object', [1], 400, null, /expected a JSON object, found \[1\]/],
    ['embeddings', 'no input', {}, 400, 'input', /input: expected text/],
    [
      'embeddings',
      'an input without tokens',
      { input: ['a', ''] },
      400,
      'input',
      /input 1: text: expected at least one token/,
    ],
    ['embeddings', 'dimensions', { input: 'a', dimensions: 8 }, 400, 'dimensions', /as wide as the model makes them/],
    [
      'embeddings',
      'another encoding',
      { input: 'a', encoding_format: 'int8' },
      400,
      'encoding_format',
      /one of float, base64/,
    ],
    [
      'embeddings',
      'a field of completions',
      { input: 'a', max_tokens: 3 },
      400,
      'max_tokens',
      /unknown field 'max_tokens'/,
    ],
    ['embeddings', 'a source that is too long', { input: 'abcdefabcdef' }, 400, 'input', /at most 9/],
  ])('%s: %s', async (route, _, body, ...expected) => {
    const [status, param, message] = expected;
    const response = await toy.post(`/v1/${route}`, body);
    const { error } = await response.json();
    expect([response.status, error.param, error.type]).toEqual([status, param, 'invalid_request_error']);
    expect(error.message).toMatch(message);
    expect(typeof error.code).toBe('string');
  });

  test.each<[string, string, RequestInit, number, RegExp]>([
    ['POST', 'no content type', { body: '{}', headers: { 'Content-Type': 'text/plain' } }, 415, /found 'text\/plain'/],
    ['POST', 'no JSON', { body: '{"prompt": ' }, 400, /body: expected JSON/],
    ['POST', 'nesting without end', { body: `{"prompt":${'['.repeat(1500)}` }, 400, /levels of nesting/],
    ['POST', 'no UTF-8', { body: new Uint8Array([123, 255]) }, 400, /no UTF-8/],
    ['POST', 'a body that is too long', { body: `{"prompt":"${'a'.repeat(5000)}"}` }, 413, /at most 4000 bytes/],
    ['PUT', 'another method', { body: '{}' }, 405, /expected POST, found 'PUT'/],
  ])('%s: %s', async (method, _, init, ...expected) => {
    const [status, message] = expected;
    for (const route of ['completions', 'embeddings']) {
      const response = await toy.post(`/v1/${route}`, {}, { method, ...init });
      expect([response.status, (await response.json()).error.message]).toEqual([
        status,
        expect.stringMatching(message),
      ]);
    }
  });

  test('a body that is too long and does not say how long it is', async () => {
    const { port } = toy.server;
    const status = await new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
      const asked = request({ port, method: 'POST', path: '/v1/completions', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject);
      asked.write('{"prompt":"');
      asked.end('a'.repeat(8000));
    });
    expect(status).toBe(413);
  });

  test.each([
    ['GET', '/v1/chat/completions', 404, /expected one of \/v1\/completions/],
    ['POST', '/v1/models', 405, /expected GET/],
    ['GET', '/v1/models/other', 404, /expected 'toy', found 'other'/],
    ['DELETE', '/v1/models/toy', 405, /expected GET/],
    ['POST', '/health', 405, /expected GET/],
    ['DELETE', '/metrics', 405, /expected GET/],
    ['GET', '/', 404, /expected one of/],
  ])('%s %s', async (method, path, status, message) => {
    const response = await toy.send(path, { method });
    expect([response.status, (await response.json()).error.message]).toEqual([status, expect.stringMatching(message)]);
  });

  test('what is no HTTP ends the connection, and the server goes on', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(toy.server.port, '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    expect((await toy.send('/health')).status).toBe(200);
  });

  test('null counts as left out, and values without an effect are accepted', async () => {
    const neutral = { echo: false, best_of: 1, presence_penalty: 0, frequency_penalty: 0, suffix: null, user: 'me' };
    const response = await toy.post('/v1/completions', {
      prompt: 'a',
      max_tokens: 2,
      stop: null,
      seed: null,
      ...neutral,
    });
    expect(response.status).toBe(200);
  });

  test('every option that is data is a field', () => {
    const fields = [...OPTION_OF.keys()];
    expect(fields).toEqual(
      expect.arrayContaining(['max_tokens', 'n', 'top_k', 'min_p', 'num_beams', 'no_repeat_ngram_size']),
    );
    expect(fields.filter((field) => /[A-Z]/.test(field))).toEqual([]);
  });
});

describe('the server’s own γ', () => {
  const prompts = { prompt: 'Amen.', max_tokens: 12, min_new_tokens: 12 };

  test.each<[number | 'auto' | undefined, object, number, number]>([
    [undefined, { lenience: 0.5, temperature: 1 }, 3, 4],
    [undefined, { verification: 'block', temperature: 1 }, 3, 4],
    [undefined, { gamma: 4 }, 3, 4],
    [1, {}, 1, 1],
    [1, { gamma: 3 }, 2, 3],
    [1, { branching: [2, 1] }, 2, 4],
    [0, {}, 0, 0],
    ['auto', { lenience: 0.5, temperature: 1 }, 3, 4],
    ['auto', { verification: 'token', temperature: 1 }, 3, 4],
  ])('%j with %j in the request', async (gamma, fields, least, most) => {
    const toy = await tableServer({ gamma });
    try {
      const response = await toy.post('/v1/completions', { ...prompts, ...fields });
      const { usage, tandem } = await response.json();
      const { accepted_prediction_tokens: accepted, rejected_prediction_tokens: rejected } =
        usage.completion_tokens_details;
      const aRound = (accepted + rejected) / tandem.rounds;
      expect(response.status).toBe(200);
      expect(aRound).toBeGreaterThan(least - 1);
      expect(aRound).toBeLessThanOrEqual(most);
    } finally {
      await toy.close();
    }
  });

  test.each(['auto', undefined] as const)(
    '%j adapts beside a seed of samples, and leaves beams alone',
    async (gamma) => {
      const toy = await tableServer({ gamma });
      try {
        const text = async (fields: object) => {
          const response = await toy.post('/v1/completions', { ...prompts, ...fields });
          expect(response.status).toBe(200);
          return (await response.json()).choices[0].text;
        };
        const sampled = { temperature: 1, seed: 5 };
        expect(await text(sampled)).toBe(await text({ ...sampled, verification: 'coupled', gamma: 2 }));
        await text({ num_beams: 2 });
      } finally {
        await toy.close();
      }
    },
  );
});
