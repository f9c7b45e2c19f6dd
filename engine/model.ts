import type { Backend, Dtype } from '../kernels';
import type { Checkpoint, T5Config } from '../weights';
import { AttentionProbe } from './attention';
import { Decoder } from './decoder';
import { storedDtype } from './dtypes';
import { EncodedSource, type SlotPools } from './encoded';
import { type ChunkStates, Encoder } from './encoder';
import { checkInUse, EngineError } from './errors';
import { crossForward, type ForwardContext, type Observe } from './forward';
import type { LayerCaches } from './layers';
import { type LoadedWeights, type LoadOptions, loadWeights } from './load';
import { SlotPool } from './slots';
import { type SourceRows, sourceRows } from './source';
import type {
  AttentionMaps,
  DecoderRow,
  Encoded,
  EncoderOptions,
  ForwardOptions,
  LogitsView,
  Source,
  T5Model,
} from './types';

/** Slots that a cache has at first. The pools grow it. */
const FIRST_SLOTS = 64;

export interface ModelOptions extends LoadOptions {
  /**
   * Receives every layer's tensors as they are computed: `encoder.block.<i>`, `encoder.final`, `cross.<i>.keys` and
   * `cross.<i>.values` (projections of encoder states), `decoder.block.<i>` and `decoder.final`. With it every decoder call
   * runs one kernel more, for `decoder.final`. Of attention it receives `encoder.self.<i>.query`, `.key`, `.value` and `.mixed`
   * (the weighted values), and `decoder.cross.<i>.query` and `.mixed`.
   */
  readonly observe?: Observe;
}

/**
 * Loads a checkpoint onto a backend.
 *
 * @throws EngineError `out-of-memory`, `type-unsupported` or `aborted`; WeightsError when the checkpoint is not a whole T5
 */
export async function loadModel(
  checkpoint: Checkpoint,
  backend: Backend,
  options: ModelOptions = {},
): Promise<T5Model> {
  const { facts } = backend;
  const dtype = options.dtype ?? storedDtype(checkpoint, backend);
  for (const [option, type] of Object.entries({ dtype, copy: options.copy ?? dtype })) {
    if (facts.weightTypes.includes(type)) continue;
    const known = facts.weightTypes.join(', ');
    const found = option === 'dtype' && options.dtype === undefined ? `${type}, as it is stored` : type;
    throw new EngineError(
      'type-unsupported',
      `${option}: expected one of ${known} on backend ${facts.name}, found ${found}`,
    );
  }
  const loaded = await loadWeights(checkpoint, backend, dtype, options);
  return new Model(checkpoint, backend, loaded, options);
}

class Model implements T5Model, SlotPools {
  readonly name: string;
  readonly config: T5Config;
  readonly dtype: Dtype;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly narrowed: number;
  readonly copyDtype: Dtype | null;
  readonly hasDecoder: boolean;
  readonly selfSlots: SlotPool;
  readonly crossSlots: SlotPool;
  private readonly context: ForwardContext;
  /** What the decoder's copy runs with. */
  private readonly copyContext: ForwardContext | null;
  /** One for each decoder layer. */
  private readonly caches: readonly LayerCaches[];
  private readonly encoder: Encoder;
  private readonly decoder: Decoder;
  private disposed = false;

  constructor(
    checkpoint: Checkpoint,
    private readonly backend: Backend,
    private readonly loaded: LoadedWeights,
    { observe, copy }: ModelOptions,
  ) {
    const { config, name } = checkpoint;
    const { weights, dtype, parameters, weightBytes, narrowed } = loaded;
    this.name = name;
    this.config = config;
    this.dtype = dtype;
    this.parameters = parameters;
    this.weightBytes = weightBytes;
    this.narrowed = narrowed;
    this.copyDtype = copy ?? null;
    this.context = { backend, config, weights, observe };
    this.copyContext = loaded.copy && { ...this.context, weights: loaded.copy };
    const newCache = () => backend.cache(config.heads, config.dKv, FIRST_SLOTS);
    this.hasDecoder = weights.decoder !== null;
    this.caches = (weights.decoder?.layers ?? []).map(() => ({ self: newCache(), cross: newCache() }));
    this.encoder = new Encoder(this.context, name);
    this.selfSlots = new SlotPool((slots) => {
      for (const { self } of this.caches) backend.grow(self, slots);
    });
    this.crossSlots = new SlotPool((slots) => {
      for (const { cross } of this.caches) backend.grow(cross, slots);
    });
    this.decoder = new Decoder(backend, name, this.selfSlots);
  }

  get vocabularySize(): number {
    return this.config.vocabularySize;
  }

  get startToken(): number {
    return this.config.startToken;
  }

  get eosTokens(): readonly number[] {
    return this.config.eosTokens;
  }

  encode(sources: readonly Source[], options: EncoderOptions = {}): Promise<Encoded[]> {
    return this.encodeShown(sources, options, undefined);
  }

