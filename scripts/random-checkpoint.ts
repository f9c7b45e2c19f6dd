/**
 * Writes a T5 checkpoint of random numbers in the shape of a real model, tensor by tensor and in shards. With it you can try how a
 * model of that size loads and decodes, without its weights.
 *
 *   ts-node scripts/random-checkpoint.ts t5-xxl build/t5-xxl-random [bf16|f32] [seed]
 *
 * The weights have standard deviation 1/√inputs, so that activations keep their scale. The head is untied in the families whose
 * head is untied.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

interface Shape {
  readonly dModel: number;
  readonly dKv: number;
  readonly heads: number;
  readonly dFf: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly gated: boolean;
}

/** Shapes of published models: T5 v1.0 (relu, tied) and v1.1 (gated-gelu, untied), from their config.json. */
const SHAPES: Readonly<Record<string, Shape>> = {
  't5-small': { dModel: 512, dKv: 64, heads: 8, dFf: 2048, layers: 6, vocabulary: 32128, gated: false },
  'flan-t5-small': { dModel: 512, dKv: 64, heads: 6, dFf: 1024, layers: 8, vocabulary: 32128, gated: true },
  't5-base': { dModel: 768, dKv: 64, heads: 12, dFf: 3072, layers: 12, vocabulary: 32128, gated: false },
  't5-large': { dModel: 1024, dKv: 64, heads: 16, dFf: 4096, layers: 24, vocabulary: 32128, gated: false },
  't5-xl': { dModel: 2048, dKv: 64, heads: 32, dFf: 5120, layers: 24, vocabulary: 32128, gated: true },
  't5-xxl': { dModel: 4096, dKv: 64, heads: 64, dFf: 10240, layers: 24, vocabulary: 32128, gated: true },
};

const SHARD_BYTES = 4 * 2 ** 30;
const CHUNK_VALUES = 1 << 20;

type Stored = 'bf16' | 'f32';
interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Standard deviation; 0 stands for a norm gain, whose values are all 1. */
  readonly spread: number;
}

function entries(shape: Shape): Entry[] {
  const { dModel, dFf, vocabulary, layers, gated } = shape;
  const inner = shape.heads * shape.dKv;
  const list: Entry[] = [{ name: 'shared.weight', shape: [vocabulary, dModel], spread: 1 }];
  if (gated) list.push({ name: 'lm_head.weight', shape: [vocabulary, dModel], spread: dModel ** -0.5 });
  const matrix = (name: string, rows: number, cols: number) =>
    list.push({ name, shape: [rows, cols], spread: cols ** -0.5 });
  const norm = (name: string) => list.push({ name, shape: [dModel], spread: 0 });
  for (const side of ['encoder', 'decoder']) {
    const kinds = side === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
    for (let i = 0; i < layers; i++) {
      const block = `${side}.block.${i}.layer`;
      kinds.forEach((kind, j) => {
        // T5 does not scale scores by 1/√dKv; its query weights have this factor.
        list.push({
          name: `${block}.${j}.${kind}.q.weight`,
          shape: [inner, dModel],
          spread: (dModel * shape.dKv) ** -0.5,
        });
        matrix(`${block}.${j}.${kind}.k.weight`, inner, dModel);
        matrix(`${block}.${j}.${kind}.v.weight`, inner, dModel);
        matrix(`${block}.${j}.${kind}.o.weight`, dModel, inner);
        norm(`${block}.${j}.layer_norm.weight`);
      });
      if (i === 0) {
        list.push({
          name: `${block}.0.SelfAttention.relative_attention_bias.weight`,
          shape: [32, shape.heads],
          spread: 0.5,
        });
      }
      for (const part of gated ? ['wi_0', 'wi_1'] : ['wi']) {
        matrix(`${block}.${kinds.length}.DenseReluDense.${part}.weight`, dFf, dModel);
      }
      matrix(`${block}.${kinds.length}.DenseReluDense.wo.weight`, dModel, dFf);
      norm(`${block}.${kinds.length}.layer_norm.weight`);
    }
    norm(`${side}.final_layer_norm.weight`);
  }
  return list;
}

/** Approximately normal numbers: each is the sum of the four bytes of one 32-bit xorshift number. */
function generator(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const sum = (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24);
    return (sum - 510) / 147.8;
  };
}

