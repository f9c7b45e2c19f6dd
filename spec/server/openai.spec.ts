import OpenAI from 'openai';
import { gate, type TableServer, tableServer, until } from './server';

/** Fields of Tandem's that OpenAI's types do not have. */
type Params = OpenAI.CompletionCreateParamsNonStreaming & Record<string, unknown>;
const ask = (fields: Record<string, unknown>) => ({ model: 'toy', prompt: 'abc', ...fields }) as Params;

describe('the openai client', () => {
  let toy: TableServer;
  beforeAll(async () => {
    toy = await tableServer();
  });
  afterAll(() => toy.close());

  test('a completion: the text that generate gives, why it ended, and what it cost', async () => {
    const { tandem, client } = toy;
    const found = await client.completions.create(ask({ max_tokens: 7, gamma: 4 }));
    const { text, stopReason, metrics } = await tandem.generate('abc', { maxNewTokens: 7, gamma: 4 });
    expect(found.choices).toEqual([
      { index: 0, text, logprobs: null, finish_reason: stopReason === 'length' ? 'length' : 'stop' },
    ]);
    expect(found.usage).toEqual({
      prompt_tokens: 4,
      completion_tokens: metrics.newTokens,
      total_tokens: 4 + metrics.newTokens,
      completion_tokens_details: {
        accepted_prediction_tokens: metrics.accepted,
        rejected_prediction_tokens: metrics.proposed - metrics.accepted,
      },
    });
    const { id, object, model, system_fingerprint: fingerprint } = found;
    expect([object, model, fingerprint]).toEqual(['text_completion', 'toy', expect.stringMatching(/^tandem-\d/)]);
    expect(id).toMatch(/^cmpl-[0-9a-f-]{36}$/);
    expect((await client.completions.create(ask({ max_tokens: 1 }))).id).not.toBe(id);
    expect(Number.isInteger(found.created)).toBe(true);
    expect(metrics.proposed).toBeGreaterThan(0);
    expect((found as unknown as { tandem: object }).tandem).toEqual({
      ...{ seed: null, exact: true, rounds: metrics.rounds },
      ...{ target_calls: metrics.targetCalls, draft_calls: metrics.draftCalls },
      acceptance_rate: metrics.acceptanceRate,
      tokens_per_target_call: metrics.tokensPerTargetCall,
    });
  });

  test('several prompts and several samples of each: choices in order, as generate names them', async () => {
    const { tandem, client } = toy;
    const found = await client.completions.create(
      ask({ prompt: ['abc', 'fed'], n: 3, temperature: 1, seed: 4, max_tokens: 9, stop: 'b' }),
    );
    const options = { numReturnSequences: 3, temperature: 1, seed: 4, maxNewTokens: 9, stop: ['b'] };
    const alone = await tandem.generate(['abc', 'fed'], options);
    expect(found.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(found.choices.map(({ text }) => text)).toEqual(
      alone.flatMap((result) => result.sequences?.map(({ text }) => text)),
    );
    expect(new Set(found.choices.map(({ text }) => text)).size).toBeGreaterThan(2);
  });

  test.each([
    ['ids', [2, 3, 4, 1]],
    [
      'lists of ids',
      [
        [2, 3, 4, 1],
        [5, 1],
      ],
    ],
  ])('%s as the prompt', async (_, prompt) => {
    const { tandem, client } = toy;
    const found = await client.completions.create(ask({ prompt, max_tokens: 5 }));
    const lists = (typeof prompt[0] === 'number' ? [prompt] : prompt) as number[][];
    const alone = await tandem.generate(lists, { maxNewTokens: 5 });
    expect(found.choices.map(({ text }) => text)).toEqual(alone.map(({ text }) => text));
  });

  test('a stream: the same text in pieces, its ends, and the usage where it is asked for', async () => {
    const { client } = toy;
    const fields = { prompt: ['abc', 'fed'], n: 2, temperature: 1, gamma: 4, seed: 4, max_tokens: 9 };
    const whole = await client.completions.create(ask(fields));
    const stream = await client.completions.create({
      ...ask(fields),
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ['', '', '', ''];
    const ends: (string | null)[] = [];
    const usages: unknown[] = [];
    let pieces = 0;
    for await (const { choices, usage } of stream) {
      usages.push(usage);
      for (const { index, text, finish_reason: end } of choices) {
        texts[index] += text;
        pieces++;
        if (end !== null) ends[index] = end;
      }
    }
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
    expect(ends).toEqual(whole.choices.map((choice) => choice.finish_reason));
    expect(pieces).toBeGreaterThan(8);
    expect(usages.pop()).toEqual(whole.usage);
    expect(usages.every((usage) => usage === null)).toBe(true);
  });

  test('log-probabilities: one entry a token, in a stream too', async () => {
    const { tandem, client } = toy;
    const fields = ask({ max_tokens: 6, logprobs: 2 });
    const [{ text, logprobs }] = (await client.completions.create(fields)).choices;
    const { sequences } = await tandem.generate('abc', { maxNewTokens: 6, logProbs: 2 });
    const own = sequences[0].logProbs ?? [];
    expect(logprobs?.token_logprobs).toEqual(own.map(({ logProb }) => logProb));
    expect(logprobs?.text_offset?.[0]).toBe(0);
    expect(logprobs?.tokens?.join('')).toBe(text);
    expect(logprobs?.top_logprobs).toHaveLength(own.length);
    for (const [i, { top = [], logProb }] of own.entries()) {
      const said = Object.values(logprobs?.top_logprobs?.[i] ?? {});
      expect(said).toEqual(expect.arrayContaining([logProb, top[0].logProb]));
    }
    const streamed: number[] = [];
    for await (const { choices } of await client.completions.create({ ...fields, stream: true })) {
      streamed.push(...(choices[0].logprobs?.token_logprobs ?? []));
    }
    expect(streamed).toEqual(logprobs?.token_logprobs);
  });

  test.each<[string, object]>([
    ['one', {}],
    ['several', { prompt: ['abc', 'fed'], n: 2, temperature: 1, seed: 4 }],
    ['one with log-probabilities', { logprobs: 0 }],
    ['one that ends within its limit', { logit_bias: { 1: 100 }, logprobs: 1 }],
    ['one of beams', { num_beams: 2 }],
  ])(
    'a stream of %s: no part without a text, a log-probability or an end, and each sequence ends once',
    async (_, fields) => {
      const asked = { ...ask({ max_tokens: 5, ...fields }), stream: true };
      const text = await toy.post('/v1/completions', asked).then((response) => response.text());
      const chunks = text.split('\n\n').slice(0, -2);
      const parts = chunks.flatMap(
        (chunk) => JSON.parse(chunk.replace(/^data: /, '')).choices as OpenAI.CompletionChoice[],
      );
      const whole = (await toy.client.completions.create(ask({ max_tokens: 5, ...fields }))).choices;
      for (const { text, logprobs, finish_reason: end } of parts) {
        expect(text !== '' || logprobs !== null || end !== null).toBe(true);
        if (end !== null) expect(logprobs).toBeNull();
        if (logprobs !== null) expect([logprobs.tokens?.length, logprobs.text_offset?.length]).toEqual([1, 1]);
      }
      for (const { index, text, finish_reason: end, logprobs } of whole) {
        const own = parts.filter((part) => part.index === index);
        expect(own.map((part) => part.text).join('')).toBe(text);
        expect(own.map((part) => part.finish_reason)).toEqual([...own.slice(1).map(() => null), end]);
        const offsets = own.flatMap((part) => part.logprobs?.text_offset ?? []);
        expect(offsets).toEqual(logprobs?.text_offset ?? []);
      }
    },
  );

  test('beams, whose other sequences have no events, and a bias by token id', async () => {
    const { tandem, client } = toy;
    const found = await client.completions.create(ask({ num_beams: 3, n: 2, max_tokens: 5 }));
    const { sequences } = await tandem.generate('abc', { numBeams: 3, numReturnSequences: 2, maxNewTokens: 5 });
    expect(found.choices.map(({ text }) => text)).toEqual(sequences.map(({ text }) => text));
    const biased = await client.completions.create(ask({ logit_bias: { 4: 100 }, max_tokens: 3 }));
    expect(biased.choices[0].text).toBe('ccc');
  });

  test('without a seed a sampled answer names the one that was drawn, and the seed gives it again', async () => {
    const fields = { temperature: 1, max_tokens: 12 };
    const first = (await toy.client.completions.create(ask(fields))) as OpenAI.Completion & {
      tandem: { seed: number };
    };
    const again = await toy.client.completions.create(ask({ ...fields, seed: first.tandem.seed }));
    expect(again.choices).toEqual(first.choices);
    const others = await Promise.all([1, 2, 3].map(() => toy.client.completions.create(ask(fields))));
    expect(new Set(others.map(({ choices }) => choices[0].text)).size).toBeGreaterThan(1);
  });

  test('embeddings, as numbers and as base64, which the client asks for by itself', async () => {
    const { tandem, client } = toy;
    const vectors = (await tandem.embed(['abc', 'de'])).map((vector) => Array.from(vector));
    const input = ['abc', 'de'];
    const asked = await client.embeddings.create({ model: 'toy', input });
    const floats = await client.embeddings.create({ model: 'toy', input, encoding_format: 'float' });
    for (const found of [asked, floats]) {
      expect(found.data.map(({ embedding }) => Array.from(embedding))).toEqual(vectors);
      expect(found.usage).toEqual({ prompt_tokens: 7, total_tokens: 7 });
    }
    const raw = await toy
      .post('/v1/embeddings', { input, encoding_format: 'base64' })
      .then((response) => response.json());
    const bytes = Buffer.from(Float32Array.from(vectors[0]).buffer).toString('base64');
    expect(raw).toMatchObject({
      object: 'list',
      model: 'toy',
      data: [{ object: 'embedding', index: 0 }, { index: 1 }],
    });
    expect(raw.data[0].embedding).toBe(bytes);
    const options = { pooling: 'mean', normalize: true } as const;
    const [unit] = await tandem.embed(['abc'], options);
    const asUnit = await toy.post('/v1/embeddings', { input: 'abc', ...options }).then((response) => response.json());
    expect(asUnit.data[0].embedding).toEqual(Array.from(unit));
  });

  test('models', async () => {
    const { client } = toy;
    const listed = await client.models.list();
    expect(listed.data.map(({ id }) => id)).toEqual(['toy']);
    expect(await client.models.retrieve('toy')).toMatchObject({ id: 'toy', object: 'model', owned_by: 'tandem' });
    await expect(client.models.retrieve('other')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('its own errors: a wrong field, another model, a source that fails', async () => {
    const { client } = toy;
    const wrong = client.completions.create(ask({ top_q: 1 }));
    await expect(wrong).rejects.toMatchObject({ status: 400, param: 'top_q', code: 'unknown_parameter' });
    await expect(wrong).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(client.completions.create(ask({ model: 'gpt' }))).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(client.completions.create(ask({ prompt: 'zzz' }))).rejects.toMatchObject({
      status: 400,
      param: 'prompt',
    });
  });
});

/** Asks until there is a place: the request that went away gives its place back a moment after its cache. */
async function whenFree({ client }: Pick<Awaited<ReturnType<typeof tableServer>>, 'client'>) {
  for (;;) {
    const answer = await client.completions.create(ask({ max_tokens: 2 })).catch((error) => {
      if (!(error instanceof OpenAI.RateLimitError)) throw error;
    });
    if (answer) return answer;
  }
}

describe('a client of the openai package that goes away', () => {
  test.each([false, true])('frees its place and what it held (stream: %s)', async (stream) => {
    const door = gate();
    const toy = await tableServer({ concurrency: 1, queue: 0 }, { around: door.around });
    const abort = new AbortController();
    const asked = toy.client.completions.create(ask({ stream }), { signal: abort.signal });
    asked.catch(() => undefined);
    await until(() => door.calls() > 0);
    await expect(toy.client.completions.create(ask({}))).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    abort.abort();
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    door.open();
    await until(() => toy.open() === 0);
    expect((await whenFree(toy)).choices).toHaveLength(1);
    await toy.close();
  });

  test('in the middle of a stream too', async () => {
    const toy = await tableServer({ concurrency: 1, queue: 0 });
    const endless = { min_new_tokens: 4000, max_tokens: 4000, stream: true };
    const stream = (await toy.client.completions.create(ask(endless))) as unknown as AsyncIterable<OpenAI.Completion>;
    let pieces = 0;
    for await (const _chunk of stream) if (++pieces === 5) break;
    await until(() => toy.open() === 0);
    expect((await whenFree(toy)).choices).toHaveLength(1);
    await toy.close();
  });
});
