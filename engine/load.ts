import { type Backend, type Dtype, KernelError, type StoredType, type Weight } from '../kernels';
import type { Checkpoint, T5Config, TensorInfo } from '../weights';
import { resolveTensors } from '../weights';
import { biasByDistance } from './bias';
import { EngineError } from './errors';
import type { AttentionWeights, DecoderLayer, EncoderLayer, FeedForwardWeights, T5Weights } from './layers';

export interface LoadProgress {
  readonly tensor: string;
  /** Bytes of the checkpoint read so far, and in all. */
  readonly loaded: number;
  readonly total: number;
}

export interface LoadOptions {
  /** Type to keep the weights in; by default the one stored (float16 and int8 are converted to float32 exactly). */
  readonly dtype?: Dtype;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** Bytes read and packed at a time: large enough for the disk, small beside any model. */
const CHUNK_BYTES = 8 << 20;
/** Whole rows a chunk starts at, as `Backend.fill` asks. */
const CHUNK_ROWS = 64;

const STORED: Partial<Record<TensorInfo['type'], { type: StoredType; bytes: number }>> = {
  F32: { type: 'f32', bytes: 4 },
  F16: { type: 'f16', bytes: 2 },
  BF16: { type: 'bf16', bytes: 2 },
  I8: { type: 'i8', bytes: 1 },
};

/** The type of the weights when the caller names none: the one that the embedding is stored as. */
export function storedDtype(checkpoint: Checkpoint, backend: Backend): Dtype {
  const embedding = checkpoint.tensors.get(resolveTensors(checkpoint).embedding);
  const stored: Dtype = embedding?.type === 'BF16' ? 'bf16' : 'f32';
  return backend.facts.weightTypes.includes(stored) ? stored : 'f32';
}

/** Reads every weight of a checkpoint to its place on the backend, once, tensor by tensor. */
export async function loadWeights(
  checkpoint: Checkpoint,
  backend: Backend,
  dtype: Dtype,
  options: LoadOptions,
): Promise<{ weights: T5Weights; parameters: number; weightBytes: number; free: () => void }> {
  const names = resolveTensors(checkpoint);
  const loader = new Loader(checkpoint, backend, dtype, options);
  loader.checkFits(names.all);
  try {
    const embedding = await loader.matrix(names.embedding);
    const head = names.head === names.embedding ? embedding : await loader.matrix(names.head);
    const encoder = await loader.encoder();
    const decoder = await loader.decoder();
    const { parameters, weightBytes } = loader;
    return { weights: { embedding, head, encoder, decoder }, parameters, weightBytes, free: () => loader.free() };
  } catch (error) {
    loader.free(); // nothing half-loaded stays
    throw error;
  }
}

class Loader {
  parameters = 0;
  weightBytes = 0;
  private loaded = 0;
  private total = 0;
  private readonly owned: Parameters<Backend['free']>[0][] = [];
  private readonly config: T5Config;

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly backend: Backend,
    private readonly dtype: Dtype,
    private readonly options: LoadOptions,
  ) {
    this.config = checkpoint.config;
  }

  /** Refuses a model that cannot fit, before a byte is allocated. */
  checkFits(names: readonly string[]): void {
    const { facts } = this.backend;
    let needed = 0;
    for (const name of names) {
      const info = this.info(name);
      this.total += info.bytes;
      needed += info.shape.length === 2 ? facts.weightBytes(info.shape[0], info.shape[1], this.dtype) : info.bytes;
    }
    const room = facts.capacityBytes - facts.allocatedBytes();
    if (needed <= room) return;
    throw new EngineError(
      'out-of-memory',
      `${this.checkpoint.name}: expected weights of at most ${room} bytes (room on backend ${facts.name}), found ${needed} bytes as ${this.dtype}`,
    );
  }

  free(): void {
    for (const box of this.owned.splice(0)) this.backend.free(box);
  }

  async encoder(): Promise<T5Weights['encoder']> {
    const layers: EncoderLayer[] = [];
    for (let i = 0; i < this.config.encoderLayers; i++) {
      const block = `encoder.block.${i}.layer`;
      const attention = await this.attention(`${block}.0`, 'SelfAttention');
      const bias = await this.bias('encoder', i, layers[0]?.bias);
      const feedForward = await this.feedForward(`${block}.1`);
      layers.push({ attention, bias, feedForward });
    }
    return { layers, finalNorm: await this.norm('encoder.final_layer_norm') };
  }

  async decoder(): Promise<T5Weights['decoder']> {
    const layers: DecoderLayer[] = [];
    for (let i = 0; i < this.config.decoderLayers; i++) {
      const block = `decoder.block.${i}.layer`;
      const attention = await this.attention(`${block}.0`, 'SelfAttention');
      const bias = await this.bias('decoder', i, layers[0]?.bias);
      const cross = await this.attention(`${block}.1`, 'EncDecAttention');
      const feedForward = await this.feedForward(`${block}.2`);
      layers.push({ attention, bias, cross, feedForward });
    }
    return { layers, finalNorm: await this.norm('decoder.final_layer_norm') };
  }

