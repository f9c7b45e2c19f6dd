import { KernelError } from '../errors';
import type { Machine } from './machine';

/**
 * The memories of a backend. One WebAssembly memory ends at 4 GiB, so larger models lie in several, each with an
 * instance of its own. Everything but weights is in the first; a product of a weight elsewhere takes its packed rows
 * along and brings its results back, which is little beside the weight.
 */
export class Banks {
  readonly #all: Machine[];
  #weightsInFirst = 0;

  constructor(
    first: Machine,
    private readonly open: (index: number) => Machine,
    /** Bytes of weights in the first memory before others are opened: activations, caches and logits need the rest. */
    private readonly firstBytes: number,
  ) {
    this.#all = [first];
  }

  machine(bank: number): Machine {
    return this.#all[bank];
  }

  get count(): number {
    return this.#all.length;
  }

  /** Finds room for a weight; opens another memory where no other has it. */
  place(bytes: number, what: string): { bank: number; at: number } {
    for (let bank = 0; bank < MOST_BANKS; bank++) {
      if (bank === 0 && this.#weightsInFirst + bytes > this.firstBytes) continue;
      const fresh = bank === this.#all.length;
      if (fresh) this.#all.push(this.#opened(bank, what));
      try {
        const at = this.#all[bank].memory.allocate(bytes, what);
        if (bank === 0) this.#weightsInFirst += bytes;
        return { bank, at };
      } catch (error) {
        if (fresh) throw error; // not even an empty memory has room
      }
    }
    throw new KernelError(
      'out-of-memory',
      `wasm: ${what} does not fit: expected room in ${MOST_BANKS} memories, found none`,
    );
  }

  /** Another memory; the system may have no addresses left for one. */
  #opened(bank: number, what: string): Machine {
    try {
      return this.open(bank);
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      throw new KernelError('out-of-memory', `wasm: ${what} does not fit: expected one memory more, found ${found}`);
    }
  }

  release(bank: number, at: number, bytes: number): void {
    this.#all[bank].memory.free(at);
    if (bank === 0) this.#weightsInFirst -= bytes;
  }
}

/** 64 GiB of weights. */
const MOST_BANKS = 16;
