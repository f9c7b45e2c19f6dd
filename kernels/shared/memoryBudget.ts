import { KernelError } from '../errors';

/**
 * Counts the bytes that a backend has allocated, and refuses what would exceed its capacity before it is allocated. Every
 * box names the budget of its backend as its owner.
 */
export class MemoryBudget {
  #allocated = 0;

  constructor(
    readonly backend: string,
    readonly capacityBytes: number,
  ) {}

  get allocatedBytes(): number {
    return this.#allocated;
  }

  /** Sets the bytes that a box is charged for. Throws `out-of-memory`, and changes nothing, when they do not fit. */
  charge(box: { bytes: number }, bytes: number, what: string): void {
    const after = this.#allocated - box.bytes + bytes;
    if (after > this.capacityBytes) throw this.#refusal(what, after);
    this.#allocated = after;
    box.bytes = bytes;
  }

  /**
   * Charges a box, then calls `allocate`. When either fails, the box is charged as before. A `RangeError` of the JavaScript
   * engine, which means that it has no memory left, becomes `out-of-memory`.
   */
  allocate<T>(box: { bytes: number }, bytes: number, what: string, allocate: () => T): T {
    const before = box.bytes;
    this.charge(box, bytes, what);
    try {
      return allocate();
    } catch (error) {
      const asked = this.#allocated;
      this.charge(box, before, what);
      throw error instanceof RangeError ? this.#refusal(what, asked) : error;
    }
  }

  #refusal(what: string, total: number): KernelError {
    const limit = `expected at most ${this.capacityBytes} bytes in all`;
    return new KernelError('out-of-memory', `${this.backend}: ${what} does not fit: ${limit}, found ${total}`);
  }
}
