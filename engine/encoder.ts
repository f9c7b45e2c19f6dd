/**
 * Runs of the encoder. A short call is one chunk of rows. A long one is cut into chunks, so that its activations are small and a
 * cancel is heard between two chunks: first all chunks of a layer write their keys and values, then each attends to all of them.
 * A row's bits do not depend on the chunks, because no kernel's do.
 */
import { Turns } from '../common';
import type { Backend, BackendFacts, KvCache, Tensor } from '../kernels';
import type { T5Config } from '../weights';
import { EngineError } from './errors';
import { attendBlock, type ForwardContext, finalStates, type Observe, projectBlock, showEncoderBlock } from './forward';
import { checkEncodeFits } from './memory';
import { chunkPlan } from './plan';
import type { SourceRows } from './source';
import { createWorkspace, freeWorkspace, type Workspace } from './workspace';

/** Rows of the largest chunk. */
const MOST_ROWS = 512;

/** Multiplications of one step of a chunk, and the fewest rows of a chunk: about 50 ms of work for each kind of backend. */
const STEP: Readonly<Record<BackendFacts['name'], { readonly operations: number; readonly rows: number }>> = {
  wasm: { operations: 5e8, rows: 32 },
  cpu: { operations: 5e7, rows: 4 },
  reference: { operations: 2e7, rows: 4 },
  gpu: { operations: Number.POSITIVE_INFINITY, rows: MOST_ROWS }, // it computes beside this thread
};

/** Rows that are encoded at a time, where the longest source has `longest` ids. */
export function chunkRows(name: BackendFacts['name'], config: T5Config, longest: number): number {
  const { dModel, dFf, inner, feedForward } = config;
  const attention = 2 * longest * inner + dModel * inner;
  const feed = (feedForward.gated ? 3 : 2) * dModel * dFf;
  const { operations, rows } = STEP[name];
  const fitting = Math.floor(operations / Math.max(attention, feed, 3 * dModel * inner) / 4) * 4;
  return Math.min(MOST_ROWS, Math.max(rows, fitting));
}

/** Slots that a cache has at first. */
const FIRST_SLOTS = 64;

/** Rows that are encoded together, and their boxes. */
interface Chunk {
  readonly first: number;
  readonly rows: number;
  /** [rows, dModel] */
  hidden: Tensor;
  /** [rows, inner] */
  readonly query: Tensor;
}

export interface EncoderCall {
  readonly sources: readonly SourceRows[];
  /** Slots that the caches of cross-attention will have; 0 where nothing is written to them. */
  readonly crossSlots: number;
  readonly signal?: AbortSignal;
  /** Receives this call's tensors in place of the model's own observer. */
  readonly observe?: Observe;
  /** Takes the states of one chunk, [rows, dModel], of which the first belongs to row `first` of the call. */
  readonly onStates: (states: Tensor, first: number, work: Workspace) => void | Promise<void>;
}

/** The encoder of a model with its boxes. Calls that overlap wait for each other. */
export class Encoder {
  private readonly backend: Backend;
  private readonly work: Workspace;
  /** Keys and values of one layer; the next layer overwrites them. */
  private readonly cache: KvCache;
  private last: Promise<void> = Promise.resolve();
  private running = false;
  private disposed = false;

  constructor(
    private readonly context: ForwardContext,
    private readonly name: string,
  ) {
    const { backend, config } = context;
    this.backend = backend;
    this.work = createWorkspace(backend);
    this.cache = backend.cache(config.heads, config.dKv, FIRST_SLOTS);
  }

  /** @throws EngineError `out-of-memory`, `aborted`, `disposed` */
  async run(call: EncoderCall): Promise<void> {
    const before = this.last;
    let release: () => void = () => undefined;
    this.last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    try {
      this.check(call.signal);
      this.running = true;
      await this.encode(call);
    } finally {
      if (this.running && this.disposed) this.free();
      this.running = false;
      release();
    }
  }

  /** Frees the boxes; a call that is under way ends with `disposed` at its next step. To be called once. */
  dispose(): void {
    this.disposed = true;
    if (!this.running) this.free();
  }

