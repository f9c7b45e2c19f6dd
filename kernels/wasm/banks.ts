import { KernelError } from '../errors';
import type { Machine } from './machine';

/**
 * The memories of a backend. One WebAssembly memory ends at 4 GiB, so larger models lie in several, each with an
 * instance of its own. Everything but weights is in the first; a product of a weight elsewhere takes its packed rows
 * along and brings its results back, which is little beside the weight.
 */
export class Banks {
  readonly #all: Machine[];
  /** Bytes of weights in each memory. */
  readonly #held: number[] = [0];

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
      const fresh = bank === this.#all.length;
      if (fresh) {
        this.#all.push(this.#opened(bank, what));
        this.#held.push(0);
      }
      if (!fresh && this.#held[bank] + bytes > this.#limit(bank)) continue;
      try {
        const at = this.#all[bank].memory.allocate(bytes, what);
        this.#held[bank] += bytes;
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

  /** Weights that a memory takes: the rest of it is for activations, or for rows that visit and for what is being packed. */
  #limit(bank: number): number {
    return bank === 0 ? this.firstBytes : LATER_BANK_BYTES;
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
    this.#held[bank] -= bytes;
  }
}

/** Weights in each memory after the first: half a GiB stays for rows on their way through and for packing. */
const LATER_BANK_BYTES = 3.5 * 2 ** 30;

/** 56 GiB of weights. */
const MOST_BANKS = 16;
