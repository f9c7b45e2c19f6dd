import fc from 'fast-check';
import { Tandem } from '../../api';
import { GENERATE_OPTIONS } from '../../api/options';
import type { GenerateOptions, LoadOptions } from '../../api/types';
import { distributionOf } from '../../decoding/sampling/processors';
import { GENERATION_KEYS } from '../../weights/stated/generation-keys';
import { goldenBytes } from '../support/golden-files.node';
import { readGoldenTensors } from '../support/goldens';
import { statedGolden } from '../support/stated-golden';

const { activations, generation } = statedGolden;
const { source } = activations;
const CONFIG: object = JSON.parse(new TextDecoder().decode(goldenBytes('stated/model/config.json')));
const WEIGHTS = goldenBytes('stated/model/model.safetensors');
const ENDS = { decoder_start_token_id: 0, eos_token_id: generation.eos, pad_token_id: 0 };

const bytes = (json: object) => new TextEncoder().encode(JSON.stringify(json));

/** The golden's model with what its files state. */
function load(stated: object | null, config: object = {}, options: LoadOptions = {}): Promise<Tandem> {
  const files = new Map<string, Uint8Array>([
    ['config.json', bytes({ ...CONFIG, eos_token_id: generation.eos, ...config })],
    ['model.safetensors', WEIGHTS],
  ]);
  if (stated !== null) files.set('generation_config.json', bytes(stated));
  return Tandem.load(files, { backend: 'reference', ...options });
}

const withEnds = (stated: object) => load({ ...ENDS, ...stated });

async function sequencesOf(tandem: Tandem, options: GenerateOptions): Promise<(readonly number[])[]> {
  const { sequences } = await tandem.generate(source, options);
  return sequences.map(({ ids }) => ids);
}

describe('generation starts from what the checkpoint states, as in Hugging Face’s generate', () => {
  const cases = generation.cases.map((one, i) => {
    const { generation: stated, config, options } = one;
    return [JSON.stringify({ ...stated, ...config }), JSON.stringify(options), i] as const;
  });

  it.each(cases)('%s and a call with %s: the same tokens, with a draft and without', async (_, __, i) => {
    const { generation: stated, config, options, sequences } = generation.cases[i];
    for (const draft of [null, 'layers:1'] as const) {
      await using tandem = await load(stated, config, { draft });
      expect(await sequencesOf(tandem, options)).toEqual(sequences);
    }
  });

  it.each(generation.sampled.map((one, i) => [JSON.stringify(one), i] as const))(
    '%s: a token is drawn from the same distribution',
    async (_, i) => {
      const { generation: stated, options } = generation.sampled[i];
      await using tandem = await load(stated);
      const { target } = tandem.core ?? {};
      if (!target) throw new Error('expected the parts');
      const [encoded] = await target.encode([[...source]]);
      const row = { stream: encoded.open(), token: target.startToken, position: 0, parent: -1 };
      using view = await target.forward([row]);
      const context = { ids: [target.startToken], eosTokens: target.eosTokens, source, maxNewTokens: 20 };
      const found = distributionOf(await view.read(0), context, tandem.resolveOptions(options));
      const expected = readGoldenTensors('stated').get(`sampled.${i}`)?.values as Float32Array;
      const dense = Float64Array.from(expected, () => 0);
      found.probabilities.forEach((probability, at) => {
        dense[found.tokens === null ? at : found.tokens[at]] = probability;
      });
      const worst = Math.max(...dense.map((probability, token) => Math.abs(probability - expected[token])));
      expect(worst).toBeLessThan(1e-5);
      expect(Array.from(dense, (one) => one > 0)).toEqual(Array.from(expected, (one) => one > 0));
    },
  );
});

describe('generationConfig: false', () => {
  it('starts from nothing: at the start token of config.json, with no settings, without what is refused', async () => {
    const stated = {
      ...ENDS,
      decoder_start_token_id: 25,
      suppress_tokens: [generation.eos],
      num_beams: 4,
      guidance_scale: 3,
    };
    const [plain] = generation.cases;
    await using tandem = await load(stated, {}, { generationConfig: false });
    expect(tandem.resolveOptions({ topK: 3, temperature: 1 })).toEqual({ topK: 3, temperature: 1 });
    expect(await sequencesOf(tandem, plain.options)).toEqual(plain.sequences);
    expect(tandem.core?.target.startToken).toBe(0);
  });

  it('ends where config.json says, and leaves out the settings of an old config.json', async () => {
    const stated = { ...ENDS, eos_token_id: [generation.eos, 5] };
    await using tandem = await load(stated, {}, { generationConfig: false });
    expect(tandem.core?.target.eosTokens).toEqual([generation.eos]);
    await using old = await load(null, { num_beams: 3, max_length: 7 }, { generationConfig: false });
    expect(old.resolveOptions()).toEqual({});
    await using followed = await load(null, { num_beams: 3, max_length: 7 });
    expect(followed.resolveOptions()).toEqual({ numBeams: 3, maxNewTokens: 6 });
  });
});

