import { type BatchResult, type GenerateOptions, type Result, type StreamEvent, sequenceName, Tandem } from '../../api';

const INPUTS = [
  'And the word of the LORD came unto Jonah the second time, saying,',
  'Verily he cometh quickly.',
  'Thou art my rock and my fortress.',
  'Behold, I send my messenger before thy face.',
];

const isResult = (result: BatchResult): result is Result => result.error === undefined;

describe('a loaded pair', () => {
  let tandem: Tandem;
  beforeAll(async () => {
    tandem = await Tandem.load(undefined, { threads: 1 });
  });
  afterAll(() => tandem.dispose());

  async function eventsOf(inputs: readonly string[], options: GenerateOptions): Promise<StreamEvent[]> {
    const events: StreamEvent[] = [];
    for await (const event of tandem.stream(inputs, options)) events.push(event);
    return events;
  }

  test.each([
    ['greedy', { gamma: 4 }],
    ['coupled at temperature 1', { temperature: 1, verification: 'coupled', gamma: 4, seed: 3 }],
    ['sampled with a fixed γ', { temperature: 1, gamma: 3, seed: 4 }],
    ['with a stop string', { stop: ['as', 'my'], gamma: 4 }],
    ['greedy with γ that adapts', {}],
    ['sampled with γ that adapts', { temperature: 1, seed: 3 }],
  ] as const)(
    '%s: of a list, each input has the ids and pieces it has alone, and its pieces joined are its text',
    async (_, options: GenerateOptions) => {
      const events = await eventsOf(INPUTS, { ...options, concurrency: 3 });
      let pieces = 0;
      for (const [index, input] of INPUTS.entries()) {
        const alone = tandem.stream(input, { ...options, sequence: sequenceName(index, 0) });
        const own: StreamEvent[] = [];
        for await (const event of alone) own.push({ ...event, index });
        // γ that adapts follows clocks, and so do rounds.
        const clockless = (event: StreamEvent) =>
          event.kind === 'token' && options.gamma === undefined
            ? { ...event, round: null, origin: null, rejected: null }
            : event;
        const timeless = (event: StreamEvent) =>
          event.kind === 'done' ? { ...event, result: { ...event.result, metrics: null } } : clockless(event);
        expect(events.filter((event) => event.index === index).map(timeless)).toEqual(own.map(timeless));
        const tokens = own.flatMap((event) => (event.kind === 'token' ? [event] : []));
        const { text, ids } = await alone.result;
        expect(tokens.map((token) => token.text).join('')).toBe(text);
        expect(tokens.map(({ token }) => token)).toEqual(ids);
        pieces += tokens.filter((token) => token.text !== '').length;
      }
      expect(pieces).toBeGreaterThan(INPUTS.length);
    },
  );

  test('an input of a list that cannot be decoded fails alone, wherever it stands and whoever finds out', async () => {
    const bare = await Tandem.load(undefined, { threads: 1, prefix: '' });
    try {
      const inputs = ['', INPUTS[1], [5, 99999, 1], INPUTS[2], ''];
      const events: string[] = [];
      const stream = bare.stream(inputs, { concurrency: 2 });
      for await (const { kind, index } of stream) if (kind !== 'token') events.push(`${index} ${kind}`);
      expect(events.sort()).toEqual(['0 failed', '1 done', '2 failed', '3 done', '4 failed']);
      const results = await bare.generate(inputs, { concurrency: 2 });
      expect(results.map(isResult)).toEqual([false, true, false, true, false]);
      expect(results[1].text).toBe((await bare.generate(INPUTS[1])).text);
      for (const index of [0, 2, 4]) expect(results[index].error).toMatchObject({ code: 'source-invalid' });
      await expect(bare.generate('')).rejects.toMatchObject({ code: 'source-invalid' });
      await expect(bare.stream([5, 99999, 1]).next()).rejects.toMatchObject({ code: 'source-invalid' });
      expect(await bare.generate([])).toEqual([]);
    } finally {
      await bare.dispose();
    }
  });

  test('beam search has the same sequences with and without the draft, for fewer calls with it', async () => {
    const beams = { numBeams: 3, numReturnSequences: 3 };
    const alone = await tandem.generate(INPUTS[0], { ...beams, speculative: false });
    const drafted = await tandem.generate(INPUTS[0], beams);
    expect(drafted.sequences).toEqual(alone.sequences);
    expect(drafted.sequences).toHaveLength(3);
    expect(drafted.sequences[0]).toEqual({
      text: drafted.text,
      ids: drafted.ids,
      stopReason: 'eos',
      score: expect.any(Number),
    });
    const scores = drafted.sequences.map(({ score }) => score as number);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(drafted.metrics.targetCalls).toBeLessThan(alone.metrics.targetCalls);
    expect(drafted.beams?.targetCalls).toBe(drafted.metrics.targetCalls);
  });

  test('tokens of a beam search are those of its best sequence, and come before it is done', async () => {
    const events = await eventsOf(INPUTS.slice(0, 2), { numBeams: 2 });
    for (const index of [0, 1]) {
      const own = events.filter((event) => event.index === index);
      const end = own.at(-1);
      const tokens = own.slice(0, -1).flatMap((event) => (event.kind === 'token' ? [event] : []));
      const result = await tandem.generate(INPUTS[index], { numBeams: 2 });
      expect(end).toMatchObject({ kind: 'done', result: { ids: result.ids, text: result.text } });
      expect(tokens.map(({ token }) => token)).toEqual(result.ids);
      expect(tokens.map(({ text }) => text).join('')).toBe(result.text);
    }
  });

  test('samples differ, each is what it is alone under its name, and the first is what one sample is', async () => {
    const options = { temperature: 2, seed: 5, maxNewTokens: 24 };
    const { sequences, text, metrics } = await tandem.generate(INPUTS[0], { ...options, numReturnSequences: 4 });
    expect(sequences).toHaveLength(4);
    expect(new Set(sequences.map((sequence) => sequence.text)).size).toBe(4);
    expect(text).toBe(sequences[0].text);
    expect(text).toBe((await tandem.generate(INPUTS[0], options)).text);
    for (const sample of [1, 2, 3]) {
      const alone = await tandem.generate(INPUTS[0], { ...options, sequence: sequenceName(0, sample) });
      expect(sequences[sample]).toEqual({ text: alone.text, ids: alone.ids, stopReason: alone.stopReason });
    }
    expect(metrics.newTokens).toBe(sequences.reduce((sum, { ids }) => sum + ids.length, 0));
  });

  test('measured costs are one figure for each row count, v(1) = 1, and decode to the same greedy text', async () => {
    const costs = await tandem.measureCosts(INPUTS[0], { rows: 4 });
    expect(costs.v).toHaveLength(4);
    expect(costs.v[0]).toBe(1);
    expect(costs.c).toBeGreaterThan(0);
    const adaptive = await tandem.generate(INPUTS[0], { costs });
    expect(adaptive.ids).toEqual((await tandem.generate(INPUTS[0])).ids);
  });

  test('a comparison has both results, says that greedy ones are equal, and knows c, v and the predicted speed-up', async () => {
    const { speculative, autoregressive, equal, measuredSpeedup } = await tandem.compare(INPUTS[1], { gamma: 2 });
    expect(equal).toBe(true);
    expect(speculative.ids).toEqual(autoregressive.ids);
    expect(autoregressive.metrics.proposed).toBe(0);
    const { costRatio, verifyRatio, predictedSpeedup } = speculative.metrics;
    for (const figure of [costRatio, verifyRatio, predictedSpeedup, measuredSpeedup]) expect(figure).toBeGreaterThan(0);
  });

  test('says what was loaded, as data', () => {
    expect(tandem.target).toMatchObject({ family: 't5', dtype: 'bf16', vocabularySize: expect.any(Number) });
    expect(tandem.draft?.parameters).toBeLessThan(tandem.target.parameters);
    expect(tandem.drafter).toContain('modernize-draft');
    expect(tandem.backend).toMatchObject({ name: 'wasm', threads: 1, worker: false });
    expect(tandem.hasTokenizer).toBe(true);
    expect(JSON.parse(JSON.stringify(tandem.backend))).toEqual(tandem.backend);
  });

  test('ids of a text end in EOS and give the text back', async () => {
    const ids = await tandem.encode(INPUTS[2]);
    expect(ids.at(-1)).toBe(1);
    expect(await tandem.decode(ids)).toBe(tandem.prefix + INPUTS[2]);
    expect((await tandem.generate(Int32Array.from(ids))).ids).toEqual((await tandem.generate(INPUTS[2])).ids);
  });
});

