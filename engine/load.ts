import type { Backend, Dtype, Norm, Weight } from '../kernels';
import {
  type AttentionTensors,
  type Checkpoint,
  type FeedForwardTensors,
  type ResolvedTensors,
  resolveTensors,
  type T5Config,
  type T5Tensors,
  type TensorInfo,
} from '../weights';
import { biasByDistance } from './bias';
import { vocabularyDtype } from './dtypes';
import { EngineError } from './errors';
import {
  type AttentionWeights,
  type DecoderLayer,
  decoderOf,
  type EncoderLayer,
  type FeedForwardWeights,
  type T5Weights,
} from './layers';
import { fitsBf16, isNarrowable, savedBytes, stepMatrices } from './narrow';
import { Room, sharesHead } from './room';
import { readFloats, rowReader } from './stored';

export interface LoadProgress {
  readonly tensor: string;
  /** Bytes of the checkpoint that have been read. */
  readonly loaded: number;
  /** Bytes of the checkpoint that will be read. */
  readonly total: number;
}

export interface LoadOptions {
  /**
   * Type to keep the weights in; by default the one stored (float16 and int8 are converted to float32 exactly). Where none is named,
   * a float32 matrix of the decoder whose every value fits in bfloat16 is kept in it: the same values, and the same bits of every result.
   */
  readonly dtype?: Dtype;
  /** Keeps the decoder and the head a second time, in this type: the target's own draft. Default none. */
  readonly copy?: Dtype;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** The weights of a model on a backend. */
export interface LoadedWeights {
  readonly weights: T5Weights;
  /** The same model with another decoder and head; null without `LoadOptions.copy`. */
  readonly copy: T5Weights | null;
  /** Type of the matrices. */
  readonly dtype: Dtype;
  readonly parameters: number;
  /** Bytes that the matrices take on the backend, the copy's included. */
  readonly weightBytes: number;
  /** Matrices of these in f32 that are kept in bf16, because it holds their every value. */
  readonly narrowed: number;
  /** Frees all of them. */
  free(): void;
}

/** Bytes read and packed at a time: large enough for the disk, small beside any model. */
const CHUNK_BYTES = 8 << 20;
/** `Backend.fill` takes chunks that start at a multiple of this row. */
const CHUNK_ROWS = 64;

/**
 * Copies every weight of a checkpoint to a backend, tensor by tensor. Each is read once. After an error nothing stays
 * allocated.
 */
export async function loadWeights(
  checkpoint: Checkpoint,
  backend: Backend,
  dtype: Dtype,
  options: LoadOptions,
): Promise<LoadedWeights> {
  const tensors = resolveTensors(checkpoint);
  // Who names a type gets that type.
  const narrowable = dtype === 'f32' && options.dtype === undefined ? stepMatrices(tensors) : new Set<string>();
  const room = new Room(checkpoint, backend.facts, { dtype, copy: options.copy, narrowable }, tensors);
  const loader = new Loader(checkpoint, backend, options, room);
  try {
    const weights = await loader.load(tensors);
    const { parameters } = loader;
    const copy = options.copy === undefined ? null : await loader.copyDecoder(tensors, weights, options.copy);
    const { weightBytes, narrowed } = loader;
    return { weights, copy, dtype, parameters, weightBytes, narrowed, free: () => loader.free() };
  } catch (error) {
    loader.free();
    throw error;
  }
}

type Box = Parameters<Backend['free']>[0];

class Loader {
  parameters = 0;
  weightBytes = 0;
  narrowed = 0;
  private loaded = 0;
  private readonly boxes: Box[] = [];
  private readonly config: T5Config;
  private readonly dtype: Dtype;

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly backend: Backend,
    private readonly options: LoadOptions,
    private readonly room: Room,
  ) {
    this.config = checkpoint.config;
    this.dtype = room.types.dtype;
  }

  free(): void {
    for (const box of this.boxes.splice(0)) this.backend.free(box);
  }

  async load(tensors: ResolvedTensors): Promise<T5Weights> {
    this.room.checkLeast();
    // In the order of Hugging Face's files: of a file that is still arriving, the first tensors are there first.
    const decoder = tensors.decoder && (await this.decoder(tensors.decoder));
    const encoder = await this.encoder(tensors.encoder);
    const vocabulary = vocabularyDtype(this.dtype);
    const embedding = await this.matrix(tensors.embedding, vocabulary);
    const head = tensors.head === tensors.embedding ? embedding : await this.matrix(tensors.head, vocabulary);
    return { embedding, head, encoder, decoder };
  }

  /**
   * Loads the decoder's matrices and the head once more. The copy shares the norms, the position biases, the embedding and the
   * encoder, and the head where it has the same type; it never projects keys and values of cross-attention: it reads those that the
   * model has cached.
   */
  async copyDecoder(tensors: ResolvedTensors, weights: T5Weights, dtype: Dtype): Promise<T5Weights> {
    const blocks = tensors.decoder?.blocks ?? [];
    const { layers, finalNorm } = decoderOf(weights);
    const copied = (name: string) => this.matrix(name, dtype, false);
    const head = sharesHead(dtype, this.dtype)
      ? weights.head
      : await this.matrix(tensors.head, vocabularyDtype(dtype), false);
    const copies: DecoderLayer[] = [];
    for (const [i, { attention, cross, feedForward }] of blocks.entries()) {
      const own = layers[i];
      const inputs: Weight[] = [];
      for (const input of feedForward.inputs) inputs.push(await copied(input));
      copies.push({
        attention: {
          norm: own.attention.norm,
          query: await copied(attention.query),
          key: await copied(attention.key),
          value: await copied(attention.value),
          output: await copied(attention.output),
        },
        bias: own.bias,
        cross: { ...own.cross, query: await copied(cross.query), output: await copied(cross.output) },
        feedForward: { norm: own.feedForward.norm, inputs, output: await copied(feedForward.output) },
      });
    }
    return { ...weights, head, decoder: { layers: copies, finalNorm } };
  }

