/** Writes checkpoints in Hugging Face's layout: config.json, and weights in one safetensors file or in shards with an index. */
import { feedForwardFields } from './activations';
import { byteSize } from './safetensors/header';
import { checkBytes, safetensorsHeader, type TensorData, type TensorFormat } from './safetensors/writer';
import type { ModelFamily, SafetensorsType, T5Config } from './types';

/** A tensor whose bytes are made while they are written, part by part. */
export interface TensorStream extends TensorFormat {
  /** Little-endian, row-major, in order. */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** One file to write. */
export interface CheckpointFile {
  readonly name: string;
  chunks(): AsyncGenerator<Uint8Array, void, void>;
}

export interface CheckpointContent {
  readonly config: T5Config;
  readonly tensors: ReadonlyMap<string, TensorData | TensorStream>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Most bytes of tensors in one file; a larger tensor has a file of its own. Without it there is one file. */
  readonly shardBytes?: number;
}

/**
 * The files of a checkpoint. Their bytes are made as they are read, one chunk at a time.
 *
 * @throws WeightsError `tensor-invalid`, while a file is read, when a tensor's bytes do not fit its type and shape
 */
export function checkpointFiles(content: CheckpointContent): CheckpointFile[] {
  const { config, tensors } = content;
  return [jsonFile('config.json', configJson(config, tensors)), ...weightsFiles(tensors, content)];
}

/** The files of weights of a checkpoint, and their index where they are several. */
export function weightsFiles(
  tensors: CheckpointContent['tensors'],
  {
    metadata = { format: 'pt' },
    shardBytes = Number.POSITIVE_INFINITY,
  }: Pick<CheckpointContent, 'metadata' | 'shardBytes'>,
): CheckpointFile[] {
  const shards = shardsOf(tensors, shardBytes);
  const files: CheckpointFile[] = [];
  const weightMap: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const part = (n: number) => String(n).padStart(5, '0');
    const name =
      shards.length === 1 ? 'model.safetensors' : `model-${part(i + 1)}-of-${part(shards.length)}.safetensors`;
    for (const [tensor] of shard) weightMap[tensor] = name;
    files.push({ name, chunks: () => safetensorsChunks(shard, metadata) });
  }
  if (shards.length > 1) {
    const total = [...tensors].reduce((sum, [name, tensor]) => sum + sizeOf(name, tensor), 0);
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    files.push(jsonFile('model.safetensors.index.json', index));
  }
  return files;
}

type Shard = (readonly [name: string, tensor: TensorData | TensorStream])[];

function shardsOf(tensors: CheckpointContent['tensors'], most: number): Shard[] {
  const shards: Shard[] = [[]];
  let bytes = 0;
  for (const entry of tensors) {
    const size = sizeOf(...entry);
    if (bytes > 0 && bytes + size > most) {
      shards.push([]);
      bytes = 0;
    }
    shards[shards.length - 1].push(entry);
    bytes += size;
  }
  return shards;
}

const sizeOf = (name: string, { type, shape }: TensorFormat) => byteSize(type, shape, 'tensor to write', name);

async function* safetensorsChunks(shard: Shard, metadata: Readonly<Record<string, string>>) {
  yield safetensorsHeader(shard, metadata);
  for (const [name, tensor] of shard) {
    let written = 0;
    for await (const chunk of 'data' in tensor ? [tensor.data] : tensor.chunks()) {
      written += chunk.byteLength;
      yield chunk;
    }
    checkBytes(name, tensor, written);
  }
}

function jsonFile(name: string, value: object): CheckpointFile {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  return {
    name,
    async *chunks() {
      yield new TextEncoder().encode(text);
    },
  };
}

const ARCHITECTURES: Readonly<Record<ModelFamily, string>> = {
  t5: 'T5ForConditionalGeneration',
  mt5: 'MT5ForConditionalGeneration',
  umt5: 'UMT5ForConditionalGeneration',
};

const DTYPES: Partial<Record<SafetensorsType, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** What config.json says of a model: the inverse of `parseConfig`. */
function configJson(config: T5Config, tensors: ReadonlyMap<string, TensorFormat>): object {
  const [first] = tensors.values();
  return {
    model_type: config.family,
    architectures: [ARCHITECTURES[config.family]],
    vocab_size: config.vocabularySize,
    d_model: config.dModel,
    d_kv: config.dKv,
    num_heads: config.heads,
    d_ff: config.dFf,
    num_layers: config.encoderLayers,
    num_decoder_layers: config.decoderLayers,
    relative_attention_num_buckets: config.relativeBuckets,
    relative_attention_max_distance: config.relativeMaxDistance,
    layer_norm_epsilon: config.epsilon,
    ...feedForwardFields(config.feedForward),
    tie_word_embeddings: config.tiesHead,
    scale_decoder_outputs: config.scaleHead,
    decoder_start_token_id: config.startToken,
    eos_token_id: config.eosTokens.length === 1 ? config.eosTokens[0] : config.eosTokens,
    pad_token_id: 0,
    dtype: first && DTYPES[first.type],
  };
}
