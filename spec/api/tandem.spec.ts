import { type BatchProgress, type GenerateOptions, Tandem } from '../../api';

const INPUTS = [
  'And the word of the LORD came unto Jonah the second time, saying,',
  'Verily he cometh quickly.',
  'Thou art my rock and my fortress.',
  'Behold, I send my messenger before thy face.',
];

describe('a loaded pair', () => {
  let tandem: Tandem;
  beforeAll(async () => {
    tandem = await Tandem.load({ threads: 1 });
  });
  afterAll(() => tandem.dispose());

  async function batch(inputs: readonly string[], options: GenerateOptions, concurrency = 3) {
    const events: BatchProgress[] = [];
    for await (const event of tandem.generateBatch(inputs, { ...options, concurrency })) events.push(event);
    return events;
  }

  test.each([
    ['greedy', {}],
    ['coupled at temperature 1', { temperature: 1, verification: 'coupled', seed: 3 }],
    ['sampled with a fixed γ', { temperature: 1, gamma: 3, seed: 4 }],
    ['with a stop string', { stop: ['o'] }],
  ] as const)(
    '%s: each input of a batch has the text and ids it has alone, its pieces in order',
    async (_, options) => {
      const events = await batch(INPUTS, options);
      const texts = INPUTS.map(() => '');
      const ids = INPUTS.map(() => [] as number[]);
      for (const event of events) {
        if (event.kind !== 'token') continue;
        texts[event.index] += event.token.text;
        ids[event.index].push(event.token.token);
      }
      for (const [index, input] of INPUTS.entries()) {
        const sequence = index === 0 ? 'main' : `line ${index + 1}`;
        const alone = await tandem.generate(input, { ...options, sequence });
        const end = events.find((event) => event.kind === 'done' && event.index === index);
        expect(end).toMatchObject({ result: { text: alone.text, ids: alone.ids, stopReason: alone.stopReason } });
        expect(ids[index]).toEqual(alone.ids);
        expect(alone.text.startsWith(texts[index])).toBe(true); // what was held back comes with the end
      }
    },
  );

  test('an input of a batch that cannot be decoded fails alone, wherever it stands and whoever finds out', async () => {
    const bare = await Tandem.load({ threads: 1, prefix: '' });
    try {
      const events: BatchProgress[] = [];
      const inputs = ['', INPUTS[1], [5, 99999, 1], INPUTS[2], ''];
      for await (const event of bare.generateBatch(inputs, { concurrency: 2 })) events.push(event);
      const ends = events.filter(({ kind }) => kind !== 'token').map(({ kind, index }) => [index, kind]);
      expect(ends.sort()).toEqual([
        [0, 'failed'],
        [1, 'done'],
        [2, 'failed'],
        [3, 'done'],
        [4, 'failed'],
      ]);
      for (const event of events) {
        if (event.kind === 'failed') expect(event.error).toMatchObject({ code: 'source-invalid' });
      }
    } finally {
      await bare.dispose();
    }
  });

  test('beam search has the same sequences with and without the draft, for fewer calls with it', async () => {
    const alone = await tandem.beamSearch(INPUTS[0], { numBeams: 3, numReturnSequences: 3, speculative: false });
    const drafted = await tandem.beamSearch(INPUTS[0], { numBeams: 3, numReturnSequences: 3 });
    expect(drafted.sequences).toEqual(alone.sequences);
    expect(drafted.sequences).toHaveLength(3);
    expect(drafted.metrics.targetCalls).toBeLessThan(alone.metrics.targetCalls);
    const greedy = await tandem.generate(INPUTS[0]);
    expect((await tandem.beamSearch(INPUTS[0], { numBeams: 1 })).sequences[0]).toMatchObject({
      text: greedy.text,
      ids: greedy.ids,
    });
  });

  test('measured costs are one figure for each row count, v(1) = 1, and decode to the same greedy text', async () => {
    const costs = await tandem.measureCosts(INPUTS[0], 4);
    expect(costs.v).toHaveLength(4);
    expect(costs.v[0]).toBe(1);
    expect(costs.c).toBeGreaterThan(0);
    const adaptive = await tandem.generate(INPUTS[0], { costs });
    expect(adaptive.ids).toEqual((await tandem.generate(INPUTS[0])).ids);
  });
});

describe('drafts by name', () => {
  const greedy = async (draft: string | null) => {
    const tandem = await Tandem.load({ draft, threads: 1 });
    try {
      const { ids, metrics } = await tandem.generate(INPUTS[0]);
      return { ids, name: tandem.drafter?.name ?? null, proposed: metrics.proposed };
    } finally {
      await tandem.dispose();
    }
  };

  test.each(['copy', 'ngram', 'layers:2', 'random', 'copy,layers:1', 'model:models/modernize-draft'])(
    '%s proposes, and the greedy ids are the target’s own',
    async (draft) => {
      const alone = await greedy(null);
      expect(alone).toMatchObject({ name: null, proposed: 0 });
      const drafted = await greedy(draft);
      expect(drafted.ids).toEqual(alone.ids);
      expect(drafted.name).not.toBeNull();
      expect(drafted.proposed).toBeGreaterThan(0);
    },
  );

  test('a name that is none is refused before anything is loaded', async () => {
    await expect(Tandem.load({ target: '/no/such/model', draft: 'layers:0' })).rejects.toMatchObject({
      code: 'option-invalid',
    });
    await expect(Tandem.load({ target: '/no/such/model', draft: 'ngram:/no/such/table' })).rejects.toMatchObject({
      code: 'option-invalid',
    });
  });
});
