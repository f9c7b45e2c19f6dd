import fc from 'fast-check';
import { readGeneration, reviewConfig, reviewStart, reviewTokenizer, type Statement } from '../../../weights/stated';
import { GENERATION_KEYS, type Way } from '../../../weights/stated/generation-keys';

const PLAIN = { startToken: 0, eosTokens: [1] };
const FILE = 'generation_config.json';
const read = (json: object) => readGeneration(json as never, FILE, PLAIN);
const reviewed = (json: object) => reviewStart({}, json as never, read(json));
const fates = (statements: readonly Statement[]) =>
  Object.fromEntries(statements.map(({ key, outcome, note }) => [key, `${outcome}: ${note}`]));

/** Values that mean "off" for each key that has one, by `generation/configuration_utils.py`. */
const OFF: Readonly<Record<string, readonly unknown[]>> = {
  min_new_tokens: [0],
  min_length: [0, 1],
  repetition_penalty: [1],
  encoder_repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  encoder_no_repeat_ngram_size: [0],
  renormalize_logits: [false],
  guidance_scale: [1],
  token_healing: [false],
  top_k: [0],
  top_p: [1],
  min_p: [0],
  typical_p: [1],
  epsilon_cutoff: [0, 1],
  eta_cutoff: [0, 1],
  penalty_alpha: [0],
  num_return_sequences: [1],
  length_penalty: [1],
  early_stopping: [false],
  num_beam_groups: [1],
  force_bos_token_to_be_generated: [false],
};
const EMPTY = [false, '', [], {}];
const LISTS = ['stop_strings', 'forced_eos_token_id', 'bad_words_ids', 'sequence_bias', 'suppress_tokens'];
LISTS.push('begin_suppress_tokens', 'exponential_decay_length_penalty', 'dola_layers', 'max_time');
LISTS.push('watermarking_config', 'constraints', 'force_words_ids');

const values = fc.oneof(
  fc.constantFrom(null, false, true, 0, 1, 2, 0.5, '', 'x', [], [7], {}),
  fc.constantFrom({ a: 1 }),
);
const files = fc.dictionary(fc.constantFrom(...Object.keys(GENERATION_KEYS), 'other_key', 'toString'), values, {
  maxKeys: 12,
});

const wayOf = (json: Record<string, unknown>): Way =>
  typeof json.num_beams === 'number' && json.num_beams > 1 ? 'beams' : json.do_sample === true ? 'sampling' : 'greedy';

