import fc from 'fast-check';
import { type T5Config, WeightsError } from '../../weights';
import { readConfig, withGenerationEnds } from '../../weights/config';
import { parseObject } from '../../weights/fields';

/** The fields every T5 config has (those of t5-small). */
const BASE = {
  model_type: 't5',
  vocab_size: 32128,
  d_model: 512,
  d_kv: 64,
  d_ff: 2048,
  num_layers: 6,
  num_heads: 8,
  relative_attention_num_buckets: 32,
  layer_norm_epsilon: 1e-6,
  decoder_start_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
};

/** Fields as a file gives them. */
const written = (fields: object, file: string) => parseObject(JSON.stringify(fields), file);

const parse = (changes: object, generation?: object) => {
  const config = readConfig(written({ ...BASE, ...changes }, 'model/config.json'), 'model/config.json');
  const file = 'model/generation_config.json';
  return generation ? withGenerationEnds(config, written(generation, file), file) : config;
};

describe('config.json', () => {
  it.each<[string, object, Partial<T5Config>]>([
    [
      'T5 v1.0',
      {},
      {
        family: 't5',
        decoderLayers: 6,
        inner: 512,
        relativeMaxDistance: 128,
        feedForward: { kind: 'relu', gated: false },
        scaleHead: true,
      },
    ],
    [
      'T5 v1.1 and LM-adapt, Flan-T5',
      { feed_forward_proj: 'gated-gelu', tie_word_embeddings: false, num_heads: 6 },
      { inner: 384, feedForward: { kind: 'gelu_new', gated: true }, scaleHead: false },
    ],
    [
      'UL2 and Flan-UL2',
      { feed_forward_proj: 'gated-silu', tie_word_embeddings: false },
      { feedForward: { kind: 'silu', gated: true }, scaleHead: false },
    ],
    [
      'umT5',
      { model_type: 'umt5', feed_forward_proj: 'gated-gelu', tie_word_embeddings: false },
      { family: 'umt5', biasInEveryBlock: true },
    ],
    [
      'mT5 of transformers 4',
      { model_type: 'mt5', feed_forward_proj: 'gated-gelu', tie_word_embeddings: false, vocab_size: 250112 },
      { family: 'mt5', vocabularySize: 250112, biasInEveryBlock: false, scaleHead: false },
    ],
    [
      'mT5 of transformers 5, which never scales it',
      { model_type: 'mt5', tie_word_embeddings: true, transformers_version: '5.23.0' },
      { family: 'mt5', feedForward: { kind: 'gelu_new', gated: true }, scaleHead: false },
    ],
    [
      'an mT5 that transformers 4 tied',
      { model_type: 'mt5', tie_word_embeddings: true, transformers_version: '4.40.0' },
      { scaleHead: true },
    ],
    [
      'ByT5',
      {
        vocab_size: 384,
        num_layers: 12,
        num_decoder_layers: 4,
        feed_forward_proj: 'gated-gelu',
        tie_word_embeddings: false,
      },
      { encoderLayers: 12, decoderLayers: 4, vocabularySize: 384 },
    ],
    [
      'files of transformers ≥ 5.17: tied by name, scaled by scale_decoder_outputs',
      { tie_word_embeddings: true, scale_decoder_outputs: false },
      { scaleHead: false },
    ],
    [
      'fields written as null',
      { num_decoder_layers: null, tie_word_embeddings: null },
      { decoderLayers: 6, scaleHead: true },
    ],
  ])('of %s', (_, changes, expected) => {
    expect(parse(changes)).toMatchObject(expected);
  });

  it('takes the family from the class where model_type is not there', () => {
    const families = [
      'T5ForConditionalGeneration',
      'MT5EncoderModel',
      'UMT5ForConditionalGeneration',
      'T5EncoderModel',
    ].map((name) => parse({ model_type: undefined, architectures: [name] }).family);
    expect(families).toEqual(['t5', 'mt5', 'umt5', 't5']);
    expect(() => parse({ model_type: undefined, architectures: ['BartModel'] })).toThrow(
      /model_type: expected t5, mt5/,
    );
    expect(() => parse({ model_type: 'bart', architectures: ['T5Model'] })).toThrow(/model_type: .* found "bart"/);
  });

  it('takes the names that attribute_map has for sizes, and they win; decoder layers follow num_layers', () => {
    const renamed = { d_model: undefined, hidden_size: 16, num_attention_heads: 2, head_dim: 4, num_hidden_layers: 3 };
    expect(parse(renamed)).toMatchObject({
      dModel: 16,
      heads: 2,
      dKv: 4,
      inner: 8,
      encoderLayers: 3,
      decoderLayers: 6,
    });
  });

  it('starts at decoder_start_token_id, else at BOS, else at 0; generation_config.json before config.json', () => {
    const none = { decoder_start_token_id: undefined };
    expect(parse({}, { decoder_start_token_id: 7, bos_token_id: 9 }).startToken).toBe(7);
    expect(parse(none, { bos_token_id: 9 }).startToken).toBe(9);
    expect(parse({ decoder_start_token_id: 5 }, { bos_token_id: 9 }).startToken).toBe(9);
    expect(parse({ decoder_start_token_id: 5 }, { eos_token_id: 1 }).startToken).toBe(5);
    expect(parse({ ...none, bos_token_id: 3 }).startToken).toBe(3);
    expect(parse(none).startToken).toBe(0);
  });

  it('takes the ids of the end of a sequence from generation_config.json, one or several', () => {
    expect(parse({}, { eos_token_id: [1, 5] }).eosTokens).toEqual([1, 5]);
    expect(parse({}).eosTokens).toEqual([1]);
  });

  it.each<[object, RegExp]>([
    [{ model_type: 'bart' }, /model\/config.json: model_type: expected t5, mt5, umt5, found "bart"/],
    [{ model_type: undefined }, /model_type: expected t5, mt5, umt5, found none/],
    [{ feed_forward_proj: 'gated' }, /feed_forward_proj: expected one of relu, gelu, .*, found gated$/],
    [{ feed_forward_proj: 'gated-gelu-new' }, /feed_forward_proj: expected .*, found gated-gelu-new$/],
    [{ feed_forward_proj: 'dense-relu' }, /feed_forward_proj: expected .*, found dense-relu$/],
    [{ feed_forward_proj: 'toString' }, /feed_forward_proj: expected/],
    [{ dense_act_fn: 'mish' }, /dense_act_fn: expected one of relu, .*, found mish, a function of Hugging Face's/],
    [{ is_gated_act: 'no' }, /is_gated_act: expected true or false, found "no"/],
    [{ relative_attention_num_buckets: 3 }, /num_buckets: expected a whole number from 4 to \d+, found 3/],
    [{ relative_attention_max_distance: 16 }, /max_distance: expected a whole number from 17 to \d+, found 16/],
    [
      { relative_attention_num_buckets: 9, relative_attention_max_distance: 4 },
      /max_distance: expected a whole number from 5 to/,
    ],
    [{ bos_token_id: 99999, decoder_start_token_id: null }, /bos_token_id: .* found 99999/],
    [{ feed_forward_proj: 3 }, /feed_forward_proj: expected a string, found 3/],
    [{ d_model: 0 }, /d_model: expected a whole number from 1 to \d+, found 0/],
    [{ d_model: '512' }, /d_model: .* found "512"/],
    [{ num_heads: 1.5 }, /num_heads: .* found 1.5/],
    [{ d_kv: 1e12 }, /d_kv: .* found 1000000000000/],
    [{ vocab_size: undefined }, /vocab_size: .* found none/],
    [{ eos_token_id: 99999 }, /eos_token_id: expected ids from 0 to 32127, found 99999/],
    [{ decoder_start_token_id: -1 }, /decoder_start_token_id: .* found -1/],
    [{ layer_norm_epsilon: 0 }, /layer_norm_epsilon: expected a number between 0 and 1, found 0/],
    [{ tie_word_embeddings: 'yes' }, /tie_word_embeddings: expected true or false, found "yes"/],
  ])('refuses %o by field', (changes, message) => {
    expect(() => parse(changes)).toThrow(message);
    expect(() => parse(changes)).toThrow(WeightsError);
  });

  it('gives a config or an error that names the field, whatever value a field has', () => {
    const fields = [
      ...Object.keys(BASE),
      'feed_forward_proj',
      'tie_word_embeddings',
      'scale_decoder_outputs',
      'num_decoder_layers',
      'relative_attention_max_distance',
    ];
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 2 }), (field, value) => {
        try {
          const config = parse({ [field]: value });
          const sizes = [config.dModel, config.inner, config.dFf, config.encoderLayers, config.decoderLayers];
          for (const size of sizes) expect(Number.isSafeInteger(size) && size > 0).toBe(true);
        } catch (error) {
          refused++;
          expect(error).toMatchObject({ name: 'WeightsError', code: 'config-invalid' });
          expect((error as Error).message).toContain(`${field}: expected`);
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(200);
  });

  it('says when it is generation_config.json that is wrong', () => {
    expect(() => parse({}, { eos_token_id: -1 })).toThrow(/model\/generation_config.json: eos_token_id: .* found -1/);
  });

  it.each(['', '{', '[]', 'null', '3'])('refuses %j as a file', (text) => {
    expect(() => parseObject(text, 'config.json')).toThrow(/config.json: expected (JSON|an object), found/);
  });
});
