/** Each limit of a config at its bounds and one step beyond them. */
import { readConfig } from '../../weights/config';

const BASE = { model_type: 't5', vocab_size: 100, d_model: 8, d_kv: 4, d_ff: 16, num_layers: 2, num_heads: 2 };
const read = (changes: object) => readConfig({ ...BASE, ...changes }, 'config.json');

const LIMITS: readonly [key: string, field: keyof ReturnType<typeof readConfig>, least: number, most: number][] = [
  ['d_kv', 'dKv', 1, 1 << 14],
  ['num_heads', 'heads', 1, 1 << 14],
  ['num_layers', 'encoderLayers', 1, 1 << 12],
  ['num_decoder_layers', 'decoderLayers', 1, 1 << 12],
  ['vocab_size', 'vocabularySize', 1, 1 << 24],
  ['d_model', 'dModel', 1, 1 << 18],
  ['d_ff', 'dFf', 1, 1 << 20],
  ['relative_attention_max_distance', 'relativeMaxDistance', 17, 1 << 20],
  ['relative_attention_num_buckets', 'relativeBuckets', 4, 255],
  ['decoder_start_token_id', 'startToken', 0, 99],
  ['bos_token_id', 'startToken', 0, 99],
];
const ALIASES = {
  hidden_size: 'd_model',
  num_attention_heads: 'num_heads',
  num_hidden_layers: 'num_layers',
  head_dim: 'd_kv',
};

describe.each(LIMITS)('%s', (key, field, least, most) => {
  it('is taken from its least value to its largest, and refused one step beyond, with what was found', () => {
    for (const value of [least, least + 1, most - 1, most]) expect(read({ [key]: value })[field]).toBe(value);
    for (const value of [least - 1, most + 1, least + 0.5, String(least), true, [least]]) {
      const named = key === 'relative_attention_num_buckets' && value === 256 ? 'relative_attention_max_distance' : key;
      const found = named === key ? JSON.stringify(value) : '128';
      expect(() => read({ [key]: value })).toThrow(`config.json: ${named}: expected a whole number from`);
      expect(() => read({ [key]: value })).toThrow(new RegExp(`, found ${found.replace(/[[\]]/g, '\\$&')}$`));
    }
  });
});

describe('a config', () => {
  it('has the bounds of a field in its refusal', () => {
    for (const [key, , least, most] of LIMITS.filter(([name]) => name !== 'relative_attention_num_buckets')) {
      expect(() => read({ [key]: most + 1 })).toThrow(`from ${least} to ${most}, found ${most + 1}`);
    }
    expect(() => read({ relative_attention_num_buckets: (1 << 16) + 1 })).toThrow(`from 4 to ${1 << 16}, found`);
  });

  it.each(Object.entries(ALIASES))(
    'takes %s for %s, and the alias wins; null is as if it were not there',
    (alias, name) => {
      const named = { ...BASE, [name]: 3 };
      const expected = readConfig(named, 'config.json');
      const { [name as keyof typeof BASE]: _, ...without } = BASE;
      expect(readConfig({ ...without, [alias]: 3 }, 'config.json')).toMatchObject({
        ...expected,
        decoderLayers: name === 'num_layers' ? expect.anything() : expected.decoderLayers,
      });
      expect(readConfig({ ...named, [alias]: null }, 'config.json')).toEqual(expected);
      const both = readConfig({ ...BASE, [name]: 7, [alias]: 3 }, 'config.json');
      expect(both).toEqual({ ...expected, decoderLayers: name === 'num_layers' ? 7 : expected.decoderLayers });
    },
  );

  it('has the defaults of Hugging Face where fields are not stated', () => {
    expect(read({})).toEqual({
      family: 't5',
      vocabularySize: 100,
      dModel: 8,
      dKv: 4,
      heads: 2,
      inner: 8,
      dFf: 16,
      encoderLayers: 2,
      decoderLayers: 2,
      relativeBuckets: 32,
      relativeMaxDistance: 128,
      epsilon: 1e-6,
      feedForward: { kind: 'relu', gated: false },
      biasInEveryBlock: false,
      scaleHead: true,
      tiesHead: true,
      startToken: 0,
      eosTokens: [1],
    });
    expect(read({ num_layers: 5 }).decoderLayers).toBe(5);
    expect(read({ model_type: 'mt5' }).feedForward).toEqual({ kind: 'gelu_new', gated: true });
  });

  it.each<[unknown, boolean]>([
    ['0.5', false],
    [[0.5], false],
    [true, false],
    [1e-9, true],
    [0.999, true],
    [0, false],
    [1, false],
    [-1e-6, false],
  ])('takes an epsilon of %j: %s', (epsilon, isTaken) => {
    if (isTaken) expect(read({ layer_norm_epsilon: epsilon }).epsilon).toBe(epsilon);
    else expect(() => read({ layer_norm_epsilon: epsilon })).toThrow(/layer_norm_epsilon: expected a number between 0/);
  });

  it.each<[unknown, readonly number[] | null]>([
    [0, [0]],
    [99, [99]],
    [
      [3, 0, 99],
      [3, 0, 99],
    ],
    [[], []],
    [null, [1]],
    [100, null],
    [-1, null],
    [[1, 100], null],
    [1.5, null],
    ['1', null],
  ])('ends at %j: %j', (value, ends) => {
    if (ends !== null) expect(read({ eos_token_id: value }).eosTokens).toEqual(ends);
    else expect(() => read({ eos_token_id: value })).toThrow(/eos_token_id: expected ids from 0 to 99, found/);
  });

  // Of a head: said by scale_decoder_outputs, else by tie_word_embeddings; an mT5's only where transformers 4 tied it.
  it.each<[string, unknown, unknown, unknown, boolean]>([
    ['t5', true, false, '4.0', true],
    ['t5', false, true, '4.0', false],
    ['t5', undefined, false, '5.0', false],
    ['t5', undefined, true, '5.0', true],
    ['t5', undefined, undefined, '5.0', true],
    ['umt5', undefined, undefined, '5.0', true],
    ['mt5', undefined, true, '4.9', true],
    ['mt5', undefined, true, undefined, true],
    ['mt5', undefined, true, '5.0', false],
    ['mt5', undefined, undefined, '4.9', false],
    ['mt5', undefined, false, '4.9', false],
    ['mt5', true, false, '5.0', true],
    ['mt5', false, true, '4.9', false],
  ])('%s with scale_decoder_outputs %s, tie_word_embeddings %s of transformers %s: the head scales: %s', (...row) => {
    const [model_type, scale_decoder_outputs, tie_word_embeddings, transformers_version, expected] = row;
    const config = read({ model_type, scale_decoder_outputs, tie_word_embeddings, transformers_version });
    expect([config.scaleHead, config.tiesHead]).toEqual([expected, tie_word_embeddings ?? true]);
  });

  it.each<[unknown, string | null]>([
    [['T5ForConditionalGeneration'], 't5'],
    [['T5EncoderModel', 'BartModel'], 't5'],
    [['T5Model'], 't5'],
    [['MT5ForConditionalGeneration'], 'mt5'],
    [['UMT5EncoderModel'], 'umt5'],
    [['XT5Model'], null],
    [['T5'], null],
    [['LongT5Model'], null],
    [[5], null],
    [[], null],
    ['T5Model', null],
  ])('without model_type is of the family that architectures %j names: %s', (architectures, family) => {
    for (const model_type of [null, undefined]) {
      if (family !== null) expect(read({ model_type, architectures }).family).toBe(family);
      else expect(() => read({ model_type, architectures })).toThrow(/model_type: expected t5, mt5, umt5, found/);
    }
  });
});