describe('what a checkpoint states and Tandem does not do', () => {
  const REFUSED: readonly [key: string, value: unknown, more?: object][] = [
    ['max_time', 2.5],
    ['guidance_scale', 1.5],
    ['watermarking_config', { bias: 2 }],
    ['token_healing', true],
    ['penalty_alpha', 0.6],
    ['dola_layers', 'high'],
    ['num_beam_groups', 2, { num_beams: 4 }],
    ['constraints', [{}]],
    ['force_words_ids', [[5]]],
    ['force_bos_token_to_be_generated', true],
  ];

  it('has a case below for every key that is refused', () => {
    const keys = Object.entries(GENERATION_KEYS).filter(([, rule]) => 'refused' in rule);
    expect(keys.map(([key]) => key).sort()).toEqual(REFUSED.map(([key]) => key).sort());
  });

  it.each(REFUSED)('%s %j is refused by name, when decoding begins and not before', async (key, value, more = {}) => {
    await using tandem = await withEnds({ ...more, [key]: value });
    await expect(tandem.generate(source)).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(tandem.generate(source)).rejects.toThrow(
      new RegExp(`^generation_config.json: ${key} .* is refused: .*; load with generationConfig: false`),
    );
    await expect(tandem.score(source, [[5, 1]])).resolves.toHaveLength(1);
  });

  it('bars nothing where it asks for nothing, or belongs to another way of decoding', async () => {
    const nothing = {
      max_time: null,
      guidance_scale: 1,
      watermarking_config: {},
      token_healing: false,
      penalty_alpha: 0,
    };
    await using tandem = await withEnds({
      ...nothing,
      dola_layers: null,
      num_beam_groups: 4,
      constraints: [],
      force_words_ids: null,
    });
    expect(await sequencesOf(tandem, generation.cases[0].options)).toEqual(generation.cases[0].sequences);
    await using contrastive = await withEnds({ penalty_alpha: 0.6, do_sample: true });
    expect(contrastive.resolveOptions()).toEqual({ temperature: 1, topK: 50 });
  });

  it('is refused where beams would sample, and the message says how to choose', async () => {
    await using tandem = await withEnds({ do_sample: true, num_beams: 4 });
    await expect(tandem.generate(source)).rejects.toThrow(
      /do_sample true is refused: a beam search does not sample: say numBeams: 1/,
    );
    expect(tandem.resolveOptions({ numBeams: 1 })).toEqual({ numBeams: 1, temperature: 1, topK: 50 });
    expect(tandem.resolveOptions({ temperature: 0 })).toEqual({ numBeams: 4, temperature: 0 });
    await using beams = await withEnds({ num_beams: 4 });
    await expect(beams.generate(source, { temperature: 0.5 })).rejects.toThrow(
      /num_beams 4 is refused: a beam search does not/,
    );
    await expect(beams.generate(source, { stop: ['a'] })).rejects.toThrow(
      /^stop: expected none with numBeams.*; generation_config.json states num_beams as numBeams; load with generationConfig/,
    );
    await expect(beams.compare(source)).rejects.toThrow(
      /num_beams 4 is refused: one sequence is compared, without beams/,
    );
  });

  it('one beam is no search, so that it can be compared', async () => {
    await using tandem = await load({ ...ENDS, num_beams: 1, max_length: 4 }, {}, { draft: 'layers:1' });
    expect(tandem.resolveOptions()).toEqual({ maxNewTokens: 3 });
    expect(await tandem.compare(source)).toMatchObject({ equal: true });
  });

  it('a temperature of 0 is refused where the file samples, as in Hugging Face, and has no effect where it does not', async () => {
    await using tandem = await withEnds({ do_sample: true, temperature: 0 });
    await expect(tandem.generate(source)).rejects.toThrow(/temperature 0 is refused: expected a number above 0/);
    await using greedy = await withEnds({ do_sample: false, temperature: 0 });
    expect(greedy.resolveOptions()).toEqual({});
  });

  it('several sequences of a greedy text are refused, as in Hugging Face', async () => {
    await using tandem = await withEnds({ num_return_sequences: 3 });
    await expect(tandem.generate(source)).rejects.toThrow(/num_return_sequences 3 is refused: greedy decoding has one/);
    const { sequences } = await tandem.generate(source, { temperature: 1, maxNewTokens: 3 });
    expect(sequences).toHaveLength(3);
  });

  it.each([
    ['num_beams', 'four', /num_beams 'four' is refused: expected a whole number from 1 to 1024 for numBeams/],
    ['max_length', 1, /max_length 0 is refused: expected a whole number from 1 up for maxNewTokens/],
    ['repetition_penalty', -1, /repetition_penalty -1 is refused: expected a number above 0/],
    ['bad_words_ids', [5], /bad_words_ids \[5\] is refused: expected a list of lists/],
  ])('a value of %s that no setting takes is refused, unless the caller has one', async (key, value, message) => {
    await using tandem = await withEnds({ [key]: value });
    await expect(tandem.generate(source)).rejects.toThrow(message);
    const said = { numBeams: 1, maxNewTokens: 2, repetitionPenalty: 1, badWords: [] };
    await expect(tandem.generate(source, said)).resolves.toMatchObject({ stopReason: 'length' });
  });

  it('tokens to suppress that the vocabulary does not have change nothing', async () => {
    await using tandem = await withEnds({ suppress_tokens: [-1, 64, 99], begin_suppress_tokens: [250000] });
    expect(await sequencesOf(tandem, generation.cases[0].options)).toEqual(generation.cases[0].sequences);
  });
});

