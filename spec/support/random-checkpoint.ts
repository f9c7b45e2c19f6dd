import type { Checkpoint, FeedForward, T5Config, TensorInfo } from '../../weights';

/** Small deterministic generator for test weights (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

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
    startToken: 0,
    eosTokens: [1],
    ...changes,
  };
  return { ...base, inner: base.heads * base.dKv };
}

/** Names and shapes of every tensor of a T5 with this config. */
function layout(config: T5Config, untied: boolean): [string, number[]][] {
  const { dModel, inner, dFf, vocabularySize, heads, relativeBuckets } = config;
  const list: [string, number[]][] = [['shared.weight', [vocabularySize, dModel]]];
  if (untied) list.push(['lm_head.weight', [vocabularySize, dModel]]);
  for (const [side, layers] of [
    ['encoder', config.encoderLayers] as const,
    ['decoder', config.decoderLayers] as const,
  ]) {
    const kinds = side === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
    for (let i = 0; i < layers; i++) {
      const block = `${side}.block.${i}.layer`;
      kinds.forEach((kind, j) => {
        for (const part of ['q', 'k', 'v']) list.push([`${block}.${j}.${kind}.${part}.weight`, [inner, dModel]]);
        list.push([`${block}.${j}.${kind}.o.weight`, [dModel, inner]], [`${block}.${j}.layer_norm.weight`, [dModel]]);
      });
      if (i === 0 || config.biasInEveryBlock) {
        list.push([`${block}.0.SelfAttention.relative_attention_bias.weight`, [relativeBuckets, heads]]);
      }
      const last = kinds.length;
      for (const part of config.feedForward.gated ? ['wi_0', 'wi_1'] : ['wi']) {
        list.push([`${block}.${last}.DenseReluDense.${part}.weight`, [dFf, dModel]]);
      }
      list.push(
        [`${block}.${last}.DenseReluDense.wo.weight`, [dModel, dFf]],
        [`${block}.${last}.layer_norm.weight`, [dModel]],
      );
    }
    list.push([`${side}.final_layer_norm.weight`, [dModel]]);
  }
  return list;
}

/** An in-memory checkpoint of random float32 weights, lively enough that logits depend on every part. */
export function randomCheckpoint(config: T5Config, seed: number, untied = false): Checkpoint {
  const random = seeded(seed);
  const data = new Map<string, Uint8Array>();
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shape] of layout(config, untied)) {
    const count = shape.reduce((product, size) => product * size, 1);
    const scale = shape.length === 1 ? 0 : name.startsWith('shared') ? 1.5 : 1.6 / Math.sqrt(shape[1]);
    const values = Float32Array.from({ length: count }, () =>
      shape.length === 1 ? 0.7 + random() * 0.6 : (random() * 2 - 1) * scale,
    );
    const bytes = new Uint8Array(values.buffer);
    data.set(name, bytes);
    tensors.set(name, { name, type: 'F32', shape, bytes: bytes.length, file: 'model.safetensors' });
  }
  return {
    name: `random-${seed}`,
    config,
    tensors,
    metadata: {},
    read: async (name, offset = 0, length) => {
      const bytes = data.get(name);
      if (!bytes) throw new Error(`no tensor ${name}`);
      return bytes.slice(offset, length === undefined ? undefined : offset + length);
    },
    tokenizer: async () => {
      throw new Error('a random checkpoint has no tokenizer');
    },
    dispose: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
