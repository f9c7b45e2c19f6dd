import { type TableServer, tableServer } from './server';

describe('a request beside the limits', () => {
  let toy: TableServer;
  beforeAll(async () => {
    toy = await tableServer({ limitBody: 4000, limitSource: 9, limitTokens: 50, concurrency: 2, queue: 4 });
  });
  afterAll(() => toy.close());

  test.each<[string, RequestInit, object, object]>([
    ['/v1/completions', { body: '{}' }, { status: 400, allow: null }, { param: 'prompt', code: 'missing' }],
    ['/v1/embeddings', { body: '{}' }, { status: 400, allow: null }, { param: 'input', code: 'missing' }],
    [
      '/v1/completions',
      { body: '{"prompt":["a","abcdefabc"]}' },
      { status: 400, allow: null },
      { param: 'prompt', code: 'context_length_exceeded' },
    ],
    [
      '/v1/embeddings',
      { body: '{"input":"abcdefabc"}' },
      { status: 400, allow: null },
      { param: 'input', code: 'context_length_exceeded' },
    ],
    [
      '/v1/completions',
      { body: '{"prompt":"a","n":4,"num_beams":7}' },
      { status: 400, allow: null },
      { param: 'prompt', code: 'too_many_sequences' },
    ],
    [
      '/v1/completions',
      { body: '{"prompt":"a","max_tokens":51}' },
      { status: 400, allow: null },
      { param: 'max_tokens', code: 'invalid_value' },
    ],
    [
      '/v1/completions',
      { body: '{"prompt":"a","top_p":0.5}' },
      { status: 400, allow: null },
      { param: 'top_p', code: 'option-invalid' },
    ],
    [
      '/v1/completions',
      { body: '{"prompt":"a","model":"b"}' },
      { status: 404, allow: null },
      { param: 'model', code: 'model_not_found' },
    ],
    [
      '/v1/completions',
      { body: `"${'a'.repeat(4000)}"` },
      { status: 413, allow: null },
      { param: null, code: 'body_too_long' },
    ],
    ['/v1/completions', { method: 'GET' }, { status: 405, allow: 'POST' }, { param: null, code: 'method_not_allowed' }],
    ['/v1/models', { body: '{}' }, { status: 405, allow: 'GET' }, { param: null, code: 'method_not_allowed' }],
    ['/v1/none', { method: 'GET' }, { status: 404, allow: null }, { param: null, code: 'unknown_route' }],
  ])('%s with %j says what programs look at', async (path, init, expected, details) => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await toy.send(path, { method: 'POST', headers, ...init });
    const { error } = await response.json();
    expect({ status: response.status, allow: response.headers.get('allow') }).toEqual(expected);
    expect(error).toEqual({ message: expect.any(String), type: 'invalid_request_error', ...details });
  });

  test('what is as long as the limits allow is done', async () => {
    const longest = JSON.stringify({ prompt: 'a', max_tokens: 1, user: '' });
    const body = longest.replace('"user":""', `"user":"${'a'.repeat(4000 - longest.length)}"`);
    const headers = { 'Content-Type': 'application/json' };
    expect(body).toHaveLength(4000);
    expect((await toy.send('/v1/completions', { method: 'POST', headers, body })).status).toBe(200);
    for (const fields of [
      { prompt: ['a', 'abcdefab'] },
      { prompt: 'abcdefabcdef', truncate: 9 },
      { prompt: 'a', temperature: 1, n: 6 },
      { prompt: 'a', num_beams: 6, n: 6 },
    ]) {
      const response = await toy.post('/v1/completions', { max_tokens: 2, ...fields });
      expect([fields, response.status]).toEqual([fields, 200]);
    }
    const { usage } = await toy
      .post('/v1/completions', { prompt: 'abcdefabcdef', truncate: 5, max_tokens: 50 })
      .then((response) => response.json());
    expect(usage.prompt_tokens).toBe(5);
    expect((await toy.post('/v1/embeddings', { input: 'abcdefab' })).status).toBe(200);
  });
});