describe('what the caller says', () => {
  it('wins over what the checkpoint states, for every setting', async () => {
    const stated = {
      max_length: 9,
      min_length: 3,
      forced_bos_token_id: 9,
      forced_eos_token_id: 5,
      repetition_penalty: 1.5,
      encoder_repetition_penalty: 1.5,
      no_repeat_ngram_size: 3,
      encoder_no_repeat_ngram_size: 3,
      bad_words_ids: [[7]],
      sequence_bias: [[[7], 1]],
      suppress_tokens: [7],
      begin_suppress_tokens: [7],
      exponential_decay_length_penalty: [3, 1.5],
      do_sample: true,
      temperature: 0.5,
      top_k: 5,
      top_p: 0.5,
      min_p: 0.1,
      top_h: 0.5,
      typical_p: 0.5,
      epsilon_cutoff: 0.1,
      eta_cutoff: 0.1,
      num_return_sequences: 2,
      stop_strings: 'x',
    }; // prettier-ignore
    await using tandem = await withEnds(stated);
    const all = tandem.resolveOptions();
    const names = Object.entries(GENERATION_KEYS).flatMap(([, rule]) =>
      'setting' in rule && rule.way !== 'beams' ? [rule.setting] : [],
    );
    expect(Object.keys(all).sort()).toEqual([...new Set(names)].sort());
    const ids = fc.constant([11]);
    const others: Record<string, fc.Arbitrary<unknown>> = {
      forcedEosToken: fc.constantFrom(3, [3]),
      badWords: fc.constant([[11]]),
      sequenceBias: fc.constant([[[11], 2]]),
      suppressTokens: ids,
      beginSuppressTokens: ids,
      exponentialDecayLengthPenalty: fc.constant([1, 2]),
      stop: fc.constant(['y']),
      topH: fc.constant(0.25),
      topP: fc.constant(1),
      minP: fc.constant(0),
      typicalP: fc.constant(1),
      epsilonCutoff: fc.constant(0),
      etaCutoff: fc.constant(0),
    }; // prettier-ignore
    const said = fc.record(
      Object.fromEntries(Object.keys(all).map((name) => [name, others[name] ?? fc.integer({ min: 1, max: 4 })])),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(said, (given) => {
        expect(tandem.resolveOptions(given as GenerateOptions)).toEqual({ ...all, ...given });
      }),
      { numRuns: 200 },
    );
  });

  it('of the first token wins by either name', async () => {
    await using tandem = await withEnds({ forced_bos_token_id: 9 });
    expect((await tandem.generate(source, { maxNewTokens: 2 })).ids[0]).toBe(9);
    expect((await tandem.generate(source, { maxNewTokens: 2, forcedPrefix: [8] })).ids[0]).toBe(8);
  });

  it('can be every option: settings of the checkpoint have the names of options', () => {
    for (const rule of Object.values(GENERATION_KEYS)) {
      if ('setting' in rule) expect(Object.keys(GENERATE_OPTIONS)).toContain(rule.setting);
    }
  });
});

it('the bundled pair states no settings, so that its texts are those of the defaults', async () => {
  await using tandem = await Tandem.load(undefined, { backend: 'reference' });
  expect(tandem.resolveOptions()).toEqual({});
});
