/**
 * Writes a T5 checkpoint of random numbers in a real model's shape, to try how a size loads and decodes without its weights.
 *
 *   ts-node scripts/random-checkpoint.ts t5-xxl build/t5-xxl-random [bf16|f32] [seed]
 *
 * Weights have standard deviation 1/√inputs, so that activations keep their scale from layer to layer.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { T5Config } from '../weights';
import { type CheckpointFile, checkpointFiles, type TensorStream } from '../weights/checkpoint-writer';
import { HEAD_NAME, type TensorShape, t5Shapes, t5Tensors } from '../weights/tensors';

type Shape = Pick<T5Config, 'dModel' | 'heads' | 'dFf' | 'encoderLayers'> & { readonly isGated: boolean };

/** Shapes of published models, from their config.json: T5 v1.0 (relu, tied head) and v1.1 (gated, a head of its own). */
const SHAPES: Readonly<Record<string, Shape>> = {
  't5-small': { dModel: 512, heads: 8, dFf: 2048, encoderLayers: 6, isGated: false },
  'flan-t5-small': { dModel: 512, heads: 6, dFf: 1024, encoderLayers: 8, isGated: true },
  't5-base': { dModel: 768, heads: 12, dFf: 3072, encoderLayers: 12, isGated: false },
  't5-large': { dModel: 1024, heads: 16, dFf: 4096, encoderLayers: 24, isGated: false },
  't5-xl': { dModel: 2048, heads: 32, dFf: 5120, encoderLayers: 24, isGated: true },
  't5-xxl': { dModel: 4096, heads: 64, dFf: 10240, encoderLayers: 24, isGated: true },
};

const SHARD_BYTES = 4 * 2 ** 30;
const CHUNK_VALUES = 1 << 20;

type Stored = 'bf16' | 'f32';

function configOf({ isGated, ...shape }: Shape): T5Config {
  return {
    ...shape,
    family: 't5',
    vocabularySize: 32128,
    dKv: 64,
    inner: 64 * shape.heads,
    decoderLayers: shape.encoderLayers,
    relativeBuckets: 32,
    relativeMaxDistance: 128,
    epsilon: 1e-6,
    feedForward: isGated ? { kind: 'gelu_new', gated: true } : { kind: 'relu', gated: false },
    biasInEveryBlock: false,
    scaleHead: !isGated,
    tiesHead: !isGated,
    startToken: 0,
    eosTokens: [1],
  };
}

/** Standard deviation of a tensor's values; 0 for the gains of norms, which are 1. */
function spreadOf({ name, role, shape }: TensorShape, { dModel, dKv }: T5Config): number {
  if (role === 'norm') return 0;
  if (role === 'table') return name === HEAD_NAME ? dModel ** -0.5 : 1;
  if (role === 'bias') return 0.5;
  if (role === 'query') return (dModel * dKv) ** -0.5; // T5 has no 1/√dKv on scores: the query's weights carry it
  return shape[1] ** -0.5;
}

/** Approximately normal numbers: the sum of four 8-bit uniforms of one 32-bit xorshift draw. */
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

/** Random values of one tensor, drawn while they are written. */
function* randomChunks(count: number, spread: number, stored: Stored, random: () => number): Generator<Uint8Array> {
  const values = new Float32Array(Math.min(CHUNK_VALUES, count));
  const words = new Uint32Array(values.buffer);
  const halves = new Uint16Array(values.length);
  for (let done = 0; done < count; done += values.length) {
    const n = Math.min(values.length, count - done);
    for (let i = 0; i < n; i++) values[i] = spread === 0 ? 1 : random() * spread;
    for (let i = 0; i < n; i++) halves[i] = words[i] >>> 16; // bfloat16, cut short: the error is as random as the rest
    yield stored === 'bf16' ? new Uint8Array(halves.buffer, 0, 2 * n) : new Uint8Array(values.buffer, 0, 4 * n);
  }
}

const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

function randomTensors(config: T5Config, hasHead: boolean, stored: Stored, random: () => number) {
  const tensors = new Map<string, TensorStream>();
  for (const tensor of t5Shapes(config, t5Tensors(config, hasHead ? { head: HEAD_NAME } : {}))) {
    const spread = spreadOf(tensor, config);
    tensors.set(tensor.name, {
      type: stored === 'bf16' ? 'BF16' : 'F32',
      shape: tensor.shape,
      chunks: () => randomChunks(countOf(tensor.shape), spread, stored, random),
    });
  }
  return tensors;
}

async function writeFile(directory: string, { name, chunks }: CheckpointFile): Promise<void> {
  const file = openSync(join(directory, name), 'w');
  try {
    for await (const chunk of chunks()) {
      for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
    }
  } finally {
    closeSync(file);
  }
  console.error(name);
}

async function main([name, directory, stored = 'bf16', seed = '1']: readonly string[]): Promise<void> {
  const shape = Object.hasOwn(SHAPES, name ?? '') ? SHAPES[name] : undefined;
  if (!shape || !directory || (stored !== 'bf16' && stored !== 'f32')) {
    console.error(
      `usage: random-checkpoint.ts SHAPE DIRECTORY [bf16|f32] [SEED]; shapes: ${Object.keys(SHAPES).join(', ')}`,
    );
    process.exitCode = 2;
    return;
  }
  const config = configOf(shape);
  const tensors = randomTensors(config, shape.isGated, stored, generator(Number(seed)));
  mkdirSync(directory, { recursive: true });
  for (const file of checkpointFiles({ config, tensors, shardBytes: SHARD_BYTES })) await writeFile(directory, file);
  const parameters = [...tensors.values()].reduce((total, tensor) => total + countOf(tensor.shape), 0);
  console.log(`${directory}: ${parameters} parameters, ${stored}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
