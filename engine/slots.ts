/**
 * Numbered cache slots with reference counts. A slot holds the keys and values of one token in every layer. Streams with a
 * common prefix share the slots of the prefix.
 */
export class SlotPool {
  private free: number[] = [];
  private references: Int32Array = new Int32Array(0); // one count a slot
  private taken = 0;

  /** @param onGrow is called with the new number of slots, before any of them is handed out */
  constructor(private readonly onGrow: (slots: number) => void) {}

  get size(): number {
    return this.references.length;
  }

  get inUse(): number {
    return this.taken;
  }

  /** Number of slots that `take(count)` would have to add. */
  shortage(count: number): number {
    return Math.max(0, count - this.free.length);
  }

  /** Slots that the pool will have after `take(count)`. */
  sizeFor(count: number): number {
    const shortage = this.shortage(count);
    return shortage === 0 ? this.size : Math.max(this.size + shortage, 2 * this.size, 64);
  }

  /** Takes `count` slots, each with one reference. */
  take(count: number): Int32Array {
    if (count > this.free.length) this.growTo(this.sizeFor(count));
    const slots = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const slot = this.free.pop() as number;
      slots[i] = slot;
      this.references[slot] = 1;
    }
    this.taken += count;
    return slots;
  }

  /** Adds one reference to each slot. */
  share(slots: Int32Array): void {
    for (const slot of slots) this.references[slot]++;
  }

  /** Removes one reference from each slot, last to first, so that the next `take` returns the slots in the same order. */
  drop(slots: Int32Array): void {
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i];
      if (--this.references[slot] === 0) {
        this.free.push(slot);
        this.taken--;
      }
    }
  }

  private growTo(after: number): void {
    const before = this.references.length;
    this.onGrow(after);
    const references = new Int32Array(after);
    references.set(this.references);
    this.references = references;
    const added: number[] = [];
    for (let slot = after - 1; slot >= before; slot--) added.push(slot);
    this.free = added.concat(this.free);
  }
}
