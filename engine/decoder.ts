import type { Backend, PlanSpec, Tensor } from '../kernels';
import type { EncodedSource } from './encoded';
import { checkInUse, checkNotAborted, EngineError } from './errors';
import { decoderForward, type ForwardContext } from './forward';
import { decoderOf, type LayerCaches } from './layers';
import { LogitsPool } from './logits';
import { Pace } from './pace';
import { crossPlan, selfPlan } from './plan';
import type { SlotPool } from './slots';
import type { Stream } from './stream';
import type { DecoderRow, LogitsView } from './types';
import { createWorkspace, freeWorkspace, type Workspace } from './workspace';

/** A call of the decoder. */
export interface DecoderCall {
  readonly rows: readonly DecoderRow[];
  /** Names a row in messages. */
  readonly what: string;
  readonly context: ForwardContext;
  /** One for each block that runs. */
  readonly caches: readonly LayerCaches[];
  readonly signal?: AbortSignal;
}

/** The decoder of a model with its boxes. A call that is long pauses on its way; calls that are asked for meanwhile wait. */
export class Decoder {
  private readonly work: Workspace;
  private readonly logits: LogitsPool;
  private readonly final: Tensor;
  private disposed = false;
  /** Ends with the call that is under way and has paused; null when there is none. */
  private paused: Promise<void> | null = null;
  private endPaused: () => void = () => undefined;

  constructor(
    private readonly backend: Backend,
    private readonly name: string,
    private readonly selfSlots: SlotPool,
  ) {
    this.work = createWorkspace(backend);
    this.logits = new LogitsPool(backend);
    this.final = backend.tensor();
  }

  /**
   * Runs rows through the decoder. After an error nothing is pending.
   *
   * @param finish follows the last block, in the same turn of the event loop
   */
  async run<T>({ rows, what, context, caches, signal }: DecoderCall, finish: () => T): Promise<T> {
    while (this.paused) await this.paused;
    this.check(undefined);
    const { backend, work } = this;
    const ids = Int32Array.from(rows, (row, r) => checkToken(row.token, context, `${what} ${r}: token`));
    const cross = crossPlan(rows, (encoded) => (encoded as EncodedSource).slots);
    const self = selfPlan(rows, this.selfSlots);
    try {
      backend.arrange(work.selfPlan, self);
      backend.arrange(work.crossPlan, cross);
      const pace = new Pace(backend.facts, () => this.check(signal));
      const cut = { longest: { self: longestOf(self), cross: longestOf(cross) }, most: pace.most };
      for (const operations of decoderForward(context, ids, work, { caches, cut })) {
        if (pace.isDue(operations)) await this.pause(pace);
      }
      return finish();
    } catch (error) {
      for (const { stream } of rows) (stream as Stream).dropPending();
      throw error;
    } finally {
      this.paused = null;
      this.endPaused();
    }
  }

  /** The logits of rows that have gone through the decoder, whose states are in its workspace. */
  head({ backend, weights, config, observe }: ForwardContext): LogitsView {
    const { work, final } = this;
    const norm = decoderOf(weights).finalNorm;
    if (observe) {
      backend.rmsNorm(final, work.hidden, norm);
      observe('decoder.final', final);
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

  /** Frees the boxes; a call that is under way ends with `disposed` at its next step. To be called once. */
  dispose(): void {
    this.disposed = true;
    freeWorkspace(this.backend, this.work);
    this.logits.free();
    this.backend.free(this.final);
  }

  /** Pauses a call, whose boxes no other call may use meanwhile. */
  private async pause(pace: Pace): Promise<void> {
    this.paused ??= new Promise((resolve) => {
      this.endPaused = resolve;
    });
    await pace.pause();
  }

  private check(signal: AbortSignal | undefined): void {
    checkInUse({ name: this.name, disposed: this.disposed });
    checkNotAborted('forward', signal);
  }
}

function longestOf({ count }: PlanSpec): number {
  return count.reduce((most, keys) => Math.max(most, keys));
}

function checkToken(id: number, { config }: ForwardContext, what: string): number {
  if (Number.isInteger(id) && id >= 0 && id < config.vocabularySize) return id;
  throw new EngineError('token-invalid', `${what}: expected 0 to ${config.vocabularySize - 1}, found ${id}`);
}
