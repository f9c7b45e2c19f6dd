import type { TableModel } from '../support/table-model';
import { gate, tableServer } from './server';

const ask = (fields: object = {}) => ({ prompt: 'abc', max_tokens: 4, ...fields });

describe('a server under load', () => {
  test('more than fit are refused with 429 and a time to come again; those that wait are served', async () => {
    const door = gate();
    const toy = await tableServer({ concurrency: 2, queue: 3 }, { around: door.around });
    const served = Array.from({ length: 5 }, (_, seed) => toy.post('/v1/completions', ask({ temperature: 1, seed })));
    await toy.used(5);
    for (const [route, body] of [
      ['completions', ask()],
      ['embeddings', { input: 'abc' }],
    ] as const) {
      const refused = await toy.post(`/v1/${route}`, body);
      const { error } = await refused.json();
      expect([refused.status, error.type, error.code]).toEqual([429, 'rate_limit_error', 'queue_full']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    door.open();
    for (const [seed, response] of (await Promise.all(served)).entries()) {
      const { choices } = await response.json();
      const alone = await toy.tandem.generate('abc', { maxNewTokens: 4, temperature: 1, seed });
      expect(choices[0].text).toBe(alone.text);
    }
    await toy.used(0);
    expect((await toy.post('/v1/completions', ask())).status).toBe(200);
    await toy.close();
    expect(toy.open()).toBe(0);
  });

  test('forty answers at once, of different requests: each is what it is alone, and they share target calls', async () => {
    const door = gate();
    const toy = await tableServer({ concurrency: 16, queue: 64 }, { around: door.around });
    const asked = Array.from({ length: 40 }, (_, i) => ({
      prompt: 'abcdef'.slice(i % 5, (i % 5) + 2),
      max_tokens: 1 + (i % 9),
      ...(i % 3 === 0 ? {} : { temperature: 1, seed: i, n: (i % 3) as 1 | 2 }),
      ...(i % 4 === 0 && { gamma: i % 6 }),
      ...(i % 7 === 0 && { stop: 'e' }),
      ...(i % 5 === 0 && { stream: true }),
    }));
    const asking = asked.map((body) => toy.post('/v1/completions', body).then((one) => one.text()));
    await toy.used(asked.reduce((sum, { n = 1 }) => sum + n, 0));
    door.open();
    const answers = await Promise.all(asking);
    const together = toy.target.calls();
    for (const [i, body] of asked.entries()) {
      const { prompt, max_tokens: maxNewTokens, n, stop, stream: _stream, ...rest } = body;
      const options = { ...rest, maxNewTokens, numReturnSequences: n, stop: stop === undefined ? undefined : [stop] };
      const { sequences } = await toy.tandem.generate(prompt, options);
      expect([i, textsOf(answers[i])]).toEqual([i, sequences.map(({ text }) => text)]);
    }
    const alone = toy.target.calls() - together;
    expect(together).toBeLessThan(alone / 2);
    await toy.close();
  });

  /** Texts of the choices of an answer, streamed or not. */
  function textsOf(answer: string): string[] {
    if (!answer.startsWith('data: ')) return JSON.parse(answer).choices.map(({ text }: { text: string }) => text);
    const lines = answer.trim().split('\n\n');
    expect(lines.pop()).toBe('data: [DONE]');
    const texts: string[] = [];
    for (const line of lines) {
      for (const { index, text } of JSON.parse(line.slice('data: '.length)).choices)
        texts[index] = (texts[index] ?? '') + text;
    }
    return texts;
  }

  test('an engine that fails is an error of the server, whose message says nothing of it', async () => {
    const around = (model: TableModel) => ({ ...model, forward: () => Promise.reject(new Error('/secret/path')) });
    const toy = await tableServer({}, { around });
    for (const stream of [false, true]) {
      const response = await toy.post('/v1/completions', ask({ stream }));
      const { error } = await response.json();
      expect([response.status, error]).toEqual([
        500,
        { message: 'the server failed', type: 'server_error', param: null, code: 'internal_error' },
      ]);
    }
    await toy.close();
    expect(toy.open()).toBe(0);
  });

  test('an engine that fails in the middle of a stream: an error event, and no [DONE]', async () => {
    let calls = 0;
    const toy = await tableServer(
      {},
      {
        around: (model, role) => ({
          ...model,
          forward: (rows, options) =>
            role === 'target' && ++calls > 2 ? Promise.reject(new Error('lost')) : model.forward(rows, options),
        }),
      },
    );
    const response = await toy.post(
      '/v1/completions',
      ask({ min_new_tokens: 40, max_tokens: 40, stream: true, gamma: 0 }),
    );
    const lines = (await response.text()).trim().split('\n\n');
    expect(JSON.parse(lines.at(-1)?.slice('data: '.length) ?? '').error.type).toBe('server_error');
    expect(lines.length).toBeGreaterThan(1);
    await toy.close();
  });
});

describe('a server that stops', () => {
  test('finishes what runs, and takes nothing more', async () => {
    const door = gate();
    const toy = await tableServer({}, { around: door.around });
    const [whole, streamed] = [false, true].map((stream) => toy.post('/v1/completions', ask({ stream })));
    await toy.used(2);
    const stopped = toy.server.stop();
    await expect(toy.post('/v1/completions', ask())).rejects.toThrow(); // nobody listens any more
    door.open();
    expect([(await whole).status, (await streamed).status]).toEqual([200, 200]);
    expect(await (await streamed).text()).toMatch(/data: \[DONE\]\n\n$/);
    expect(await stopped).toBe(true);
    await toy.tandem.dispose();
    expect(toy.open()).toBe(0);
  });

  test('cuts off what does not end in time', async () => {
    const toy = await tableServer({ grace: 0.05 });
    const endless = ask({ min_new_tokens: 4000, max_tokens: 4000, stream: true, gamma: 0 });
    const response = await toy.post('/v1/completions', endless);
    expect(await toy.server.stop()).toBe(false);
    expect(await response.text().catch(() => 'cut off')).toMatch(/"code":"stopping"|cut off/);
    await toy.tandem.dispose();
    expect(toy.open()).toBe(0);
  });
});