  private async encodeShown(
    sources: readonly Source[],
    { signal, onProgress }: EncoderOptions,
    observe: Observe | undefined,
  ): Promise<Encoded[]> {
    this.checkDecoder();
    const seen = this.rowsOf(sources);
    if (seen.length === 0) return [];
    const { crossSlots, caches } = this;
    const context = observe ? { ...this.context, observe } : this.context;
    const count = seen.reduce((sum, { ids }) => sum + ids.length, 0);
    const taken: { slots?: Int32Array } = {};
    try {
      await this.encoder.run({
        sources: seen,
        crossSlots: crossSlots.size + crossSlots.shortage(count),
        ...{ signal, onProgress, observe },
        onStates: async (chunk) => {
          taken.slots ??= await this.takeCrossSlots(count, chunk);
          const { first, states } = chunk;
          await crossForward(context, chunk, { caches, slots: taken.slots.subarray(first, first + states.rows) });
        },
      });
    } catch (error) {
      if (taken.slots) crossSlots.drop(taken.slots);
      throw error;
    }
    let first = 0;
    return seen.map(({ ids }, i) => {
      const slots = (taken.slots as Int32Array).slice(first, first + ids.length);
      first += ids.length;
      const source = sources[i];
      return new EncodedSource(ids, 'ids' in source ? source : undefined, slots, this);
    });
  }

  async encoderStates(
    sources: readonly Source[],
    { signal, onProgress }: EncoderOptions = {},
  ): Promise<Float32Array[]> {
    this.checkInUse();
    const seen = this.rowsOf(sources);
    if (seen.length === 0) return [];
    const { dModel } = this.config;
    const all = seen.map(({ ids }) => new Float32Array(ids.length * dModel)); // each [rows of the source, dModel]
    await this.encoder.run({
      sources: seen,
      crossSlots: 0,
      ...{ signal, onProgress },
      onStates: async ({ states, first }) => {
        const chunk = await this.backend.read(states);
        let from = -first * dModel; // where the source starts in the chunk
        for (const own of all) {
          if (from < chunk.length && from + own.length > 0) {
            own.set(chunk.subarray(Math.max(from, 0), Math.min(from + own.length, chunk.length)), Math.max(-from, 0));
          }
          from += own.length;
        }
      },
    });
    return all;
  }

  /** Takes slots of cross-attention. The caches grow one by one, because a large one takes long. */
  private async takeCrossSlots(count: number, { pause }: ChunkStates): Promise<Int32Array> {
    const size = this.crossSlots.sizeFor(count);
    for (const { cross } of this.caches) {
      this.backend.grow(cross, size);
      await pause();
    }
    return this.crossSlots.take(count);
  }

  async forward(rows: readonly DecoderRow[], options: ForwardOptions = {}): Promise<LogitsView> {
    this.checkDecoder();
    const depth = this.caches.length;
    const layers = options.layers ?? depth;
    if (!Number.isInteger(layers) || layers < 1 || layers > depth) {
      throw new EngineError('row-invalid', `forward: layers: expected 1 to ${depth}, found ${layers}`);
    }
    if (rows.length === 0) throw new EngineError('row-invalid', 'forward: expected at least one row, found none');
    const context = options.copy ? this.copyContext : this.context;
    if (!context) throw new EngineError('type-unsupported', `forward: copy: expected a model with a copy, found none`);
    const caches = this.caches.slice(0, layers);
    const call = { rows, what: 'forward: row', context, caches, signal: options.signal };
    return this.decoder.run(call, () => this.decoder.head(context));
  }

  async attention(source: Source, output: readonly number[], options: EncoderOptions = {}): Promise<AttentionMaps> {
    this.checkDecoder();
    if (output.length === 0)
      throw new EngineError('row-invalid', 'attention: expected at least one output id, found none');
    const { backend, config, context, caches } = this;
    const { heads, dKv } = config;
    const [seen] = this.rowsOf([source]);
    const probe = new AttentionProbe(backend, context.weights, { heads, dKv, source: seen, output: output.length });
    try {
      const [encoded] = await this.encodeShown([source], options, probe.observe);
      try {
        await probe.endOfEncoder();
        using stream = encoded.open();
        const rows = output.map((token, position) => ({ stream, position, token, parent: position - 1 }));
        const observed = { ...context, observe: probe.observe };
        const call = { rows, what: 'attention: output', context: observed, caches, signal: options.signal };
        await this.decoder.run(call, () => undefined);
        return await probe.maps();
      } finally {
        encoded.dispose();
      }
    } finally {
      probe.free();
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const { backend } = this;
    for (const cache of this.caches.flatMap(({ self, cross }) => [self, cross])) backend.free(cache);
    this.encoder.dispose();
    this.decoder.dispose();
    this.loaded.free();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private rowsOf(sources: readonly Source[]): SourceRows[] {
    return sources.map((source, i) => sourceRows(source, i, this.vocabularySize));
  }

  private checkDecoder(): void {
    this.checkInUse();
    if (this.hasDecoder) return;
    throw new EngineError(
      'tensor-missing',
      `${this.name}: expected a model with a decoder, found an encoder alone: its states can be asked for (embed)`,
    );
  }

  private checkInUse(): void {
    checkInUse({ name: this.name, disposed: this.disposed });
  }
}
