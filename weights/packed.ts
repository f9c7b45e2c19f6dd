/** Weights that `tandem quantize --dtype q8` wrote: int8 codes with their scales, in a form that other readers refuse. */
import { Q8_BLOCK, q8RowBytes, quoted } from '../common';
import { WeightsError } from './errors';
import type { SafetensorsIndex } from './safetensors/header';
import type { TensorInfo } from './types';

/** `__metadata__.format` of such a file. */
export const PACKED_FORMAT = 'tandem-q8';
/**
 * What a file of packed weights says of itself. Matrices keep their names and have another type and another shape than the model
 * asks for, so that a reader which does not know the format refuses them and cannot take them for something else.
 */
export const PACKED_METADATA: Readonly<Record<string, string>> = {
  format: PACKED_FORMAT,
  layout: `each U8 tensor is a matrix [rows, cols]: a row is ceil(cols / ${Q8_BLOCK}) float32 scales, then cols int8 codes`,
  value: `code * scale of its block of ${Q8_BLOCK} inputs, in float32`,
};

/**
 * Gives the packed matrices of a file the shape that the model asks for. Their bytes stay as they are in the file. A file of another
 * format is given back as it is.
 *
 * @throws WeightsError `tensor-invalid` for a width that no matrix has
 */
export function withPacking(index: SafetensorsIndex): SafetensorsIndex {
  if (index.metadata.format !== PACKED_FORMAT) return index;
  const tensors = new Map(index.tensors);
  for (const [name, info] of tensors) {
    if (info.type !== 'U8' || info.shape.length !== 2) continue;
    const [rows, width] = info.shape;
    tensors.set(name, { ...info, shape: [rows, columnsOf(info, width)], packing: 'q8' });
  }
  return { ...index, tensors };
}

function columnsOf({ file, name }: TensorInfo, width: number): number {
  const blocks = Math.ceil(width / (Q8_BLOCK + 4));
  const cols = width - blocks * 4;
  if (cols > 0 && q8RowBytes(cols) === width) return cols;
  const message = `${file}: tensor ${quoted(name)}: expected packed rows of scales and codes, found rows of ${width} bytes`;
  throw new WeightsError('tensor-invalid', message);
}