describe('drafts', () => {
  const greedy = async (draft: Parameters<typeof Tandem.load>[1]) => {
    const tandem = await Tandem.load(undefined, { ...draft, threads: 1 });
    try {
      const { ids, metrics } = await tandem.generate(INPUTS[0], { gamma: 4 });
      return { ids, name: tandem.drafter, dtype: tandem.draft?.dtype, proposed: metrics.proposed };
    } finally {
      await tandem.dispose();
    }
  };
  let alone: Awaited<ReturnType<typeof greedy>>;
  beforeAll(async () => {
    alone = await greedy({ draft: null });
  });

  test('null proposes nothing', () => {
    expect(alone).toMatchObject({ name: null, proposed: 0 });
  });

  test.each(['self', 'self:q4', 'copy', 'ngram', 'layers:2', 'random', 'model:models/modernize-draft'] as const)(
    '%s proposes, and the greedy ids are the target’s own',
    async (draft) => {
      const drafted = await greedy({ draft });
      expect(drafted.ids).toEqual(alone.ids);
      expect(drafted.name).not.toBeNull();
      expect(drafted.proposed).toBeGreaterThan(0);
    },
  );

  test('of a list, the first that has a proposal makes it', async () => {
    const drafted = await greedy({ draft: ['copy', 'layers:1'] });
    expect(drafted).toMatchObject({ ids: alone.ids, name: 'copy+first 1 layers' });
  });

  test.each(['q8', 'q4'] as const)('a draft has a type of its own: %s', async (dtype) => {
    const drafted = await greedy({ draft: { model: 'models/modernize-draft', dtype } });
    expect(drafted).toMatchObject({ ids: alone.ids, dtype });
    expect(drafted.proposed).toBeGreaterThan(0);
  });

  test('more layers than the target has are refused before weights are read', async () => {
    const onProgress = jest.fn();
    await expect(Tandem.load(undefined, { draft: 'layers:99', onProgress })).rejects.toMatchObject({
      code: 'option-invalid',
      message: expect.stringMatching(/^draft: expected layers:1 to layers:\d+ of .*, found 'layers:99'$/),
    });
    expect(onProgress).not.toHaveBeenCalled();
  });

  test('a name that is none is refused before anything is loaded', async () => {
    await expect(Tandem.load('/no/such/model', { draft: 'layers:0' })).rejects.toMatchObject({
      code: 'option-invalid',
    });
    await expect(Tandem.load('/no/such/model', { draft: 'ngram:/no/such/table' })).rejects.toMatchObject({
      code: 'option-invalid',
    });
  });
});
