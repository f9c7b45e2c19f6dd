/** Weights that `tandem quantize --dtype q8` or `q4` wrote: codes with their scales, in a form that other readers refuse. */
import { parseShallowJson, printable, Q4_BLOCK_BYTES, Q8_BLOCK, q8Blocks, q8RowBytes, quoted } from '../common';
import { WeightsError } from './errors';
import type { SafetensorsIndex } from './safetensors/header';
import type { TensorInfo } from './types';

type Packing = NonNullable<TensorInfo['packing']>;

/** `__metadata__.format` of such a file, by the type that most of its matrices have. */
export const PACKED_FORMATS: Readonly<Record<Packing, string>> = { q8: 'tandem-q8', q4: 'tandem-q4' };

const Q8_LAYOUT = `a row is ceil(cols / ${Q8_BLOCK}) float32 scales, then cols int8 codes`;
const LAYOUTS: Readonly<Record<Packing, string>> = {
  q8: `each U8 tensor is a matrix [rows, cols]: ${Q8_LAYOUT}`,
  q4:
    `each U8 tensor [rows, blocks, ${Q4_BLOCK_BYTES}] is a matrix [rows, ${Q8_BLOCK} * blocks], or of the columns that \`columns\` has for its name: ` +
    'a row is its bfloat16 scales, one a block, then 16 bytes for each block: byte i has the code of input i in its lower half and the code of ' +
    `input i + 16 in its upper half, each with 8 added. Each U8 tensor of two dimensions is a matrix [rows, cols]: ${Q8_LAYOUT}`,
};

/**
 * What a file of packed weights says of itself. Matrices keep their names and have another type and another shape than the model
 * asks for, so that a reader which does not know the format refuses them and cannot take them for something else.
 *
 * @param matrices - those in q4. The shape that a file has of one does not tell a width that is no multiple of 32.
 */
export function packedMetadata(packing: Packing, matrices: readonly TensorInfo[]): Record<string, string> {
  const short = matrices.filter(({ shape }) => shape[1] % Q8_BLOCK !== 0);
  const columns = JSON.stringify(Object.fromEntries(short.map(({ name, shape }) => [name, shape[1]])));
  return {
    format: PACKED_FORMATS[packing],
    layout: LAYOUTS[packing],
    value: `code * scale of its block of ${Q8_BLOCK} inputs, in float32`,
    ...(short.length > 0 && { columns }),
  };
}

/**
 * Gives the packed matrices of a file the shape that the model asks for. Their bytes stay as they are in the file. A file of another
 * format is given back as it is.
 *
 * @throws WeightsError `tensor-invalid` for a width that no matrix has; `header-invalid` for columns that are no JSON
 */
export function withPacking(index: SafetensorsIndex): SafetensorsIndex {
  const { format } = index.metadata;
  const isQ4 = format === PACKED_FORMATS.q4;
  if (!isQ4 && format !== PACKED_FORMATS.q8) return index;
  const stated = isQ4 ? statedColumns(index) : null;
  const tensors = new Map(index.tensors);
  for (const [name, info] of tensors) {
    const { type, shape } = info;
    if (type !== 'U8') continue;
    const [rows, width, bytes] = shape;
    if (shape.length === 2) tensors.set(name, { ...info, shape: [rows, columnsOf(info, width)], packing: 'q8' });
    else if (stated && shape.length === 3 && bytes === Q4_BLOCK_BYTES) {
      const cols = columnsOfBlocks(info, width, stated.get(name));
      tensors.set(name, { ...info, shape: [rows, cols], packing: 'q4' });
    }
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

function columnsOfBlocks({ file, name }: TensorInfo, blocks: number, stated: unknown = blocks * Q8_BLOCK): number {
  if (Number.isInteger(stated) && blocks > 0 && q8Blocks(stated as number) === blocks) return stated as number;
  const expected = `columns that take ${blocks} blocks of ${Q8_BLOCK}`;
  throw new WeightsError(
    'tensor-invalid',
    `${file}: tensor ${quoted(name)}: expected ${expected}, found ${quoted(stated)}`,
  );
}

/** Columns by the name of a matrix, as a file states them. */
function statedColumns({ metadata, tensors }: SafetensorsIndex): ReadonlyMap<string, unknown> {
  try {
    return new Map(Object.entries(Object(parseShallowJson(metadata.columns ?? '{}'))));
  } catch (error) {
    const file = tensors.values().next().value?.file ?? 'header';
    const found = printable((error as Error).message);
    throw new WeightsError('header-invalid', `${file}: expected columns in __metadata__ as JSON, found ${found}`);
  }
}
