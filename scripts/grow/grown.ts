/**
 * A checkpoint of a larger shape that computes what its source computes.
 *
 * - Channels, heads, the numbers of a head and feed-forward units are copied as often as they fit whole; zeros fill the rest. Copies hold equal
 *   values, and the weights that read them share the weight of the original (`splitRow`).
 * - A norm of `copies` copies and zeros has another mean square, so its gain and epsilon change.
 * - A new layer adds zero: its matrices have random weights, except those of the outputs, which are zeros.
 * - Padded ids of the vocabulary have the row of a token that is never likely.
 *
 * Therefore a draft and a target that were trained together and then grown accept and reject as they did, at the cost of the larger shape.
 */
import {
  type Checkpoint,
  resolveTensors,
  type T5Config,
  type T5Tensors,
  type TensorInfo,
  type TensorShape,
  WeightsError,
} from '../../weights';
import { ALIASES } from '../../weights/aliases';
import { t5Shapes, t5Tensors } from '../../weights/tensors';
import { type Axis, hashOf, headAxis, repeated, repeatRow, rowNoise, splitRow } from './rows';
import { checkShape, type Shape } from './shape';
import { type SourceMatrix, sourceReader } from './source';

/** The unknown token of T5's vocabularies. Training has almost none of it, so its logit is low everywhere. */
const RARE_TOKEN = 2;
const FLOAT_BYTES = 4;

/**
 * The source in another shape. Its float32 tensors are computed when they are read. Every other file is the source's own; disposing of it disposes of
 * the source.
 *
 * @throws WeightsError `argument-invalid` for a shape smaller than the source; `config-invalid` for an encoder alone; what
 *   `resolveTensors` throws
 */
export function grownCheckpoint(source: Checkpoint, shape: Shape, seed: number): Checkpoint {
  const { decoder, embedding, head } = resolveTensors(source);
  if (decoder === null) {
    const message = `${source.name}: expected a T5 with encoder and decoder, found an encoder alone`;
    throw new WeightsError('config-invalid', message);
  }
  checkShape(source.name, source.config, shape);
  const growth = new Growth(source, shape, seed);
  const { config } = growth;
  const tensors = new Map<string, TensorInfo>();
  for (const { name, shape: sizes } of t5Shapes(config, t5Tensors(config, { embedding, head }))) {
    const bytes = sizes.reduce((product, size) => product * size, FLOAT_BYTES);
    tensors.set(name, { name, type: 'F32', shape: sizes, bytes, file: 'model.safetensors' });
  }
  return {
    ...{ name: source.name, config, tensors, metadata: {} },
    generation: source.generation,
    settingsFiles: source.settingsFiles,
    readSettings: async (file) => {
      const content = (await source.readSettings?.(file)) ?? null;
      return file === 'config.json' && content ? grownConfig(content, config) : content;
    },
    read: (name, offset = 0, length) => growth.read(tensors.get(name) as TensorInfo, offset, length),
    tokenizer: () => source.tokenizer(),
    dispose: () => source.dispose(),
    [Symbol.asyncDispose]: () => source.dispose(),
  };
}

