import { packQ4, packQ8, Q4_BLOCK_BYTES, Q4_BYTES, Q8_BLOCK, q8Blocks, q8RowBytes } from '../common';
import { type Dtype, decodeRows, f32ToBf16, quantizeRows, quantizeRowsQ4, type StoredType } from '../kernels';
import {
  type Checkpoint,
  type CheckpointFile,
  packedMetadata,
  resolveTensors,
  type TensorInfo,
  type TensorStream,
  weightsFiles,
} from '../weights';
import { vocabularyDtype } from './dtypes';
import { EngineError } from './errors';
import type { LoadProgress } from './load';
import { rowReader } from './stored';

/** Types that a file may have its matrices in. In q4 its embedding and its head are q8, as they are in a model. */
export type FileDtype = Dtype;

export interface QuantizeOptions {
  /** Type of the matrices; q4 keeps the vocabulary in q8. Gains of norms and tables of the position bias stay as they are. */
  readonly dtype: FileDtype;
  /** Most bytes of weights in one file; a larger tensor has a file of its own. Default: one file. */
  readonly shardBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/**
 * The gpu backend computes code · scale of a packed block and quantises that again. With a scale from here up this gives the same codes and
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
 * `q8` files have `__metadata__.format` `tandem-q8`, and `q4` files `tandem-q4`: only Tandem reads them, and other readers refuse
 * them by the shapes.
 *
 * @throws EngineError `aborted` while a file is read; `type-unsupported` for weights too small for q8;
 *   WeightsError when the checkpoint is not a whole T5
 */
export async function quantizeCheckpoint(checkpoint: Checkpoint, options: QuantizeOptions): Promise<CheckpointFile[]> {
  const { dtype, shardBytes } = options;
  const { all, embedding, head } = resolveTensors(checkpoint);
  const infos = all.map(({ name, role }) => {
    const info = checkpoint.tensors.get(name) as TensorInfo;
    if (role === 'norm' || role === 'bias') return { info, type: null };
    return { info, type: name === embedding || name === head ? vocabularyDtype(dtype) : dtype };
  });
  const work = new Work(
    checkpoint,
    options,
    infos.reduce((sum, { info }) => sum + info.bytes, 0),
  );
  const streams = new Map<string, TensorStream>();
  for (const { info, type } of infos) streams.set(info.name, work.stream(info, type));
  const inQ4 = infos.flatMap(({ info, type }) => (type === 'q4' ? [info] : []));
  const metadata = dtype === 'q8' || dtype === 'q4' ? packedMetadata(dtype, inQ4) : { format: 'pt' };
  const files = weightsFiles(streams, { metadata, shardBytes });
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

const NAMES: Readonly<Record<FileDtype, string | undefined>> = {
  f32: 'float32',
  bf16: 'bfloat16',
  q8: undefined,
  q4: undefined,
};

/** config.json, which may say the type of the weights, and how the original was quantised. */
function configFor(dtype: FileDtype, content: Uint8Array): Uint8Array {
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

  /** @param dtype - type of a matrix; null for a small tensor, which stays as it is */
  stream(info: TensorInfo, dtype: FileDtype | null): TensorStream {
    const { type, shape } = info;
    if (dtype === null) return { type, shape, chunks: () => this.bytes(info) };
    const [rows, cols] = shape;
    const formats = {
      f32: { type: 'F32', shape },
      bf16: { type: 'BF16', shape },
      q8: { type: 'U8', shape: [rows, q8RowBytes(cols)] },
      q4: { type: 'U8', shape: [rows, q8Blocks(cols), Q4_BLOCK_BYTES] },
    } as const;
    return { ...formats[dtype], chunks: () => this.rows(info, dtype) };
  }

  /** The bytes of a small tensor, as they are. */
  private async *bytes(info: TensorInfo): AsyncGenerator<Uint8Array> {
    this.checkSignal();
    yield await this.checkpoint.read(info.name);
    this.advance(info, info.bytes);
  }

  /** The rows of a matrix, some at a time, in the type that is wanted. */
  private async *rows(info: TensorInfo, dtype: FileDtype): AsyncGenerator<Uint8Array> {
    const { rowBytes, stored, convert } = await rowReader(this.checkpoint, info);
    const rows = info.shape[0];
    const step = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    for (let row = 0; row < rows; row += step) {
      this.checkSignal();
      const length = Math.min(step, rows - row) * rowBytes;
      const bytes = convert(await this.checkpoint.read(info.name, row * rowBytes, length), row);
      yield this.converted(info, bytes, stored, dtype);
      this.advance(info, length);
    }
  }

  private converted(info: TensorInfo, bytes: Uint8Array, stored: StoredType, dtype: FileDtype): Uint8Array {
    if (dtype === stored) return bytes;
    const cols = info.shape[1];
    const values = decodeRows(bytes, stored, cols);
    if (dtype === 'f32') return bytesOf(values);
    if (dtype === 'bf16') return roundedBf16(values);
    return dtype === 'q4' ? packedQ4(values, cols) : this.packedQ8(info, values);
  }

  private checkSignal(): void {
    if (!this.options.signal?.aborted) return;
    throw new EngineError('aborted', `${this.checkpoint.name}: quantizing was cancelled`);
  }

  private advance({ name }: TensorInfo, bytes: number): void {
    this.done += bytes;
    this.options.onProgress?.({ tensor: name, loaded: this.done, total: this.total });
  }

  private packedQ8({ name, shape: [, cols] }: TensorInfo, values: Float32Array): Uint8Array {
    const codes = new Int8Array(values.length);
    const scales = new Float32Array((values.length / cols) * q8Blocks(cols));
    quantizeRows(values, cols, codes, scales);
    const tiny = scales.find((scale) => scale > 0 && scale < SMALLEST_SCALE);
    if (tiny === undefined) return packQ8({ codes, scales }, cols);
    const found = `a block of ${Q8_BLOCK} of which none is above ${tiny * 127}`;
    const message = `${this.checkpoint.name}: ${name}: expected blocks of zeros or with a weight above 1e-34, found ${found}`;
    throw new EngineError('type-unsupported', message);
  }
}

function packedQ4(values: Float32Array, cols: number): Uint8Array {
  const scales = new Float32Array((values.length / cols) * q8Blocks(cols));
  const codes = new Uint8Array(scales.length * Q4_BYTES);
  quantizeRowsQ4(values, cols, codes, scales);
  return packQ4({ codes, scales }, cols);
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
