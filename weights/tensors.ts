/**
 * The names and shapes of T5's tensors in Hugging Face's layout (`modeling_t5.py`). No other file of the project spells them.
 */
import type { T5Config } from './types';

/** The embedding table. Old and partial files keep it under one of the later names. */
export const EMBEDDING_NAMES = ['shared.weight', 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'] as const;
/** The output matrix of a model that does not use the embedding for it. */
export const HEAD_NAME = 'lm_head.weight';

/** The scales of a matrix's rows where bitsandbytes has saved it in 8 bits, [output features]. */
export function rowScaleName(matrix: string): string {
  return matrix.replace(/weight$/, 'SCB');
}

/** One byte beside such a matrix that says in which order its codes are stored. */
export function rowOrderName(matrix: string): string {
  return `${matrix}_format`;
}

/** Names of one attention layer's tensors. Matrices are [output features, input features]. */
export interface AttentionTensors {
  readonly norm: string; // [dModel]
  readonly query: string; // [inner, dModel]
  readonly key: string; // [inner, dModel]
  readonly value: string; // [inner, dModel]
  readonly output: string; // [dModel, inner]
}

export interface FeedForwardTensors {
  readonly norm: string; // [dModel]
  /** `wi`, or `wi_0` and `wi_1` of a gated one. */
  readonly inputs: readonly string[]; // each [dFf, dModel]
  readonly output: string; // [dModel, dFf]
}

export interface EncoderBlockTensors {
  readonly attention: AttentionTensors;
  /** Table of the position bias. A block without one uses the table of block 0. */
  readonly bias: string | null; // [relativeBuckets, heads]
  readonly feedForward: FeedForwardTensors;
}

export interface DecoderBlockTensors extends EncoderBlockTensors {
  readonly cross: AttentionTensors;
}

/** Names of all tensors of a T5, by their role. */
export interface T5Tensors {
  readonly embedding: string; // [vocabulary, dModel]
  /** The embedding's name when the model has no output matrix of its own. */
  readonly head: string; // [vocabulary, dModel]
  readonly encoder: { readonly blocks: readonly EncoderBlockTensors[]; readonly finalNorm: string };
  /** Null of an encoder alone. */
  readonly decoder: { readonly blocks: readonly DecoderBlockTensors[]; readonly finalNorm: string } | null;
}

/**
 * Names the tensors of a T5.
 *
 * @param tables names of the embedding and of the head; by default those that Hugging Face gives a model with a tied head. With
 *   `decoder: false` the names are those of an encoder alone
 */
export function t5Tensors(
  config: T5Config,
  {
    embedding = EMBEDDING_NAMES[0],
    head = embedding,
    decoder: hasDecoder = true,
  }: { embedding?: string; head?: string; decoder?: boolean } = {},
): T5Tensors {
  const encoder = Array.from({ length: config.encoderLayers }, (_, i): EncoderBlockTensors => {
    const block = `encoder.block.${i}.layer`;
    return { ...selfAttention(block, i, config), feedForward: feedForward(`${block}.1`, config) };
  });
  const decoder = Array.from({ length: config.decoderLayers }, (_, i): DecoderBlockTensors => {
    const block = `decoder.block.${i}.layer`;
    const cross = attention(`${block}.1`, 'EncDecAttention');
    return { ...selfAttention(block, i, config), cross, feedForward: feedForward(`${block}.2`, config) };
  });
  return {
    embedding,
    head,
    encoder: { blocks: encoder, finalNorm: 'encoder.final_layer_norm.weight' },
    decoder: hasDecoder ? { blocks: decoder, finalNorm: 'decoder.final_layer_norm.weight' } : null,
  };
}

function selfAttention(block: string, index: number, config: T5Config) {
  const hasBias = index === 0 || config.biasInEveryBlock;
  return {
    attention: attention(`${block}.0`, 'SelfAttention'),
    bias: hasBias ? `${block}.0.SelfAttention.relative_attention_bias.weight` : null,
  };
}

function attention(layer: string, kind: string): AttentionTensors {
  return {
    norm: `${layer}.layer_norm.weight`,
    query: `${layer}.${kind}.q.weight`,
    key: `${layer}.${kind}.k.weight`,
    value: `${layer}.${kind}.v.weight`,
    output: `${layer}.${kind}.o.weight`,
  };
}

function feedForward(layer: string, config: T5Config): FeedForwardTensors {
  const inputs = config.feedForward.gated ? ['wi_0', 'wi_1'] : ['wi'];
  return {
    norm: `${layer}.layer_norm.weight`,
    inputs: inputs.map((part) => `${layer}.DenseReluDense.${part}.weight`),
    output: `${layer}.DenseReluDense.wo.weight`,
  };
}

/** What a tensor is for. `input` and `output` are matrices: into the feed-forward layer; out of it and out of attention. */
export type TensorRole = 'table' | 'norm' | 'query' | 'key' | 'value' | 'output' | 'bias' | 'input';

export interface TensorShape {
  readonly name: string;
  readonly role: TensorRole;
  readonly shape: readonly number[];
}

/** Every tensor of a T5 with its shape. */
export function t5Shapes(config: T5Config, tensors: T5Tensors): TensorShape[] {
  const { vocabularySize, dModel, inner, dFf, heads, relativeBuckets } = config;
  const list: TensorShape[] = [];
  const add = (name: string, role: TensorRole, ...shape: number[]) => list.push({ name, role, shape });
  const addAttention = (names: AttentionTensors) => {
    add(names.query, 'query', inner, dModel);
    add(names.key, 'key', inner, dModel);
    add(names.value, 'value', inner, dModel);
    add(names.output, 'output', dModel, inner);
    add(names.norm, 'norm', dModel);
  };
  const addBlock = (block: EncoderBlockTensors, cross?: AttentionTensors) => {
    addAttention(block.attention);
    if (cross) addAttention(cross);
    if (block.bias !== null) add(block.bias, 'bias', relativeBuckets, heads);
    for (const input of block.feedForward.inputs) add(input, 'input', dFf, dModel);
    add(block.feedForward.output, 'output', dModel, dFf);
    add(block.feedForward.norm, 'norm', dModel);
  };
  add(tensors.embedding, 'table', vocabularySize, dModel);
  if (tensors.head !== tensors.embedding) add(tensors.head, 'table', vocabularySize, dModel);
  for (const block of tensors.encoder.blocks) addBlock(block);
  add(tensors.encoder.finalNorm, 'norm', dModel);
  if (tensors.decoder) {
    for (const block of tensors.decoder.blocks) addBlock(block, block.cross);
    add(tensors.decoder.finalNorm, 'norm', dModel);
  }
  return list;
}
