/** Weights that `tandem quantize --dtype q8` wrote: int8 codes with their scales, in a form that other readers refuse. */
import { quoted } from '../common';
import { WeightsError } from './errors';
import type { SafetensorsIndex } from './safetensors/header';
import type { ByteSource, TensorInfo } from './types';

/** `__metadata__.format` of such a file. */
export const PACKED_FORMAT = 'tandem-q8';
/** Inputs that share a scale: `Q8_BLOCK` of the kernels. */
const BLOCK = 32;
const SCALE_BYTES = 4;

/**
 * What a file of packed weights says of itself. Matrices keep their names and have another type and another shape than the model
 * asks for, so that a reader which does not know the format refuses them and cannot take them for something else.
 */
export const PACKED_METADATA: Readonly<Record<string, string>> = {
  format: PACKED_FORMAT,
  layout: `each U8 tensor is a matrix [rows, cols]: a row is ceil(cols / ${BLOCK}) float32 scales, then cols int8 codes`,
  value: `code * scale of its block of ${BLOCK} inputs, in float32`,
};

/** Bytes of a packed row of `cols` values. */
export function packedRowBytes(cols: number): number {
  return cols + SCALE_BYTES * Math.ceil(cols / BLOCK);
}

/**
 * Writes packed rows.
 *
 * @param codes - [rows, cols]
 * @param scales - [rows, ceil(cols / 32)]
 */
export function packRows(codes: Int8Array, scales: Float32Array, cols: number): Uint8Array {
  const blocks = Math.ceil(cols / BLOCK);
  const width = packedRowBytes(cols);
  const rows = codes.length / cols;
  const bytes = new Uint8Array(rows * width);
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) view.setFloat32(row * width + b * SCALE_BYTES, scales[row * blocks + b], true);
    bytes.set(codes.subarray(row * cols, (row + 1) * cols), row * width + blocks * SCALE_BYTES);
  }
  return bytes;
}

/** The float32 values of packed rows, [rows, cols], little-endian. */
export function unpackRows(bytes: Uint8Array, cols: number): Uint8Array {
  const blocks = Math.ceil(cols / BLOCK);
  const width = packedRowBytes(cols);
  const rows = bytes.length / width;
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Uint8Array(rows * cols * 4);
  const to = new DataView(values.buffer);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    const codes = start + blocks * SCALE_BYTES;
    for (let block = 0; block < blocks; block++) {
      const scale = from.getFloat32(start + block * SCALE_BYTES, true);
      const end = block + 1 < blocks ? (block + 1) * BLOCK : cols;
      for (let i = block * BLOCK; i < end; i++) {
        to.setFloat32((row * cols + i) * 4, from.getInt8(codes + i) * scale, true); // one rounding, to float32
      }
    }
  }
  return values;
}

/**
 * Shows packed matrices as the float32 matrices that they stand for. A file of another format is given back as it is.
 *
 * @throws WeightsError `tensor-invalid` for a width that no matrix has
 */
export function unpacked(file: { readonly index: SafetensorsIndex; readonly source: ByteSource }): typeof file {
  const { index, source } = file;
  if (index.metadata.format !== PACKED_FORMAT) return file;
  const tensors = new Map<string, TensorInfo & { begin: number }>();
  const packed: Packed[] = [];
  let next = source.size; // offsets after the file's own stand for unpacked bytes
  for (const [name, info] of index.tensors) {
    if (info.type !== 'U8' || info.shape.length !== 2) {
      tensors.set(name, info);
      continue;
    }
    const [rows, width] = info.shape;
    const cols = columnsOf(info, width);
    const bytes = rows * cols * 4;
    packed.push({ begin: next, end: next + bytes, cols, at: info.begin });
    tensors.set(name, { ...info, type: 'F32', shape: [rows, cols], bytes, packing: 'q8', begin: next });
    next += bytes;
  }
  return { index: { ...index, tensors }, source: new UnpackingSource(source, packed, next) };
}

function columnsOf({ file, name }: TensorInfo, width: number): number {
  const blocks = Math.ceil(width / (BLOCK + SCALE_BYTES));
  const cols = width - blocks * SCALE_BYTES;
  if (cols > 0 && packedRowBytes(cols) === width) return cols;
  const message = `${file}: tensor ${quoted(name)}: expected packed rows of scales and codes, found rows of ${width} bytes`;
  throw new WeightsError('tensor-invalid', message);
}

interface Packed {
  /** The place of the unpacked bytes among the offsets of the source. */
  readonly begin: number;
  readonly end: number;
  readonly cols: number;
  /** Offset of the packed rows in the file. */
  readonly at: number;
}

/** A file whose packed matrices can be read as float32 at offsets after its end. */
class UnpackingSource implements ByteSource {
  readonly name: string;

  constructor(
    private readonly file: ByteSource,
    private readonly packed: readonly Packed[],
    readonly size: number,
  ) {
    this.name = file.name;
  }

  /** Bytes of one tensor: no read reaches from one into the next. Whole rows are read from the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const matrix = this.packed.find(({ begin, end }) => offset >= begin && offset < end);
    if (matrix === undefined || length === 0) return this.file.read(Math.min(offset, this.file.size), length);
    const width = matrix.cols * 4;
    const first = Math.floor((offset - matrix.begin) / width);
    const last = Math.ceil((offset - matrix.begin + length) / width);
    const rowBytes = packedRowBytes(matrix.cols);
    const bytes = await this.file.read(matrix.at + first * rowBytes, (last - first) * rowBytes);
    const start = offset - matrix.begin - first * width;
    const values = unpackRows(bytes, matrix.cols);
    return start === 0 && values.length === length ? values : values.slice(start, start + length);
  }

  dispose(): Promise<void> {
    return this.file.dispose();
  }
}