  private async encoder({ blocks, finalNorm }: T5Tensors['encoder']): Promise<T5Weights['encoder']> {
    const layers: EncoderLayer[] = [];
    for (const block of blocks) {
      const attention = await this.attention(block.attention);
      const bias = block.bias === null ? layers[0].bias : await this.bias(block.bias, true);
      layers.push({ attention, bias, feedForward: await this.feedForward(block.feedForward) });
    }
    return { layers, finalNorm: await this.norm(finalNorm) };
  }

  private async decoder({ blocks, finalNorm }: NonNullable<T5Tensors['decoder']>): Promise<T5Weights['decoder']> {
    const layers: DecoderLayer[] = [];
    for (const block of blocks) {
      const attention = await this.attention(block.attention);
      const bias = block.bias === null ? layers[0].bias : await this.bias(block.bias, false);
      const cross = await this.attention(block.cross);
      layers.push({ attention, bias, cross, feedForward: await this.feedForward(block.feedForward) });
    }
    return { layers, finalNorm: await this.norm(finalNorm) };
  }

  private async attention(names: AttentionTensors): Promise<AttentionWeights> {
    return {
      norm: await this.norm(names.norm),
      query: await this.matrix(names.query),
      key: await this.matrix(names.key),
      value: await this.matrix(names.value),
      output: await this.matrix(names.output),
    };
  }

  private async feedForward(names: FeedForwardTensors): Promise<FeedForwardWeights> {
    const norm = await this.norm(names.norm);
    const inputs: Weight[] = [];
    for (const input of names.inputs) inputs.push(await this.matrix(input));
    return { norm, inputs, output: await this.matrix(names.output) };
  }

  private async norm(name: string): Promise<Norm> {
    return { gain: this.keep(this.backend.vector(await this.floats(name))), epsilon: this.config.epsilon };
  }

  private async bias(name: string, bidirectional: boolean): Promise<EncoderLayer['bias']> {
    const { heads, relativeBuckets, relativeMaxDistance } = this.config;
    const rule = { buckets: relativeBuckets, maxDistance: relativeMaxDistance, bidirectional };
    const { table, offset } = biasByDistance(await this.floats(name), heads, rule);
    return this.keep(this.backend.bias(heads, offset, table));
  }

  /**
   * Packs a matrix chunk by chunk; the next chunk is read while one is packed. A matrix that may be narrowed is packed in bf16 until a
   * chunk does not fit. It is then packed again from its first row.
   */
  private async matrix(
    name: string,
    dtype = this.dtype,
    narrows = this.room.types.narrowable.has(name),
  ): Promise<Weight> {
    const { backend, checkpoint } = this;
    const info = this.info(name);
    const [rows, cols] = info.shape;
    const { rowBytes, stored, extraBytes, convert } = await rowReader(checkpoint, info);
    if (extraBytes > 0) this.advance(name, extraBytes);
    const step = Math.max(CHUNK_ROWS, Math.floor(CHUNK_BYTES / rowBytes / CHUNK_ROWS) * CHUNK_ROWS);
    const read = (row: number) =>
      row < rows ? checkpoint.read(name, row * rowBytes, Math.min(step, rows - row) * rowBytes) : null;
    let type = narrows && isNarrowable(info, backend.facts) ? 'bf16' : dtype;
    let weight: Weight | null = null;
    let counted = 0; // rows that progress has counted
    let next = read(0);
    for (let row = 0; row < rows; ) {
      const bytes = (await next) as Uint8Array;
      if (type !== dtype && stored === 'f32' && !fitsBf16(bytes)) {
        type = dtype;
        this.room.checkWhole();
        if (weight) {
          this.drop(weight);
          weight = null;
          row = 0;
          next = read(0);
          continue;
        }
      }
      next = read(row + step);
      next?.catch(() => undefined); // its error is thrown where it is awaited; until then it must not count as unhandled
      weight ??= this.keep(backend.weight(rows, cols, type));
      backend.fill(weight, row, convert(bytes, row), stored);
      row += step;
      this.advance(name, row > counted ? bytes.length : 0);
      counted = Math.max(counted, row);
    }
    if (type !== dtype) this.narrowed++;
    const taken = backend.facts.weightBytes(rows, cols, type);
    this.room.take(taken, type === dtype ? 0 : savedBytes(info, backend.facts));
    this.parameters += rows * cols;
    this.weightBytes += taken;
    return weight as Weight;
  }

  /** A small tensor as float32. */
  private async floats(name: string): Promise<Float32Array> {
    const info = this.info(name);
    const values = await readFloats(this.checkpoint, info);
    this.advance(name, info.bytes);
    this.parameters += values.length;
    this.room.take(info.bytes);
    return values;
  }

  /** A tensor that `resolveTensors` has found. */
  private info(name: string): TensorInfo {
    return this.checkpoint.tensors.get(name) as TensorInfo;
  }

  private keep<B extends Box>(box: B): B {
    this.boxes.push(box);
    return box;
  }

  private drop(box: Box): void {
    this.boxes.splice(this.boxes.indexOf(box), 1);
    this.backend.free(box);
  }

  private advance(tensor: string, bytes: number): void {
    if (this.options.signal?.aborted)
      throw new EngineError('aborted', `${this.checkpoint.name}: loading was cancelled`);
    this.loaded += bytes;
    this.options.onProgress?.({ tensor, loaded: this.loaded, total: this.room.stored });
  }
}