  /** Packs a matrix chunk by chunk, the next chunk being read meanwhile. */
  async matrix(name: string): Promise<Weight> {
    const info = this.info(name);
    const [rows, cols] = info.shape;
    const stored = this.stored(info);
    const weight = this.own(this.backend.weight(rows, cols, this.dtype));
    const rowBytes = cols * stored.bytes;
    const step = Math.max(CHUNK_ROWS, Math.floor(CHUNK_BYTES / rowBytes / CHUNK_ROWS) * CHUNK_ROWS);
    const chunk = (row: number) =>
      row < rows ? this.checkpoint.read(name, row * rowBytes, Math.min(step, rows - row) * rowBytes) : null;
    let ahead = chunk(0);
    for (let row = 0; row < rows; row += step) {
      const bytes = (await ahead) as Uint8Array;
      ahead = chunk(row + step);
      ahead?.catch(() => undefined); // reported when awaited; a failure in between must not count as unhandled
      this.backend.fill(weight, row, bytes, stored.type);
      this.advance(name, bytes.length);
    }
    this.parameters += rows * cols;
    this.weightBytes += this.backend.facts.weightBytes(rows, cols, this.dtype);
    return weight;
  }

  private async attention(layer: string, kind: string): Promise<AttentionWeights> {
    const at = (part: string) => this.matrix(`${layer}.${kind}.${part}.weight`);
    return {
      norm: await this.norm(`${layer}.layer_norm`),
      query: await at('q'),
      key: await at('k'),
      value: await at('v'),
      output: await at('o'),
    };
  }

  private async feedForward(layer: string): Promise<FeedForwardWeights> {
    const at = (part: string) => this.matrix(`${layer}.DenseReluDense.${part}.weight`);
    const { gated } = this.config.feedForward;
    return {
      norm: await this.norm(`${layer}.layer_norm`),
      inputs: gated ? [await at('wi_0'), await at('wi_1')] : [await at('wi')],
      output: await at('wo'),
    };
  }

  private async norm(prefix: string): Promise<T5Weights['encoder']['finalNorm']> {
    const gain = this.own(this.backend.vector(await this.floats(`${prefix}.weight`)));
    return { gain, epsilon: this.config.epsilon };
  }

  private async bias(side: 'encoder' | 'decoder', layer: number, first?: EncoderLayer['bias']) {
    if (first && !this.config.biasInEveryBlock) return first;
    const { heads, relativeBuckets, relativeMaxDistance } = this.config;
    const buckets = await this.floats(`${side}.block.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`);
    const rule = { buckets: relativeBuckets, maxDistance: relativeMaxDistance, bidirectional: side === 'encoder' };
    const { table, offset } = biasByDistance(buckets, heads, rule);
    return this.own(this.backend.bias(heads, offset, table));
  }

  /** A small tensor as float32, whatever it is stored as. */
  private async floats(name: string): Promise<Float32Array> {
    const info = this.info(name);
    const bytes = await this.checkpoint.read(name);
    this.advance(name, bytes.length);
    this.parameters += info.shape.reduce((product, size) => product * size, 1);
    return toFloat32(bytes, this.stored(info).type);
  }

  private info(name: string): TensorInfo {
    const info = this.checkpoint.tensors.get(name);
    if (!info) throw new KernelError('shape-mismatch', `${this.checkpoint.name}: expected tensor ${name}, found none`);
    return info;
  }

  private stored(info: TensorInfo): { type: StoredType; bytes: number } {
    const stored = STORED[info.type];
    if (stored) return stored;
    throw new EngineError('type-unsupported', `${info.name}: expected type F32, F16, BF16 or I8, found ${info.type}`);
  }

  private own<Box extends Parameters<Backend['free']>[0]>(box: Box): Box {
    this.owned.push(box);
    return box;
  }

  private advance(tensor: string, bytes: number): void {
    if (this.options.signal?.aborted)
      throw new EngineError('aborted', `${this.checkpoint.name}: loading was cancelled`);
    this.loaded += bytes;
    this.options.onProgress?.({ tensor, loaded: this.loaded, total: this.total });
  }
}

function toFloat32(bytes: Uint8Array, type: StoredType): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = { f32: 4, f16: 2, bf16: 2, i8: 1 }[type];
  return Float32Array.from({ length: bytes.byteLength / size }, (_, i) => {
    if (type === 'f32') return view.getFloat32(4 * i, true);
    if (type === 'i8') return view.getInt8(i);
    const half = view.getUint16(2 * i, true);
    return type === 'bf16' ? fromBfloat16(half) : fromFloat16(half);
  });
}

const word = new DataView(new ArrayBuffer(4));

function fromBfloat16(bits: number): number {
  word.setUint32(0, bits * 65536);
  return word.getFloat32(0);
}

function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
