import { type Dtype, decodeStored, f32ToBf16, Q8_BLOCK, q8Blocks, quantizeRows, STORED_BYTES } from '../kernels';
import {
  type Checkpoint,
  type CheckpointFile,
  PACKED_METADATA,
  packedRowBytes,
  packRows,
  resolveTensors,
  type TensorInfo,
  type TensorStream,
  weightsFiles,
} from '../weights';
import { EngineError } from './errors';
import type { LoadProgress } from './load';
import { storedType } from './stored';

export interface QuantizeOptions {
  /** Type of the matrices. Gains of norms and tables of the position bias stay as they are. */
  readonly dtype: Dtype;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/**
 * Loading a packed block computes code · scale and quantises that again. With a scale from here up this gives the same codes and
 * scale: the block's largest code is 127, and 127 · scale / 127 is the scale, because the rounding of 127 · scale is off by
 * at most 63 / 127 of a unit in its last place (a tie cannot come from a quotient by 127). Below, float32 has fewer digits.
 */
const SMALLEST_SCALE = 1e-36;
/** Bytes of a matrix that are converted at a time. */
const CHUNK_BYTES = 8 << 20;

/**
 * The files of a checkpoint with its weights in another type. Bytes are made as they are read, chunk by chunk. A checkpoint of
 * the result gives the same bits as one of the original that is loaded with the same `dtype`.
 *
 * `q8` files have `__metadata__.format` `tandem-q8`: only Tandem reads them, and other readers refuse them by the shapes.
 *
 * @throws EngineError `aborted` while a file is read; `type-unsupported` for weights too small for q8;
 *   WeightsError when the checkpoint is not a whole T5
 */
export async function quantizeCheckpoint(checkpoint: Checkpoint, options: QuantizeOptions): Promise<CheckpointFile[]> {
  const { dtype } = options;
  const { all } = resolveTensors(checkpoint);
  const infos = all.map(({ name, role }) => ({
    info: checkpoint.tensors.get(name) as TensorInfo,
    isMatrix: role !== 'norm' && role !== 'bias',
  }));
  const work = new Work(
    checkpoint,
    options,
    infos.reduce((sum, { info }) => sum + info.bytes, 0),
  );
  const streams = new Map<string, TensorStream>();
  for (const { info, isMatrix } of infos) streams.set(info.name, work.stream(info, isMatrix));
  const files = weightsFiles(streams, { metadata: dtype === 'q8' ? PACKED_METADATA : { format: 'pt' } });
  for (const name of checkpoint.settingsFiles ?? []) {
    const content = await checkpoint.readSettings?.(name);
    if (!content) continue;
    const bytes = name === 'config.json' ? configFor(dtype, content) : content;
    files.push({
      name,
      async *chunks() {
        yield bytes;
      },
    });
  }
  return files;
}

const NAMES: Readonly<Record<Dtype, string | undefined>> = { f32: 'float32', bf16: 'bfloat16', q8: undefined };

/** config.json, which may say the type of the weights, and how the original was quantised. */
function configFor(dtype: Dtype, content: Uint8Array): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(content)) as Record<string, unknown>;
  delete json.quantization_config;
  for (const key of ['dtype', 'torch_dtype']) if (key in json) json[key] = NAMES[dtype];
  return new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`);
}

class Work {
  private done = 0;

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly options: QuantizeOptions,
    private readonly total: number,
  ) {}

  stream(info: TensorInfo, isMatrix: boolean): TensorStream {
    const { dtype } = this.options;
    if (!isMatrix) return { type: info.type, shape: info.shape, chunks: () => this.chunks(info, (bytes) => bytes) };
    const [rows, cols] = info.shape;
    const stored = storedType(info);
    const values = (bytes: Uint8Array) => decodeStored(bytes, stored);
    if (dtype === 'f32')
      return { type: 'F32', shape: info.shape, chunks: () => this.chunks(info, (bytes) => bytesOf(values(bytes))) };
    if (dtype === 'bf16') {
      const convert = (bytes: Uint8Array) => (stored === 'bf16' ? bytes : roundedBf16(values(bytes)));
      return { type: 'BF16', shape: info.shape, chunks: () => this.chunks(info, convert) };
    }
    const convert = (bytes: Uint8Array) => this.packed(info, values(bytes));
    return { type: 'U8', shape: [rows, packedRowBytes(cols)], chunks: () => this.chunks(info, convert) };
  }

  /** Reads a tensor in whole rows and converts them. */
  private async *chunks(info: TensorInfo, convert: (bytes: Uint8Array) => Uint8Array): AsyncGenerator<Uint8Array> {
    const cols = info.shape.at(-1) ?? 1;
    const rowBytes = cols * STORED_BYTES[storedType(info)];
    const step = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)) * rowBytes;
    for (let offset = 0; offset < info.bytes; offset += step) {
      if (this.options.signal?.aborted) {
        throw new EngineError('aborted', `${this.checkpoint.name}: quantizing was cancelled`);
      }
      const bytes = await this.checkpoint.read(info.name, offset, Math.min(step, info.bytes - offset));
      yield convert(bytes);
      this.done += bytes.length;
      this.options.onProgress?.({ tensor: info.name, loaded: this.done, total: this.total });
    }
  }

  private packed({ name, shape: [, cols] }: TensorInfo, values: Float32Array): Uint8Array {
    const codes = new Int8Array(values.length);
    const scales = new Float32Array((values.length / cols) * q8Blocks(cols));
    quantizeRows(values, cols, codes, scales);
    const tiny = scales.find((scale) => scale > 0 && scale < SMALLEST_SCALE);
    if (tiny === undefined) return packRows(codes, scales, cols);
    const found = `a block of ${Q8_BLOCK} of which none is above ${tiny * 127}`;
    const message = `${this.checkpoint.name}: ${name}: expected blocks of zeros or with a weight above 1e-34, found ${found}`;
    throw new EngineError('type-unsupported', message);
  }
}

function roundedBf16(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setUint16(2 * i, f32ToBf16(values[i]), true);
  return bytes;
}

function bytesOf(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return bytes;
}