const count = (entry: Entry) => entry.shape.reduce((product, size) => product * size, 1);

function shardsOf(list: readonly Entry[], itemSize: number): Entry[][] {
  const shards: Entry[][] = [[]];
  let bytes = 0;
  for (const entry of list) {
    const size = count(entry) * itemSize;
    if (bytes > 0 && bytes + size > SHARD_BYTES) {
      shards.push([]);
      bytes = 0;
    }
    shards[shards.length - 1].push(entry);
    bytes += size;
  }
  return shards;
}

function writeShard(path: string, list: readonly Entry[], stored: Stored, random: () => number): void {
  const itemSize = stored === 'bf16' ? 2 : 4;
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const entry of list) {
    const end = offset + count(entry) * itemSize;
    header[entry.name] = { dtype: stored.toUpperCase(), shape: entry.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text + ' '.repeat((8 - (text.length % 8)) % 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([prefix, json]));
  for (const entry of list) writeTensor(file, entry, stored, random);
  closeSync(file);
}

function writeTensor(file: number, entry: Entry, stored: Stored, random: () => number): void {
  const values = new Float32Array(Math.min(CHUNK_VALUES, count(entry)));
  const words = new Uint32Array(values.buffer);
  const halves = new Uint16Array(values.length);
  for (let done = 0; done < count(entry); done += values.length) {
    const n = Math.min(values.length, count(entry) - done);
    for (let i = 0; i < n; i++) values[i] = entry.spread === 0 ? 1 : random() * entry.spread;
    for (let i = 0; i < n; i++) halves[i] = words[i] >>> 16; // truncating random bits leaves random bits
    writeSync(
      file,
      stored === 'bf16' ? new Uint8Array(halves.buffer, 0, 2 * n) : new Uint8Array(values.buffer, 0, 4 * n),
    );
  }
}

function config(shape: Shape, stored: Stored): object {
  return {
    model_type: 't5',
    architectures: ['T5ForConditionalGeneration'],
    d_model: shape.dModel,
    d_kv: shape.dKv,
    num_heads: shape.heads,
    d_ff: shape.dFf,
    num_layers: shape.layers,
    num_decoder_layers: shape.layers,
    vocab_size: shape.vocabulary,
    feed_forward_proj: shape.gated ? 'gated-gelu' : 'relu',
    tie_word_embeddings: !shape.gated,
    relative_attention_num_buckets: 32,
    relative_attention_max_distance: 128,
    layer_norm_epsilon: 1e-6,
    decoder_start_token_id: 0,
    eos_token_id: 1,
    pad_token_id: 0,
    dtype: stored === 'bf16' ? 'bfloat16' : 'float32',
  };
}

function main([name, directory, stored = 'bf16', seed = '1']: readonly string[]): void {
  const shape = SHAPES[name];
  if (!shape || !directory || (stored !== 'bf16' && stored !== 'f32')) {
    console.error(
      `usage: random-checkpoint.ts SHAPE DIRECTORY [bf16|f32] [SEED]; shapes: ${Object.keys(SHAPES).join(', ')}`,
    );
    process.exitCode = 2;
    return;
  }
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'config.json'), `${JSON.stringify(config(shape, stored), null, 2)}\n`);
  const random = generator(Number(seed));
  const shards = shardsOf(entries(shape), stored === 'bf16' ? 2 : 4);
  const weightMap: Record<string, string> = {};
  let total = 0;
  for (const [i, list] of shards.entries()) {
    const part = (n: number) => String(n).padStart(5, '0');
    const file =
      shards.length === 1 ? 'model.safetensors' : `model-${part(i + 1)}-of-${part(shards.length)}.safetensors`;
    for (const entry of list) {
      weightMap[entry.name] = file;
      total += count(entry);
    }
    writeShard(join(directory, file), list, stored, random);
    console.error(`${file}: ${list.length} tensors`);
  }
  if (shards.length > 1) {
    const index = { metadata: { total_size: total * (stored === 'bf16' ? 2 : 4) }, weight_map: weightMap };
    writeFileSync(join(directory, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`);
  }
  console.log(`${directory}: ${total} parameters, ${stored}`);
}

main(process.argv.slice(2));
