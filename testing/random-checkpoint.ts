import {
  type Checkpoint,
  EMBEDDING_NAMES,
  type FeedForward,
  HEAD_NAME,
  type T5Config,
  type TensorData,
  type TensorInfo,
  t5Shapes,
  t5Tensors,
} from '../weights';
import { seeded } from './seeded';

const RELU: FeedForward = { kind: 'relu', gated: false };

/** A tiny T5 config; heads · dKv differs from dModel on purpose. */
export function tinyConfig(changes: Partial<T5Config> = {}): T5Config {
  const base = {
    family: 't5' as const,
    vocabularySize: 37,
    dModel: 16,
    dKv: 6,
    heads: 2,
    dFf: 20,
    encoderLayers: 2,
    decoderLayers: 3,
    relativeBuckets: 8,
    relativeMaxDistance: 20,
    epsilon: 1e-6,
    feedForward: RELU,
    biasInEveryBlock: false,
    scaleHead: true,
    tiesHead: true,
    startToken: 0,
    eosTokens: [1],
    ...changes,
  };
  return { ...base, inner: base.heads * base.dKv };
}

/** Random float32 tensors, by name, so lively that the logits depend on every part of the model. */
export function randomTensors(config: T5Config, seed: number, untied = false): Map<string, TensorData> {
  const random = seeded(seed);
  const tensors = new Map<string, TensorData>();
  for (const { name, role, shape } of t5Shapes(config, t5Tensors(config, untied ? { head: HEAD_NAME } : {}))) {
    const count = shape.reduce((product, size) => product * size, 1);
    const scale = name === EMBEDDING_NAMES[0] ? 1.5 : 1.6 / Math.sqrt(shape[1]);
    const values = Float32Array.from({ length: count }, () =>
      role === 'norm' ? 0.7 + random() * 0.6 : (random() * 2 - 1) * scale,
    );
    tensors.set(name, { type: 'F32', shape, data: new Uint8Array(values.buffer) });
  }
  return tensors;
}

/** A checkpoint in memory. */
export function memoryCheckpoint(
  name: string,
  config: T5Config,
  contents: ReadonlyMap<string, TensorData>,
): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  for (const [tensor, { type, shape, data }] of contents) {
    tensors.set(tensor, { name: tensor, type, shape, bytes: data.length, file: 'model.safetensors' });
  }
  return {
    name,
    config,
    tensors,
    metadata: {},
    read: async (tensor, offset = 0, length) => {
      const data = contents.get(tensor)?.data;
      if (!data) throw new Error(`no tensor ${tensor}`);
      return data.slice(offset, length === undefined ? undefined : offset + length);
    },
    tokenizer: async () => {
      throw new Error('a random checkpoint has no tokenizer');
    },
    dispose: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A checkpoint of random float32 weights in memory. */
export function randomCheckpoint(config: T5Config, seed: number, untied = false): Checkpoint {
  return memoryCheckpoint(`random-${seed}`, config, randomTensors(config, seed, untied));
}
