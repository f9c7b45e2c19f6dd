import { WeightsError } from './errors';
import type { Checkpoint, T5Config } from './types';

/** Names that the engine loads: the table and head resolved, everything checked for presence and shape. */
export interface T5Tensors {
  readonly embedding: string;
  /** `lm_head.weight` if there is one, else the embedding. */
  readonly head: string;
  readonly all: readonly string[];
}

/** Where old and partial files keep the shared table. */
const TABLES = ['shared.weight', 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
const HEAD = 'lm_head.weight';

export function resolveTensors(checkpoint: Pick<Checkpoint, 'name' | 'config' | 'tensors'>): T5Tensors {
  const { config, tensors, name } = checkpoint;
  const embedding = TABLES.find((table) => tensors.has(table));
  if (!embedding) throw new WeightsError('tensor-missing', `${name}: expected one of ${TABLES.join(', ')}, found none`);
  const head = tensors.has(HEAD) ? HEAD : embedding;
  const table: [string, number[]][] = [[embedding, [config.vocabularySize, config.dModel]]];
  if (head !== embedding) table.push([head, [config.vocabularySize, config.dModel]]);
  const expected = [...table, ...blockTensors('encoder', config), ...blockTensors('decoder', config)];
  for (const [tensor, shape] of expected) checkTensor(checkpoint, tensor, shape);
  return { embedding, head, all: expected.map(([tensor]) => tensor) };
}

function checkTensor({ name, tensors }: Pick<Checkpoint, 'name' | 'tensors'>, tensor: string, shape: number[]): void {
  const info = tensors.get(tensor);
  if (!info)
    throw new WeightsError('tensor-missing', `${name}: expected tensor ${tensor} of shape [${shape}], found none`);
  if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
    throw new WeightsError(
      'tensor-invalid',
      `${info.file}: ${tensor}: expected shape [${shape}], found [${info.shape}]`,
    );
  }
  if (!['F32', 'F16', 'BF16', 'I8'].includes(info.type)) {
    throw new WeightsError(
      'type-unsupported',
      `${info.file}: ${tensor}: expected F32, F16, BF16 or I8, found ${info.type}`,
    );
  }
}

/** Name and shape of every tensor of one side's blocks. */
function blockTensors(side: 'encoder' | 'decoder', config: T5Config): [string, number[]][] {
  const { dModel, inner, dFf, heads, relativeBuckets, feedForward } = config;
  const layers = side === 'encoder' ? config.encoderLayers : config.decoderLayers;
  const attentions = side === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
  const list: [string, number[]][] = [];
  for (let i = 0; i < layers; i++) {
    const block = `${side}.block.${i}.layer`;
    attentions.forEach((attention, j) => {
      for (const part of ['q', 'k', 'v']) list.push([`${block}.${j}.${attention}.${part}.weight`, [inner, dModel]]);
      list.push(
        [`${block}.${j}.${attention}.o.weight`, [dModel, inner]],
        [`${block}.${j}.layer_norm.weight`, [dModel]],
      );
    });
    if (i === 0 || config.biasInEveryBlock) {
      list.push([`${block}.0.SelfAttention.relative_attention_bias.weight`, [relativeBuckets, heads]]);
    }
    const last = `${block}.${attentions.length}`;
    for (const part of feedForward.gated ? ['wi_0', 'wi_1'] : ['wi']) {
      list.push([`${last}.DenseReluDense.${part}.weight`, [dFf, dModel]]);
    }
    list.push([`${last}.DenseReluDense.wo.weight`, [dModel, dFf]], [`${last}.layer_norm.weight`, [dModel]]);
  }
  list.push([`${side}.final_layer_norm.weight`, [dModel]]);
  return list;
}