describe('what a file states of generation', () => {
  it.each(Object.entries(OFF))('%s asks for nothing with %j, and for something with other values', (key, off) => {
    for (const value of [0, 1, 2, 0.5, true, false]) {
      const { settings, refused } = read({ [key]: value });
      const count = Object.keys(settings).length + refused.length;
      expect([key, value, count]).toEqual([key, value, off.includes(value) ? 0 : 1]);
      const [{ outcome, note }] = reviewed({ [key]: value });
      expect(note === 'this value asks for nothing').toBe(off.includes(value));
      if (off.includes(value)) expect(outcome).toBe('no effect');
    }
  });

  it.each(LISTS)('%s asks for nothing where it is empty, and for something elsewhere', (key) => {
    for (const value of EMPTY)
      expect([value, read({ [key]: value })]).toMatchObject([value, { settings: {}, refused: [] }]);
    for (const value of [[7], 'x', { a: 1 }, 3, true]) {
      const { settings, refused } = read({ [key]: value });
      expect(Object.keys(settings).length + refused.length).toBe(1);
    }
  });

  it('counts lengths as Hugging Face does, which counts the start token in; new tokens alone win', () => {
    expect(read({ max_length: 20, min_length: 5 }).settings).toEqual({
      maxNewTokens: { key: 'max_length', value: 19, way: undefined },
      minNewTokens: { key: 'min_length', value: 4, way: undefined },
    });
    for (const json of [
      { max_length: 20, max_new_tokens: 7, min_length: 9, min_new_tokens: 3 },
      { min_new_tokens: 3, min_length: 9, max_new_tokens: 7, max_length: 20 },
    ]) {
      expect(read(json).settings).toMatchObject({ maxNewTokens: { value: 7 }, minNewTokens: { value: 3 } });
      expect(fates(reviewed(json))).toEqual({
        max_new_tokens: 'followed: as maxNewTokens',
        min_new_tokens: 'followed: as minNewTokens',
        max_length: 'no effect: the key that counts new tokens alone wins',
        min_length: 'no effect: the key that counts new tokens alone wins',
      });
    }
    expect(fates(reviewed({ max_length: 20 }))).toEqual({ max_length: 'followed: as maxNewTokens 19' });
    expect(read({ max_length: 'long' }).settings.maxNewTokens.value).toBe('long');
    expect(read({ stop_strings: 'end' }).settings.stop.value).toEqual(['end']);
    expect(read({ stop_strings: ['a', 'b'] }).settings.stop.value).toEqual(['a', 'b']);
  });

  it('takes the 50 likeliest tokens where it samples and does not say how many', () => {
    const topK = { key: 'top_k (not stated)', value: 50, way: 'sampling' };
    expect(read({ do_sample: true })).toMatchObject({ doSample: true, settings: { topK } });
    expect(read({ do_sample: true, top_k: null }).settings).toEqual({ topK });
    expect(read({ do_sample: true, top_k: 7 }).settings).toMatchObject({ topK: { key: 'top_k', value: 7 } });
    expect(read({ do_sample: true, top_k: 0 }).settings).toEqual({});
    for (const doSample of [false, null, 1, 'true']) {
      expect(read({ do_sample: doSample })).toMatchObject({ doSample: false, settings: {} });
    }
    expect(read({ num_beams: 1 }).settings).toEqual({ numBeams: { key: 'num_beams', value: 1 } });
  });

  it('is the same with null and with nothing, and has one fate for each key that is there', () => {
    fc.assert(
      fc.property(files, (json) => {
        const said = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
        expect(read(json)).toEqual(read(said));
        expect(
          reviewed(json)
            .map(({ key }) => key)
            .sort(),
        ).toEqual(Object.keys(json).sort());
        for (const { key, file, value } of reviewed(json)) expect([file, value]).toEqual([FILE, json[key]]);
      }),
    );
  });

  it('has the fates that its settings and refusals have, in the way of decoding that it chooses', () => {
    fc.assert(
      fc.property(files, (json) => {
        const { settings, refused } = read(json);
        const way = wayOf(json);
        const applies = (only: Way | undefined) => only === undefined || only === way;
        const fate = Object.fromEntries(reviewed(json).map(({ key, outcome }) => [key, outcome]));
        for (const [key, rule] of Object.entries(GENERATION_KEYS)) {
          if (!Object.hasOwn(json, key)) continue;
          const [taken] = Object.values(settings).filter((one) => one.key === key);
          const [barred] = refused.filter((one) => one.key === key);
          let expected = 'no effect';
          if (taken !== undefined && applies(taken.way)) expected = 'followed';
          if (barred !== undefined && applies(barred.way)) expected = 'refused';
          if (('model' in rule || 'chooses' in rule) && json[key] !== null) expected = 'followed';
          if (key === 'do_sample' && json.do_sample === true && way === 'beams') expected = 'refused';
          expect([key, fate[key]]).toEqual([key, expected]);
        }
        expect([fate.other_key ?? 'no effect', fate.toString]).toEqual([
          'no effect',
          Object.hasOwn(json, 'toString') ? 'no effect' : Object.prototype.toString,
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('says of a key in which way of decoding it has an effect', () => {
    expect(fates(reviewed({ temperature: 0.5, length_penalty: 2, penalty_alpha: 0.6, num_beams: 1 }))).toEqual({
      temperature: 'no effect: do_sample is not true: it applies when a temperature above 0 is asked for',
      length_penalty: 'no effect: num_beams is not above 1: it applies when beams are asked for',
      penalty_alpha: 'refused: there is no contrastive search',
      num_beams: 'followed: how many beams; 1 is no beam search',
    });
    const beams = fates(reviewed({ num_beams: 2, do_sample: true, temperature: 0.5, penalty_alpha: 0.6, top_p: null }));
    expect(beams).toMatchObject({
      do_sample: 'refused: a beam search does not sample',
      penalty_alpha: 'no effect: only greedy decoding has it',
      top_p: 'no effect: null is as if it were not there',
    });
    expect(beams.temperature).toMatch(/^no effect/);
  });
});

describe('the fate of each key', () => {
  const config = { d_model: 8, num_beams: 4, eos_token_id: 1, transformers_version: '5', pruned_heads: {}, odd: 1 };

  it('of config.json is that of the model; of generation only where no other file states it', () => {
    expect(fates(reviewConfig('config.json', config))).toEqual({
      d_model: 'followed: width',
      transformers_version: expect.stringMatching(/^followed: /),
      pruned_heads: 'no effect: this value asks for nothing',
      odd: 'no effect: no key that transformers has',
    });
    const alone = reviewStart(config, null, readGeneration(config, 'config.json', PLAIN));
    expect(fates(alone)).toMatchObject({ num_beams: 'followed: how many beams; 1 is no beam search' });
    expect(alone.map(({ file }) => file)).toEqual(['config.json', 'config.json', 'config.json']);
    const both = reviewStart(config, { top_k: 5, odder: 2 }, read({ top_k: 5 }));
    expect(both.map(({ file, key, outcome, note }) => [file, key, outcome, note])).toEqual([
      ['config.json', 'num_beams', 'no effect', `${FILE} is there`],
      [FILE, 'top_k', 'no effect', expect.stringMatching(/^do_sample is not true/)],
      [FILE, 'odder', 'no effect', 'no key that transformers has'],
    ]);
  });

  it.each([
    [{ 0: ['head'] }, 'refused: every layer has all its heads'],
    [[], 'no effect: this value asks for nothing'],
    [null, 'no effect: this value asks for nothing'],
    [0, 'refused: every layer has all its heads'],
  ])('pruned_heads %j: %s', (value, fate) => {
    expect(fates(reviewConfig('config.json', { pruned_heads: value }))).toEqual({ pruned_heads: fate });
  });

  it.each<[unknown, Record<string, string>]>([
    [{ quant_method: 'bitsandbytes' }, { quant_method: 'no effect' }],
    [{ quant_method: 'gptq' }, { quant_method: 'refused' }],
    [
      { load_in_8bit: true, llm_int8_threshold: 6 },
      { load_in_8bit: 'followed', llm_int8_threshold: 'no effect' },
    ],
    [
      { load_in_4bit: true, _load_in_4bit: false },
      { load_in_4bit: 'refused', _load_in_4bit: 'no effect' },
    ],
    [{ load_in_4bit: 1 }, { load_in_4bit: 'refused' }],
    [
      { other: 1, load_in_8bit: null },
      { other: 'no effect', load_in_8bit: 'no effect' },
    ],
    [null, {}],
    ['int8', {}],
  ])('of quantization_config %j', (value, expected) => {
    const [whole, ...found] = reviewConfig('config.json', { quantization_config: value });
    expect([whole.key, whole.outcome]).toEqual(['quantization_config', value === null ? 'no effect' : 'followed']);
    const inside = found.map(({ key, outcome }) => [key.replace(/^quantization_config\./, ''), outcome]);
    expect(Object.fromEntries(inside)).toEqual(expected);
    for (const { key, file } of found)
      expect([file, key]).toEqual(['config.json', expect.stringMatching(/^quant.*\./)]);
  });

  it('of the tokenizer’s files, and of the flags of the tokens that they add', () => {
    const token = { id: 5, content: '<x>', special: true, lstrip: false, odd: 1 };
    expect(
      fates(
        reviewTokenizer('tokenizer.json', {
          version: '1.0',
          padding: null,
          added_tokens: [token, { id: 6, rstrip: true }],
        }),
      ),
    ).toEqual({
      version: 'no effect: there is one version',
      padding: expect.stringMatching(/^no effect/),
      added_tokens: 'followed: special and added tokens',
      'added_tokens[].id': 'followed: its id',
      'added_tokens[].content': 'followed: its text',
      'added_tokens[].special': 'followed: left out of texts that come out',
      'added_tokens[].lstrip': 'followed: takes white space before it',
      'added_tokens[].rstrip': 'followed: takes white space after it',
      'added_tokens[].odd': 'no effect: no key that transformers has',
    });
    const settings = { added_tokens_decoder: { 7: { normalized: true } }, sp_model_kwargs: { alpha: 0.1 }, verbose: 1 };
    expect(fates(reviewTokenizer('tokenizer_config.json', settings))).toMatchObject({
      'added_tokens_decoder[].normalized': 'followed: sought in normalised text',
      sp_model_kwargs: expect.stringMatching(/^refused: SentencePiece samples/),
      verbose: expect.stringMatching(/^no effect/),
    });
    expect(fates(reviewTokenizer('special_tokens_map.json', { eos_token: '</s>', added_tokens: null }))).toEqual({
      eos_token: 'followed: ends a source',
      added_tokens: 'no effect: no key that transformers has',
    });
    const [added, ...rest] = reviewTokenizer('added_tokens.json', { a: 5, b: 6 });
    expect([added, rest]).toMatchObject([
      { file: 'added_tokens.json', key: 'tokens', value: 2, outcome: 'followed' },
      [],
    ]);
    expect(reviewTokenizer('tokenizer.json', { added_tokens: ['text', 3] })).toHaveLength(1);
  });
});
