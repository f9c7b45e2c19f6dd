import { decodeRows, decodeStored, type StoredType, type StoredValueType, storedRowBytes } from '../kernels';
import { type Checkpoint, rowOrderName, rowScaleName, type TensorInfo } from '../weights';
import { EngineError } from './errors';

const TYPES: Partial<Record<TensorInfo['type'], StoredValueType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };
/** Codes of bitsandbytes are whole numbers from −127 to 127, and a row's scale is its largest magnitude. */
const LARGEST_CODE = 127;

/**
 * The name that backends have for the type of a tensor's values in a file.
 *
 * @throws EngineError `type-unsupported` for a type that no backend reads
 */
function storedType(info: TensorInfo): StoredValueType {
  const type = TYPES[info.type];
  if (type) return type;
  throw new EngineError('type-unsupported', `${info.name}: expected type F64, F32, F16 or BF16, found ${info.type}`);
}

/** How to read the rows of a matrix: what a file has of them, and in which type a backend gets them. */
export interface RowReader {
  /** Bytes of one row in the file. */
  readonly rowBytes: number;
  /** Type of what `convert` gives. */
  readonly stored: StoredType;
  /** Bytes that were read besides the matrix itself. */
  readonly extraBytes: number;
  /** Rows as a backend takes them; `first` is the first row's number. */
  convert(bytes: Uint8Array, first: number): Uint8Array;
}

/**
 * Finds out how the rows of a matrix are stored. float64 is rounded to float32. Rows of int8 with a scale each (`SCB`, as
 * bitsandbytes saves a model in 8 bits) become float32: weight = code · scale / 127, rounded once.
 *
 * @throws EngineError `type-unsupported`
 */
export async function rowReader(
  checkpoint: Pick<Checkpoint, 'tensors' | 'read'>,
  info: TensorInfo,
): Promise<RowReader> {
  const columns = info.shape[1];
  if (info.type === 'F64') {
    return { rowBytes: 8 * columns, stored: 'f32', extraBytes: 0, convert: (bytes) => bytesOf(roundedDoubles(bytes)) };
  }
  const scale = info.type === 'I8' ? checkpoint.tensors.get(rowScaleName(info.name)) : undefined;
  if (scale) {
    await checkOrder(checkpoint, info);
    const scales = await readFloats(checkpoint, scale); // [rows]
    const convert = (bytes: Uint8Array, first: number) => bytesOf(scaledRows(bytes, scales.subarray(first), columns));
    return { rowBytes: columns, stored: 'f32', extraBytes: scale.bytes, convert };
  }
  const stored = info.packing ?? storedType(info);
  return { rowBytes: storedRowBytes(stored, columns) as number, stored, extraBytes: 0, convert: (bytes) => bytes };
}

/** bitsandbytes can keep codes in the order of a graphics card, and says so in one byte; it saves them by rows, which is 0. */
async function checkOrder(
  { tensors, read }: Pick<Checkpoint, 'tensors' | 'read'>,
  { name }: TensorInfo,
): Promise<void> {
  const format = rowOrderName(name);
  if (!tensors.has(format)) return;
  const [order] = await read(format);
  if (order === 0) return;
  throw new EngineError('type-unsupported', `${format}: expected 0, codes by rows, found ${order}`);
}

/** A small tensor as float32. @throws EngineError `type-unsupported` */
export async function readFloats(checkpoint: Pick<Checkpoint, 'read'>, info: TensorInfo): Promise<Float32Array> {
  const bytes = await checkpoint.read(info.name);
  if (info.packing !== undefined) return decodeRows(bytes, info.packing, info.shape[1]);
  return info.type === 'F64' ? roundedDoubles(bytes) : decodeStored(bytes, storedType(info));
}

function roundedDoubles(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 8 }, (_, i) => view.getFloat64(8 * i, true));
}

function scaledRows(codes: Uint8Array, scales: Float32Array, columns: number): Float32Array {
  const values = new Float32Array(codes.length); // [rows, columns]
  for (let i = 0; i < codes.length; i++) {
    const code = (codes[i] << 24) >> 24;
    values[i] = (code * scales[Math.floor(i / columns)]) / LARGEST_CODE;
  }
  return values;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
