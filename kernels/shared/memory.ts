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

  /** Charges a box and allocates; a refusal, also by the JavaScript engine, is `out-of-memory` and changes nothing. */
  allocate<T>(box: { bytes: number }, bytes: number, what: string, make: () => T): T {
    const before = box.bytes;
    this.charge(box, bytes, what);
    try {
      return make();
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
