/**
 * Numbered cache slots with reference counts. One slot holds the keys and values of one token in every layer; streams
 * that share a prefix share its slots.
 */
export class SlotPool {
  private free: number[] = [];
  private used: Int32Array = new Int32Array(0); // references per slot
  private taken = 0;

  /** @param onGrow told the new number of slots, so that caches can make room */
  constructor(private readonly onGrow: (slots: number) => void) {}

  get size(): number {
    return this.used.length;
  }

  get inUse(): number {
    return this.taken;
  }

  /** Slots that `take(count)` would have to add. */
  shortage(count: number): number {
    return Math.max(0, count - this.free.length);
  }

  /** Takes `count` slots with one reference each, lowest first where it can. */
  take(count: number): Int32Array {
    if (count > this.free.length) this.growBy(count - this.free.length);
    const slots = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const slot = this.free.pop() as number;
      slots[i] = slot;
      this.used[slot] = 1;
    }
    this.taken += count;
    return slots;
  }

  share(slots: Int32Array): void {
    for (const slot of slots) this.used[slot]++;
  }

  /** Drops one reference each. Given back last to first, so that the next `take` finds them in the same order. */
  drop(slots: Int32Array): void {
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i];
      if (--this.used[slot] === 0) {
        this.free.push(slot);
        this.taken--;
      }
    }
  }

  private growBy(shortage: number): void {
    const before = this.used.length;
    const after = Math.max(before + shortage, 2 * before, 64);
    this.onGrow(after);
    const used = new Int32Array(after);
    used.set(this.used);
    this.used = used;
    const fresh: number[] = [];
    for (let slot = after - 1; slot >= before; slot--) fresh.push(slot);
    this.free = fresh.concat(this.free);
  }
}
