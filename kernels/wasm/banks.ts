import { KernelError } from '../errors';
import type { WasmInstance } from './instance';

/** Bytes of weights in each memory after the first. Half a GiB stays free for copied rows and for packing. */
const LATER_BANK_BYTES = 3.5 * 2 ** 30;

/** Memories of one backend: together they hold up to 56 GiB of weights. */
const MOST_BANKS = 16;

/**
 * The memories of a backend, each with an instance of the compiled module. A WebAssembly memory has at most 4 GiB, so a larger
 * model is spread over several. Everything except weights is in the first memory. For a product with a weight in another
 * memory, the packed rows are copied there and the results are copied back, which costs little compared with the weight.
 */
export class Banks {
  readonly #instances: WasmInstance[];
  /** Bytes of weights in each memory. */
  readonly #weightBytes: number[] = [0];

  /**
   * @param create - creates the instance of a further memory
   * @param firstBankBytes - bytes of weights in the first memory; the rest of it is for activations, caches and logits
   */
  constructor(
    readonly first: WasmInstance,
    private readonly create: (index: number) => WasmInstance,
    private readonly firstBankBytes: number,
  ) {
    this.#instances = [first];
  }

  get count(): number {
    return this.#instances.length;
  }

  instance(bank: number): WasmInstance {
    return this.#instances[bank];
  }

  /** Allocates a weight in the first memory that has room for it. Creates a memory when none has. */
  allocate(bytes: number, what: string): { bank: number; at: number } {
    for (let bank = 0; bank < MOST_BANKS; bank++) {
      const isNew = bank === this.count;
      if (isNew) {
        this.#instances.push(this.#createInstance(bank, what));
        this.#weightBytes.push(0);
      }
      if (!isNew && this.#weightBytes[bank] + bytes > this.#limitOf(bank)) continue;
      try {
        const at = this.#instances[bank].memory.allocate(bytes, what);
        this.#weightBytes[bank] += bytes;
        return { bank, at };
      } catch (error) {
        if (isNew) throw error; // an empty memory has no room for it either
      }
    }
    throw new KernelError(
      'out-of-memory',
      `wasm: ${what} does not fit: expected room in ${MOST_BANKS} memories, found none`,
    );
  }

  free(bank: number, at: number, bytes: number): void {
    this.#instances[bank].memory.free(at);
    this.#weightBytes[bank] -= bytes;
  }

  #limitOf(bank: number): number {
    return bank === 0 ? this.firstBankBytes : LATER_BANK_BYTES;
  }

  /** Creates a memory. That fails when the system has no addresses left for one. */
  #createInstance(bank: number, what: string): WasmInstance {
    try {
      return this.create(bank);
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      throw new KernelError('out-of-memory', `wasm: ${what} does not fit: expected one memory more, found ${found}`);
    }
  }
}