  private async encode(call: EncoderCall): Promise<void> {
    const { backend, cache } = this;
    const context = call.observe ? { ...this.context, observe: call.observe } : this.context;
    const { facts } = backend;
    const rows = call.sources.reduce((sum, { ids }) => sum + ids.length, 0);
    const longest = call.sources.reduce((most, { ids }) => Math.max(most, ids.length), 0);
    const step = context.observe ? rows : Math.min(rows, chunkRows(facts.name, context.config, longest));
    checkEncodeFits(facts, context.config, { rows, step, crossSlots: call.crossSlots });
    if (cache.slots < rows) backend.grow(cache, rows);
    const ids = Int32Array.from(call.sources.flatMap((source) => source.ids as number[])); // [rows]
    const chunks = this.chunksOf(rows, step);
    const own = { hidden: this.work.hidden, query: this.work.query };
    try {
      await this.layers(context, chunks, ids, call);
    } finally {
      if (chunks.length > 1) {
        for (const { hidden, query } of chunks) for (const box of [hidden, query]) backend.free(box);
        Object.assign(this.work, own);
      }
    }
  }

  private async layers(
    context: ForwardContext,
    chunks: readonly Chunk[],
    ids: Int32Array,
    call: EncoderCall,
  ): Promise<void> {
    const { backend, work, cache } = this;
    const { weights } = context;
    const turns = new Turns();
    const pause = async () => {
      await turns.give();
      this.check(call.signal);
    };
    const isWhole = chunks.length === 1;
    const lengths = call.sources;
    for (const chunk of chunks) {
      this.at(chunk, () => {
        backend.embed(work.hidden, weights.embedding, ids.subarray(chunk.first, chunk.first + chunk.rows)); // [rows, dModel]
      });
    }
    if (isWhole) backend.arrange(work.selfPlan, chunkPlan(lengths, 0, ids.length, true));
    for (const [i, layer] of weights.encoder.layers.entries()) {
      for (const chunk of chunks) {
        this.at(chunk, () => projectBlock(backend, layer, work));
        if (isWhole) break; // its attention writes keys and values itself
        const slots = Int32Array.from({ length: chunk.rows }, (_, row) => chunk.first + row);
        backend.append(cache, work.key, work.value, slots);
        await pause();
      }
      for (const chunk of chunks) {
        if (!isWhole) backend.arrange(work.selfPlan, chunkPlan(lengths, chunk.first, chunk.rows, false));
        this.at(chunk, () => attendBlock(context, layer, work, { cache, isFresh: isWhole }));
        await pause();
      }
      showEncoderBlock(context, i, work);
    }
    for (const chunk of chunks) {
      this.at(chunk, () => finalStates(context, work));
      await call.onStates(chunk.hidden, chunk.first, work);
      await pause();
    }
  }

  /** Runs a step on the boxes of a chunk. The step may swap the hidden states with the next ones. */
  private at(chunk: Chunk, step: () => void): void {
    const { work } = this;
    work.hidden = chunk.hidden;
    work.query = chunk.query;
    try {
      step();
    } finally {
      chunk.hidden = work.hidden;
    }
  }

  private chunksOf(rows: number, step: number): Chunk[] {
    const { backend, work } = this;
    if (step >= rows) return [{ first: 0, rows, hidden: work.hidden, query: work.query }];
    const count = Math.ceil(rows / step);
    return Array.from({ length: count }, (_, i) => ({
      first: i * step,
      rows: Math.min(step, rows - i * step),
      hidden: backend.tensor(),
      query: backend.tensor(),
    }));
  }

  private check(signal: AbortSignal | undefined): void {
    if (this.disposed)
      throw new EngineError('disposed', `${this.name}: expected a model in use, found one that was disposed`);
    if (signal?.aborted) throw new EngineError('aborted', 'encode: cancelled', { cause: signal.reason });
  }

  private free(): void {
    freeWorkspace(this.backend, this.work);
    this.backend.free(this.cache);
  }
}
