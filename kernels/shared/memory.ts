import { KernelError } from '../errors';

/** Counts the bytes a backend holds and refuses what would not fit, before it is allocated. */
export class Memory {
  #allocated = 0;

  constructor(
    readonly backend: string,
    readonly capacityBytes: number,
  ) {}

  get allocatedBytes(): number {
    return this.#allocated;
  }

  /** Sets what a box is charged for. Throws `out-of-memory` when the change does not fit. */
  charge(box: { bytes: number }, bytes: number, what: string): void {
    const after = this.#allocated - box.bytes + bytes;
    if (after > this.capacityBytes && bytes > box.bytes) throw this.#refusal(what, after);
    this.#allocated = after;
    box.bytes = bytes;
  }

  /** Runs an allocation; a refusal by the JavaScript engine becomes `out-of-memory`, and `box` is charged nothing. */
  make<T>(allocate: () => T, what: string, box?: { bytes: number }): T {
    try {
      return allocate();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const asked = this.#allocated;
      if (box) this.charge(box, 0, what);
      throw this.#refusal(what, asked);
    }
  }

  #refusal(what: string, total: number): KernelError {
    const limit = `expected at most ${this.capacityBytes} bytes in all`;
    return new KernelError('out-of-memory', `${this.backend}: ${what} does not fit: ${limit}, found ${total}`);
  }
}
