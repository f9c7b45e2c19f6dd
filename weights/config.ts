import { WeightsError } from './errors';
import type { FeedForward, ModelFamily, T5Config } from './types';

type Json = Record<string, unknown>;

const FAMILIES: readonly ModelFamily[] = ['t5', 'mt5', 'umt5'];
const FEED_FORWARD: Readonly<Record<string, FeedForward>> = {
  relu: { kind: 'relu', gated: false },
  'gated-gelu': { kind: 'gelu_new', gated: true },
  'gated-silu': { kind: 'silu', gated: true },
};

/** The name that config.json has for a kind of feed-forward layer. */
export function feedForwardName({ kind, gated }: FeedForward): string {
  const [name] = Object.entries(FEED_FORWARD).find(([, one]) => one.kind === kind && one.gated === gated) ?? [];
  return name as string;
}

/** Parses config.json (and generation_config.json, whose end-of-sequence ids may be several) into a closed T5Config. */
export function parseConfig(text: string, file: string, generationText?: string | null): T5Config {
  const json = parseObject(text, file);
  const generationFile = file.replace(/config\.json$/, 'generation_config.json');
  const generation = generationText ? parseObject(generationText, generationFile) : {};
  const field = new Fields(json, file);
  const eos =
    (generation.eos_token_id ?? null) === null
      ? { value: json.eos_token_id ?? 1, field }
      : { value: generation.eos_token_id, field: new Fields(generation, generationFile) };
  const family = field.oneOf('model_type', FAMILIES);
  const gated = field.text('feed_forward_proj', family === 't5' ? 'relu' : 'gated-gelu');
  const feedForward = Object.hasOwn(FEED_FORWARD, gated) ? FEED_FORWARD[gated] : undefined;
  if (!feedForward) throw field.error('feed_forward_proj', Object.keys(FEED_FORWARD).join(', '), gated);
  const dKv = field.size('d_kv', 1 << 14);
  const heads = field.size('num_heads', 1 << 14);
  const encoderLayers = field.size('num_layers', 1 << 12);
  const vocabularySize = field.size('vocab_size', 1 << 24);
  const token = (name: string, fallback: number) => field.integer(name, 0, vocabularySize - 1, fallback);
  return {
    family,
    vocabularySize,
    dModel: field.size('d_model', 1 << 18),
    dKv,
    heads,
    inner: heads * dKv,
    dFf: field.size('d_ff', 1 << 20),
    encoderLayers,
    decoderLayers: field.size('num_decoder_layers', 1 << 12, encoderLayers),
    relativeBuckets: field.size('relative_attention_num_buckets', 1 << 16, 32),
    relativeMaxDistance: field.size('relative_attention_max_distance', 1 << 20, 128),
    epsilon: field.positive('layer_norm_epsilon', 1e-6),
    feedForward,
    biasInEveryBlock: family === 'umt5',
    scaleHead: scaleHead(family, field),
    tiesHead: field.flag('tie_word_embeddings') ?? true,
    startToken: token('decoder_start_token_id', 0),
    eosTokens: eosTokens(eos.value, eos.field, vocabularySize),
  };
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

function eosTokens(value: unknown, field: Fields, vocabularySize: number): number[] {
  const list = Array.isArray(value) ? value : [value];
  for (const id of list) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
      throw field.error('eos_token_id', `ids from 0 to ${vocabularySize - 1}`, JSON.stringify(value));
    }
  }
  return list as number[];
}

function parseObject(text: string, file: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WeightsError('config-invalid', `${file}: expected JSON, found ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new WeightsError(
    'config-invalid',
    `${file}: expected an object, found ${Array.isArray(value) ? 'a list' : typeof value}`,
  );
}

/** Typed access to fields; null counts as absent, as Hugging Face writes it. */
class Fields {
  constructor(
    private readonly json: Json,
    private readonly file: string,
  ) {}

  error(name: string, expected: string, found: string): WeightsError {
    return new WeightsError('config-invalid', `${this.file}: ${name}: expected ${expected}, found ${found}`);
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const found = this.json[name];
    if (values.includes(found as Value)) return found as Value;
    throw this.error(name, values.join(', '), JSON.stringify(found) ?? 'none');
  }

  text(name: string, fallback: string): string {
    const found = this.json[name] ?? fallback;
    if (typeof found === 'string') return found;
    throw this.error(name, 'a string', JSON.stringify(found));
  }

  integer(name: string, least: number, most: number, fallback?: number): number {
    const found = this.json[name] ?? fallback;
    if (Number.isInteger(found) && (found as number) >= least && (found as number) <= most) return found as number;
    throw this.error(name, `a whole number from ${least} to ${most}`, JSON.stringify(found) ?? 'none');
  }

  size(name: string, most: number, fallback?: number): number {
    return this.integer(name, 1, most, fallback);
  }

  positive(name: string, fallback: number): number {
    const found = this.json[name] ?? fallback;
    if (typeof found === 'number' && found > 0 && found < 1) return found;
    throw this.error(name, 'a number between 0 and 1', JSON.stringify(found));
  }

  flag(name: string): boolean | undefined {
    const found = this.json[name] ?? undefined;
    if (found === undefined || typeof found === 'boolean') return found;
    throw this.error(name, 'true or false', JSON.stringify(found));
  }
}
