import { printable, quotedJson } from '../common';
import { WeightsError } from './errors';
import { checkLayout } from './quantised';
import { EMBEDDING_NAMES, HEAD_NAME, type T5Tensors, type TensorShape, t5Shapes, t5Tensors } from './tensors';
import type { Checkpoint, SafetensorsType } from './types';

/** The tensors that the engine reads from a checkpoint. */
export interface ResolvedTensors extends T5Tensors {
  readonly all: readonly TensorShape[];
}

/** Types that the engine converts weights from. */
const READABLE: readonly SafetensorsType[] = ['F64', 'F32', 'F16', 'BF16', 'I8'];

/**
 * Finds every tensor that the engine needs in a checkpoint. Other tensors do not matter. A checkpoint without any tensor of a decoder is an
 * encoder alone.
 *
 * @throws WeightsError `tensor-missing`, `tensor-invalid` or `type-unsupported`, which names the tensor; `config-invalid` for
 *   what config.json states and cannot be followed
 */
export function resolveTensors(
  checkpoint: Pick<Checkpoint, 'name' | 'config' | 'tensors' | 'refused'>,
): ResolvedTensors {
  const { config, tensors, name } = checkpoint;
  checkStated(checkpoint);
  const embedding = EMBEDDING_NAMES.find((table) => tensors.has(table));
  if (!embedding) {
    throw new WeightsError('tensor-missing', `${name}: expected one of ${EMBEDDING_NAMES.join(', ')}, found none`);
  }
  const own = tensors.get(HEAD_NAME);
  const decoder = hasDecoder(tensors);
  const head = decoder && own && own.sameAs !== embedding ? HEAD_NAME : embedding;
  const names = t5Tensors(config, { embedding, head, decoder });
  const all = t5Shapes(config, names);
  for (const tensor of all) {
    checkLayout(checkpoint, tensor.name);
    checkTensor(checkpoint, tensor);
  }
  return { ...names, all };
}

function checkStated({ name, refused = [] }: Pick<Checkpoint, 'name' | 'refused'>): void {
  if (refused.length === 0) return;
  const [{ file, key, value, note }] = refused;
  throw new WeightsError(
    'config-invalid',
    `${name}/${file}: ${printable(key)} ${quotedJson(value)} is refused: ${note}`,
  );
}

/**
 * Whether there is any tensor of a decoder. The tensors decide, because configs of an encoder alone (T5EncoderModel) often call it an
 * encoder-decoder all the same.
 */
export function hasDecoder(tensors: Pick<Checkpoint['tensors'], 'keys'>): boolean {
  for (const name of tensors.keys()) if (/^decoder\.(block|final_layer_norm)\./.test(name)) return true;
  return false;
}

function checkTensor({ name, tensors }: Pick<Checkpoint, 'name' | 'tensors'>, expected: TensorShape): void {
  const { name: tensor, shape } = expected;
  const info = tensors.get(tensor);
  if (!info) {
    throw new WeightsError('tensor-missing', `${name}: expected tensor ${tensor} of shape [${shape}], found none`);
  }
  if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
    const found = `expected shape [${shape}], found [${info.shape}]`;
    throw new WeightsError('tensor-invalid', `${info.file}: ${tensor}: ${found}`);
  }
  if (info.packing === undefined && !READABLE.includes(info.type)) {
    const found = `expected F64, F32, F16, BF16 or I8, found ${info.type}`;
    throw new WeightsError('type-unsupported', `${info.file}: ${tensor}: ${found}`);
  }
}