/** config.json with the sizes of the grown model, under T5's own names. */
function grownConfig(content: Uint8Array, config: T5Config): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(content)) as Record<string, unknown>;
  for (const alias of [...Object.keys(ALIASES), 'quantization_config']) delete json[alias];
  Object.assign(json, {
    d_model: config.dModel,
    d_kv: config.dKv,
    num_heads: config.heads,
    d_ff: config.dFf,
    num_layers: config.encoderLayers,
    num_decoder_layers: config.decoderLayers,
    vocab_size: config.vocabularySize,
    layer_norm_epsilon: config.epsilon,
  });
  return new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`);
}

/** How a tensor follows from one of the source. */
interface Rule {
  /** Name in the source; null of a layer that the source does not have. */
  readonly from: string | null;
  /** Rows of a matrix. A vector is one row. */
  readonly rows: Axis | null;
  readonly cols: Axis;
  /** Whether the copies of a value share it (weights of inputs) or repeat it. */
  readonly splits: boolean;
  readonly factor: number;
  /** What a tensor of a new layer holds. */
  readonly isNew: 'random' | 'zeros' | 'ones';
}

class Growth {
  readonly config: T5Config;
  private readonly axes: Readonly<Record<'channels' | 'units' | 'heads' | 'all' | 'vocabulary' | 'buckets', Axis>>;
  private readonly keyCopies: number;
  private readonly rules: ReadonlyMap<string, Rule>;
  private readonly matrix: (name: string) => Promise<SourceMatrix>;

  constructor(
    source: Checkpoint,
    shape: Shape,
    private readonly seed: number,
  ) {
    const { config } = source;
    const heads = repeated(config.heads, shape.heads);
    const numbers = repeated(config.dKv, shape.dKv);
    const channels = repeated(config.dModel, shape.dModel);
    this.axes = {
      ...{ channels, heads },
      all: headAxis(heads, numbers),
      units: repeated(config.dFf, shape.dFf),
      vocabulary: vocabularyAxis(config.vocabularySize, shape.vocabularySize),
      buckets: repeated(config.relativeBuckets, config.relativeBuckets),
    };
    this.keyCopies = numbers.copies;
    const epsilon = config.epsilon * this.meanSquare;
    this.config = { ...config, ...shape, inner: shape.heads * shape.dKv, epsilon };
    this.rules = this.allRules(source);
    this.matrix = sourceReader(source);
  }

  /** Mean square of copied channels and zeros, over that of the originals. */
  private get meanSquare(): number {
    const { copies, length, origins } = this.axes.channels;
    return (copies * length) / origins.length;
  }

  /** The bytes of a tensor that `t5Shapes` lists, or a part of them. */
  async read({ name, shape, bytes }: TensorInfo, offset: number, length = bytes - offset): Promise<Uint8Array> {
    const width = shape[shape.length - 1];
    const rowBytes = width * FLOAT_BYTES;
    const first = Math.floor(offset / rowBytes);
    const last = Math.ceil((offset + length) / rowBytes);
    const values = new Float32Array((last - first) * width);
    const rule = this.rules.get(name) as Rule;
    const from = rule.from === null ? null : await this.matrix(rule.from);
    const tensor = hashOf(name);
    for (let row = first; row < last; row++) {
      const out = values.subarray((row - first) * width, (row - first + 1) * width);
      this.fill(out, rule, from, { row, noise: rowNoise(this.seed, tensor, row) });
    }
    return new Uint8Array(values.buffer, offset - first * rowBytes, length);
  }

  private fill(
    out: Float32Array,
    { rows, cols, splits, factor, isNew }: Rule,
    from: SourceMatrix | null,
    { row, noise }: { row: number; noise: () => number },
  ): void {
    if (from === null) {
      const deviation = this.config.dModel ** -0.5;
      if (isNew === 'ones') out.fill(1);
      if (isNew === 'random') for (let i = 0; i < out.length; i++) out[i] = noise() * deviation;
      return;
    }
    const origin = rows === null ? 0 : rows.origins[row];
    if (origin < 0) return; // zeros
    const values = from.values.subarray(origin * from.width, (origin + 1) * from.width);
    if (splits) splitRow(out, { row: values, axis: cols, spread: from.spread, factor }, noise);
    else repeatRow(out, values, cols, factor);
  }

  private allRules(source: Checkpoint): Map<string, Rule> {
    const { axes } = this;
    const before = resolveTensors(source);
    const after = t5Tensors(this.config, { embedding: before.embedding, head: before.head });
    const origins = originNames(before, after);
    const rules = new Map<string, Rule>();
    for (const { name, role } of t5Shapes(this.config, after)) {
      const from = origins.get(name) ?? null;
      rules.set(name, { from, factor: 1, splits: true, isNew: 'random', ...this.ruleOf(role, name, after) });
    }
    const tables = { from: before.embedding, rows: axes.vocabulary, cols: axes.channels, factor: 1 };
    rules.set(after.embedding, { ...tables, splits: false, isNew: 'zeros' });
    if (after.head !== after.embedding) {
      rules.set(after.head, { ...tables, from: before.head, splits: true, isNew: 'zeros' });
    }
    return rules;
  }

  private ruleOf(
    role: TensorShape['role'],
    name: string,
    names: T5Tensors,
  ): Pick<Rule, 'rows' | 'cols'> & Partial<Rule> {
    const { channels, units, heads, all, buckets } = this.axes;
    if (role === 'norm') {
      const factor = Math.sqrt(this.meanSquare) * (name === names.decoder?.finalNorm ? this.headFactor(names) : 1);
      return { rows: null, cols: channels, splits: false, factor, isNew: 'ones' };
    }
    if (role === 'bias') return { rows: buckets, cols: heads, splits: false, isNew: 'zeros' };
    if (role === 'input') return { rows: units, cols: channels };
    if (role === 'output') {
      const blocks = [...names.encoder.blocks, ...(names.decoder?.blocks ?? [])];
      const isFeedForward = blocks.some(({ feedForward }) => feedForward.output === name);
      return { rows: channels, cols: isFeedForward ? units : all, isNew: 'zeros' };
    }
    // Copies of a head's numbers add their products up in a score.
    return { rows: all, cols: channels, factor: role === 'query' ? 1 / this.keyCopies : 1 };
  }

  /** What makes up for the head's dModel^-0.5, and for a tied head that repeats its inputs' weights instead of sharing them. */
  private headFactor({ head, embedding }: T5Tensors): number {
    const { copies, length, origins } = this.axes.channels;
    const scale = this.config.scaleHead ? Math.sqrt(origins.length / length) : 1;
    return scale / (head === embedding ? copies : 1);
  }
}

function vocabularyAxis(length: number, places: number): Axis {
  const rare = Math.min(RARE_TOKEN, length - 1);
  return { origins: Int32Array.from({ length: places }, (_, i) => (i < length ? i : rare)), length, copies: 1 };
}

/** The source's name of each tensor of a layer that it has. Its layers are spread evenly; the first stays the first. */
function originNames(before: T5Tensors, after: T5Tensors): Map<string, string> {
  const names = new Map<string, string>();
  const put = (to: unknown, from: unknown): void => {
    if (typeof to === 'string' && typeof from === 'string') names.set(to, from);
    else if (to !== null && from !== null && typeof to === 'object') {
      for (const key of Object.keys(to))
        put((to as Record<string, unknown>)[key], (from as Record<string, unknown>)[key]);
    }
  };
  for (const stack of ['encoder', 'decoder'] as const) {
    const [from, to] = [before[stack], after[stack]];
    if (from === null || to === null) continue;
    put(to.finalNorm, from.finalNorm);
    for (const [i, block] of from.blocks.entries()) {
      put(to.blocks[Math.round((i * to.blocks.length) / from.blocks.length)], block);
    }
  }
  return names;
}
