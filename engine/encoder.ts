/**
 * Runs of the encoder. A short call is one chunk of rows. A long one is cut into chunks, so that its activations are small: first
 * all chunks of a layer write their keys and values, then each attends to all of them, in parts. A cancel is heard between two
 * steps. A row's bits do not depend on the chunks, because no kernel's do.
 */
import type { AttentionPart, Backend, KvCache, Tensor } from '../kernels';
import { checkInUse, checkNotAborted } from './errors';
import {
  attendBlock,
  type ForwardContext,
  feedBlock,
  finalStates,
  finishAttention,
  type Observe,
  projectBlock,
  showEncoderBlock,
} from './forward';
import { checkEncodeFits } from './memory';
import { attentionParts, chunkRows, Pace } from './pace';
import { sourcesPlan } from './plan';
import type { SourceRows } from './source';
import type { EncodingProgress } from './types';
import { createWorkspace, freeWorkspace, type Workspace } from './workspace';

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

/** How a call is cut. */
interface Layout {
  readonly chunks: readonly Chunk[];
  /** [rows] */
  readonly ids: Int32Array;
  /** Ids of the longest source. */
  readonly longest: number;
  readonly pace: Pace;
}

/** The ids of all sources, one after the other. */
function idsOf(sources: readonly SourceRows[], rows: number): Int32Array {
  const all = new Int32Array(rows);
  let first = 0;
  for (const { ids } of sources) {
    all.set(ids, first);
    first += ids.length;
  }
  return all;
}

/** The parts of a chunk's attention. */
function partsOf(
  { first, rows }: Chunk,
  { heads, dKv, longest }: { readonly heads: number; readonly dKv: number; readonly longest: number },
  most: number,
): AttentionPart[] {
  return attentionParts({ rows, heads, dKv, longest }, most).map((part) => ({ planRow: first, ...part }));
}

export interface EncoderCall {
  readonly sources: readonly SourceRows[];
  /** Slots that the caches of cross-attention will have; 0 where nothing is written to them. */
  readonly crossSlots: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EncodingProgress) => void;
  /** Receives this call's tensors in place of the model's own observer. */
  readonly observe?: Observe;
  /** Takes the states of one chunk. It awaits the pause between steps that take long. */
  readonly onStates: (chunk: ChunkStates) => void | Promise<void>;
}

/** The states of a chunk, after the final norm. */
export interface ChunkStates {
  readonly states: Tensor; // [rows, dModel]
  /** Row of the call that the first of them belongs to. */
  readonly first: number;
  readonly work: Workspace;
  readonly pause: () => Promise<void>;
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
    const step = context.observe ? rows : Math.min(rows, chunkRows(facts, context.config));
    checkEncodeFits(facts, context.config, { rows, step, crossSlots: call.crossSlots });
    const pace = new Pace(facts, () => this.check(call.signal));
    if (cache.slots < rows) backend.grow(cache, rows);
    const ids = idsOf(call.sources, rows);
    const chunks = this.chunksOf(rows, step);
    const own = { hidden: this.work.hidden, query: this.work.query };
    try {
      await this.layers(context, { chunks, ids, longest, pace }, call);
    } finally {
      if (chunks.length > 1) {
        for (const { hidden, query } of chunks) for (const box of [hidden, query]) backend.free(box);
        Object.assign(this.work, own);
      }
    }
  }

  private async layers(
    context: ForwardContext,
    { chunks, ids, longest, pace }: Layout,
    { sources, onStates, onProgress }: EncoderCall,
  ): Promise<void> {
    const { backend, work, cache } = this;
    const { weights, config } = context;
    const isWhole = chunks.length === 1;
    for (const chunk of chunks) {
      this.at(chunk, () => {
        backend.embed(work.hidden, weights.embedding, ids.subarray(chunk.first, chunk.first + chunk.rows)); // [rows, dModel]
      });
      await pace.pause();
    }
    backend.arrange(work.selfPlan, sourcesPlan(sources, isWhole));
    await pace.pause();
    const total = ids.length * weights.encoder.layers.length;
    let done = 0;
    for (const [i, layer] of weights.encoder.layers.entries()) {
      for (const chunk of chunks) {
        this.at(chunk, () => projectBlock(backend, layer, work));
        if (isWhole) break; // its attention writes keys and values itself
        const slots = Int32Array.from({ length: chunk.rows }, (_, row) => chunk.first + row);
        backend.append(cache, work.key, work.value, slots);
        await pace.pause();
      }
      for (const chunk of chunks) {
        for (const part of isWhole ? [undefined] : partsOf(chunk, { ...config, longest }, pace.most)) {
          this.at(chunk, () => attendBlock(context, layer, work, { cache, part }));
          await pace.pause();
        }
        this.at(chunk, () => finishAttention(context, layer, work));
        await pace.pause();
        this.at(chunk, () => feedBlock(context, layer, work));
        await pace.pause();
        done += chunk.rows;
        onProgress?.({ done, total });
      }
      showEncoderBlock(context, i, work);
    }
    for (const chunk of chunks) {
      this.at(chunk, () => finalStates(context, work));
      await onStates({ states: chunk.hidden, first: chunk.first, work, pause: () => pace.pause() });
      await pace.pause();
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
    checkInUse({ name: this.name, disposed: this.disposed });
    checkNotAborted('encode', signal);
  }

  private free(): void {
    freeWorkspace(this.backend, this.work);
    this.backend.free(this.cache);
  }
}
