import { quotedJson } from '../common';
import { feedForwardOf } from './activations';
import { ALIASES } from './aliases';
import { Fields, type Json } from './fields';
import type { ModelFamily, T5Config } from './types';

/** The ids that T5 itself starts and ends with. */
const T5_START = 0;
const T5_EOS = 1;

const FAMILIES: readonly ModelFamily[] = ['t5', 'mt5', 'umt5'];

/** Classes of models that stand in `architectures`, by what their name begins with. */
const CLASSES: readonly (readonly [prefix: string, family: ModelFamily])[] = [
  ['T5', 't5'],
  ['MT5', 'mt5'],
  ['UMT5', 'umt5'],
];

/** Reads config.json into a closed T5Config. */
export function readConfig(json: Json, file: string): T5Config {
  const field = new Fields(withoutAliases(json), file);
  const family = familyOf(field);
  const dKv = field.size('d_kv', 1 << 14);
  const heads = field.size('num_heads', 1 << 14);
  const encoderLayers = field.size('num_layers', 1 << 12);
  const vocabularySize = field.size('vocab_size', 1 << 24);
  return {
    family,
    vocabularySize,
    dModel: field.size('d_model', 1 << 18),
    dKv,
    heads,
    inner: heads * dKv,
    dFf: field.size('d_ff', 1 << 20),
    encoderLayers,
    decoderLayers: field.size('num_decoder_layers', 1 << 12, (json.num_layers as number | undefined) ?? encoderLayers),
    ...relativePositions(field),
    epsilon: field.positive('layer_norm_epsilon', 1e-6),
    feedForward: feedForwardOf(field, family === 't5' ? 'relu' : 'gated-gelu'),
    biasInEveryBlock: family === 'umt5',
    scaleHead: scaleHead(family, field),
    tiesHead: field.flag('tie_word_embeddings') ?? true,
    startToken: startToken(field, vocabularySize) ?? T5_START,
    eosTokens: eosTokens(field, vocabularySize) ?? [T5_EOS],
  };
}

/** Where generation starts and ends by generation_config.json; by config.json where that file does not say it. */
export function withGenerationEnds(config: T5Config, json: Json, file: string): T5Config {
  const field = new Fields(json, file);
  return {
    ...config,
    startToken: startToken(field, config.vocabularySize) ?? config.startToken,
    eosTokens: eosTokens(field, config.vocabularySize) ?? config.eosTokens,
  };
}

/** The fields under the names that T5 has for them. */
function withoutAliases(json: Json): Json {
  const renamed: Record<string, unknown> = { ...json };
  for (const [alias, name] of Object.entries(ALIASES)) {
    if ((json[alias] ?? null) !== null) renamed[name] = json[alias];
  }
  return renamed;
}

/** `model_type`; without it, what the class in `architectures` says. */
function familyOf(field: Fields): ModelFamily {
  const { architectures, model_type: stated } = field.json;
  if ((stated ?? null) === null && Array.isArray(architectures) && typeof architectures[0] === 'string') {
    const [name] = architectures as string[];
    const known = CLASSES.find(([prefix]) => new RegExp(`^${prefix}(?:For|Encoder|Model)`).test(name));
    if (known) return known[1];
  }
  return field.oneOf('model_type', FAMILIES);
}

/**
 * Buckets of relative positions. Half of them are for single distances, and the others share the distances up to the maximum by
 * their logarithm. Where no distance is left to share, or the encoder has no bucket for a single one, the formula of
 * `T5Attention._relative_position_bucket` divides by zero, and every logit would be no number.
 */
function relativePositions(field: Fields): Pick<T5Config, 'relativeBuckets' | 'relativeMaxDistance'> {
  const relativeBuckets = field.integer('relative_attention_num_buckets', 4, 1 << 16, 32);
  const least = (relativeBuckets >> 1) + 1; // the decoder has single distances up to half of the buckets
  const relativeMaxDistance = field.integer('relative_attention_max_distance', least, 1 << 20, 128);
  return { relativeBuckets, relativeMaxDistance };
}

/**
 * Whether the head scales by dModel^-0.5. Files saved by transformers 5 say that every head is tied; T5's keep the truth in
 * scale_decoder_outputs, mT5's have no place for it, and transformers 5 never scales an mT5 (before, only a tied one).
 */
function scaleHead(family: ModelFamily, field: Fields): boolean {
  const said = field.flag('scale_decoder_outputs');
  const tied = field.flag('tie_word_embeddings');
  if (family !== 'mt5') return said ?? tied ?? true;
  const version = Number.parseInt(field.text('transformers_version', '0'), 10);
  return said ?? (tied === true && version < 5);
}

/** The first decoder id that a file states: its BOS where it names no other, as in `generate`. */
function startToken(field: Fields, vocabularySize: number): number | undefined {
  const stated = ['decoder_start_token_id', 'bos_token_id'].find((name) => (field.json[name] ?? null) !== null);
  return stated === undefined ? undefined : field.integer(stated, 0, vocabularySize - 1);
}

function eosTokens(field: Fields, vocabularySize: number): number[] | undefined {
  const value = field.json.eos_token_id ?? null;
  if (value === null) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  for (const id of list) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= vocabularySize) {
      throw field.error('eos_token_id', `ids from 0 to ${vocabularySize - 1}`, quotedJson(value));
    }
  }
  return list as number[];
}
