import { EngineError } from './errors';
import type { SlotPool } from './slots';
import { Stream } from './stream';
import type { DecoderStream, Encoded, MaskedSource } from './types';

/** The slot pools of a model: of its decoder's self-attention, and of its cross-attention. */
export interface SlotPools {
  readonly selfSlots: SlotPool;
  readonly crossSlots: SlotPool;
}

/** An encoded source: its ids, and the slots of its cross-attention keys and values. */
export class EncodedSource implements Encoded {
  private disposed = false;

  constructor(
    readonly source: readonly number[],
    readonly masked: MaskedSource | undefined,
    private readonly ownSlots: Int32Array,
    private readonly pools: SlotPools,
  ) {}

  /**
   * Slots of the source's ids, in order.
   *
   * @throws EngineError `disposed`: other sources may have the slots by now
   */
  get slots(): Int32Array {
    this.checkInUse();
    return this.ownSlots;
  }

  open(): DecoderStream {
    this.checkInUse();
    return new Stream(this, this.pools.selfSlots);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.pools.crossSlots.drop(this.ownSlots);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private checkInUse(): void {
    if (this.disposed)
      throw new EngineError('disposed', 'encoded source: expected one in use, found one that was disposed');
  }
}
