import { packQ8, Q8_BLOCK, q8Blocks, q8RowBytes } from '../common';
import { type Dtype, decodeRows, f32ToBf16, quantizeRows, type StoredType } from '../kernels';
import {
  type Checkpoint,
  type CheckpointFile,
  PACKED_METADATA,
  resolveTensors,
  type TensorInfo,
  type TensorStream,
  weightsFiles,
} from '../weights';
import { EngineError } from './errors';
import type { LoadProgress } from './load';
import { rowReader } from './stored';

/** Types that a file may have its matrices in. q4 is made of them when a draft is loaded. */
export type FileDtype = Exclude<Dtype, 'q4'>;

export interface QuantizeOptions {
  /** Type of the matrices. Gains of norms and tables of the position bias stay as they are. */
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
 * `q8` files have `__metadata__.format` `tandem-q8`: only Tandem reads them, and other readers refuse them by the shapes.
 *
 * @throws EngineError `aborted` while a file is read; `type-unsupported` for weights too small for q8;
 *   WeightsError when the checkpoint is not a whole T5
 */
export async function quantizeCheckpoint(checkpoint: Checkpoint, options: QuantizeOptions): Promise<CheckpointFile[]> {
  const { dtype, shardBytes } = options;
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
  const files = weightsFiles(streams, { metadata: dtype === 'q8' ? PACKED_METADATA : { format: 'pt' }, shardBytes });
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

const NAMES: Readonly<Record<FileDtype, string | undefined>> = { f32: 'float32', bf16: 'bfloat16', q8: undefined };

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

  stream(info: TensorInfo, isMatrix: boolean): TensorStream {
    const { dtype } = this.options;
    const { type, shape } = info;
    if (!isMatrix) return { type, shape, chunks: () => this.bytes(info) };
    const formats = {
      f32: { type: 'F32', shape },
      bf16: { type: 'BF16', shape },
      q8: { type: 'U8', shape: [shape[0], q8RowBytes(shape[1])] },
    } as const;
    return { ...formats[dtype], chunks: () => this.rows(info) };
  }

  /** The bytes of a small tensor, as they are. */
  private async *bytes(info: TensorInfo): AsyncGenerator<Uint8Array> {
    this.checkSignal();
    yield await this.checkpoint.read(info.name);
    this.advance(info, info.bytes);
  }

  /** The rows of a matrix, some at a time, in the type that is wanted. */
  private async *rows(info: TensorInfo): AsyncGenerator<Uint8Array> {
    const { rowBytes, stored, convert } = await rowReader(this.checkpoint, info);
    const rows = info.shape[0];
    const step = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    for (let row = 0; row < rows; row += step) {
      this.checkSignal();
      const length = Math.min(step, rows - row) * rowBytes;
      const bytes = convert(await this.checkpoint.read(info.name, row * rowBytes, length), row);
      yield this.converted(info, bytes, stored);
      this.advance(info, length);
    }
  }

  private converted(info: TensorInfo, bytes: Uint8Array, stored: StoredType): Uint8Array {
    const { dtype } = this.options;
    if (dtype === stored) return bytes;
    const values = decodeRows(bytes, stored, info.shape[1]);
    if (dtype === 'f32') return bytesOf(values);
    return dtype === 'bf16' ? roundedBf16(values) : this.packed(info, values);
  }

  private checkSignal(): void {
    if (!this.options.signal?.aborted) return;
    throw new EngineError('aborted', `${this.checkpoint.name}: quantizing was cancelled`);
  }

  private advance({ name }: TensorInfo, bytes: number): void {
    this.done += bytes;
    this.options.onProgress?.({ tensor: name, loaded: this.done, total: this.total });
  }

  private packed({ name, shape: [, cols] }: TensorInfo, values: Float32Array): Uint8Array {
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
