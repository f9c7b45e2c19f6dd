import type { Backend, Dtype, KvCache, Tensor } from '../kernels';
import type { Checkpoint, T5Config } from '../weights';
import { EncodedSource, type SlotPools } from './encoded';
import { EngineError } from './errors';
import { crossForward, decoderForward, encoderForward, type ForwardContext, type Observe } from './forward';
import type { LayerCaches } from './layers';
import { type LoadedWeights, type LoadOptions, loadWeights, storedDtype } from './load';
import { LogitsPool } from './logits';
import { checkEncodeFits } from './memory';
import { crossPlan, encoderPlan, selfPlan } from './plan';
import { SlotPool } from './slots';
import type { Stream } from './stream';
import type { DecoderRow, Encoded, ForwardOptions, LogitsView, T5Model } from './types';
import { createWorkspace, freeWorkspace } from './workspace';

/** Slots that a cache has at first. The pools grow it. */
const FIRST_SLOTS = 64;

export interface ModelOptions extends LoadOptions {
  /**
   * Receives every layer's tensors as they are computed: `encoder.block.<i>`, `encoder.final`, `cross.<i>.keys` and
   * `cross.<i>.values` (projections of encoder states), `decoder.block.<i>` and `decoder.final`. With it every decoder call
   * runs one kernel more, for `decoder.final`.
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
  if (!facts.weightTypes.includes(dtype)) {
    const known = facts.weightTypes.join(', ');
    throw new EngineError(
      'type-unsupported',
      `dtype: expected one of ${known} on backend ${facts.name}, found ${dtype}`,
    );
  }
  const loaded = await loadWeights(checkpoint, backend, dtype, options);
  return new Model(checkpoint, backend, loaded, options.observe);
}

class Model implements T5Model, SlotPools {
  readonly name: string;
  readonly config: T5Config;
  readonly dtype: Dtype;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly selfSlots: SlotPool;
  readonly crossSlots: SlotPool;
  private readonly context: ForwardContext;
  /** One for each decoder layer. */
  private readonly caches: readonly LayerCaches[];
  private readonly encoderCache: KvCache;
  private readonly encoderWork;
  private readonly decoderWork;
  private readonly logits: LogitsPool;
  private readonly final: Tensor;
  private disposed = false;

  constructor(
    checkpoint: Checkpoint,
    private readonly backend: Backend,
    private readonly loaded: LoadedWeights,
    observe?: Observe,
  ) {
    const { config, name } = checkpoint;
    const { weights, dtype, parameters, weightBytes } = loaded;
    this.name = name;
    this.config = config;
    this.dtype = dtype;
    this.parameters = parameters;
    this.weightBytes = weightBytes;
    this.context = { backend, config, weights, observe };
    const newCache = () => backend.cache(config.heads, config.dKv, FIRST_SLOTS);
    this.caches = weights.decoder.layers.map(() => ({ self: newCache(), cross: newCache() }));
    this.encoderCache = newCache();
    this.selfSlots = new SlotPool((slots) => {
      for (const { self } of this.caches) backend.grow(self, slots);
    });
    this.crossSlots = new SlotPool((slots) => {
      for (const { cross } of this.caches) backend.grow(cross, slots);
    });
    this.encoderWork = createWorkspace(backend);
    this.decoderWork = createWorkspace(backend);
    this.logits = new LogitsPool(backend);
    this.final = backend.tensor();
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

  async encode(sources: readonly (readonly number[])[]): Promise<Encoded[]> {
    this.checkInUse();
    sources.forEach((source, i) => {
      this.checkSource(source, i);
    });
    if (sources.length === 0) return [];
    const { backend, context, crossSlots } = this;
    const ids = Int32Array.from(sources.flat()); // [rows]
    checkEncodeFits(backend.facts, this.config, ids.length, crossSlots.size + crossSlots.shortage(ids.length));
    const work = this.encoderWork;
    if (this.encoderCache.slots < ids.length) backend.grow(this.encoderCache, ids.length);
    backend.arrange(work.selfPlan, encoderPlan(sources.map((source) => source.length)));
    const states = encoderForward(context, ids, work, this.encoderCache); // [rows, dModel]
    const slots = crossSlots.take(ids.length);
    try {
      crossForward(context, states, work, { caches: this.caches, slots });
    } catch (error) {
      crossSlots.drop(slots);
      throw error;
    }
    let first = 0;
    return sources.map((source) => {
      const sourceSlots = slots.slice(first, first + source.length);
      first += source.length;
      return new EncodedSource(source, sourceSlots, this);
    });
  }

  async forward(rows: readonly DecoderRow[], options: ForwardOptions = {}): Promise<LogitsView> {
    this.checkInUse();
    const depth = this.caches.length;
    const layers = options.layers ?? depth;
    if (!Number.isInteger(layers) || layers < 1 || layers > depth) {
      throw new EngineError('row-invalid', `forward: layers: expected 1 to ${depth}, found ${layers}`);
    }
    if (rows.length === 0) throw new EngineError('row-invalid', 'forward: expected at least one row, found none');
    const ids = Int32Array.from(rows, (row, r) => this.checkToken(row.token, `forward: row ${r}: token`));
    const cross = crossPlan(rows, (encoded) => (encoded as EncodedSource).slots);
    const self = selfPlan(rows, this.selfSlots);
    try {
      this.backend.arrange(this.decoderWork.selfPlan, self);
      this.backend.arrange(this.decoderWork.crossPlan, cross);
      return this.decode(ids, layers);
    } catch (error) {
      for (const { stream } of rows) (stream as Stream).dropPending();
      throw error;
    }
  }

  /** Runs the rows that have been arranged through the decoder and the head. */
  private decode(ids: Int32Array, layers: number): LogitsView {
    const { context, decoderWork: work } = this;
    const { backend, weights, config, observe } = context;
    decoderForward(context, ids, work, this.caches.slice(0, layers));
    const norm = weights.decoder.finalNorm;
    if (observe) {
      backend.rmsNorm(this.final, work.hidden, norm);
      observe('decoder.final', this.final);
    }
    const box = this.logits.take();
    try {
      backend.head(box, work.hidden, norm, weights.head, config.scaleHead ? config.dModel ** -0.5 : 1);
      return this.logits.view(box); // [rows, vocabulary]
    } catch (error) {
      this.logits.giveBack(box);
      throw error;
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const { backend } = this;
    for (const cache of this.caches.flatMap(({ self, cross }) => [self, cross])) backend.free(cache);
    backend.free(this.encoderCache);
    freeWorkspace(backend, this.encoderWork);
    freeWorkspace(backend, this.decoderWork);
    this.logits.free();
    backend.free(this.final);
    this.loaded.free();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private checkSource(source: readonly number[], index: number): void {
    if (source.length === 0) {
      throw new EngineError('source-invalid', `encode: source ${index}: expected at least one id, found none`);
    }
    for (const id of source) this.checkToken(id, `encode: source ${index}: id`, 'source-invalid');
  }

  private checkToken(id: number, what: string, code: 'token-invalid' | 'source-invalid' = 'token-invalid'): number {
    if (Number.isInteger(id) && id >= 0 && id < this.vocabularySize) return id;
    throw new EngineError(code, `${what}: expected 0 to ${this.vocabularySize - 1}, found ${id}`);
  }

  private checkInUse(): void {
    if (this.disposed)
      throw new EngineError('disposed', `${this.name}: expected a model in use, found one that was disposed`);
  }
}
