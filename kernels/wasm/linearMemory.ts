import { KernelError } from '../errors';
import { Address, Size } from './layout';

/** Bytes at the start of the memory for the control block and the constants of the compiled module. */
const RESERVED_BYTES = 65536;
const PAGE = 65536;
/** 32-bit addresses reach 65,536 pages. The last page stays free, so that the end of a box never has the address 0. */
const MOST_BYTES = 65535 * PAGE;
/** A cache line: two boxes never share one. */
const ALIGNMENT = 64;

interface Gap {
  at: number;
  bytes: number;
}

/** The same words three times: as integers, as float32 and as float64. */
interface Words {
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

/**
 * Allocates addresses in one WebAssembly memory: the first gap that is large enough, in the order of addresses; otherwise at
 * the end, where the memory grows.
 */
export class LinearMemory {
  /** Views of the whole memory. They are replaced when the memory grows. */
  u8!: Uint8Array;
  i32!: Int32Array;
  f32!: Float32Array;
  f64!: Float64Array;
  /** The parameters of the next job; `layout.ts` has their indices. Replaced when the memory grows. */
  parameters!: Words;
  #end = RESERVED_BYTES;
  readonly #gaps: Gap[] = [];
  readonly #sizes = new Map<number, number>();

  constructor(readonly memory: WebAssembly.Memory) {
    this.#createViews();
  }

  #createViews(): void {
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.parameters = {
      i32: new Int32Array(buffer, Address.parameters, Size.parameterWords),
      f32: new Float32Array(buffer, Address.parameters, Size.parameterWords),
      f64: new Float64Array(buffer, Address.parameters, Size.parameterWords / 2),
    };
  }

  /** Allocates `bytes` bytes, which are not cleared, and gives their address. `what` names them in the error when they do not fit. */
  allocate(bytes: number, what: string): number {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const at = this.#takeFromGap(size) ?? this.#takeFromEnd(size, what);
    this.#sizes.set(at, size);
    return at;
  }

  #takeFromGap(size: number): number | null {
    const index = this.#gaps.findIndex((gap) => gap.bytes >= size);
    if (index < 0) return null;
    const gap = this.#gaps[index];
    const { at } = gap;
    gap.at += size;
    gap.bytes -= size;
    if (gap.bytes === 0) this.#gaps.splice(index, 1);
    return at;
  }

  #takeFromEnd(size: number, what: string): number {
    const last = this.#gaps.at(-1);
    const joins = last !== undefined && last.at + last.bytes === this.#end;
    const at = joins ? last.at : this.#end;
    this.#growTo(at + size, what);
    if (joins) this.#gaps.pop();
    this.#end = at + size;
    return at;
  }

  /** Grows the memory to at least `bytes`. */
  #growTo(bytes: number, what: string): void {
    const more = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
    if (more <= 0) return;
    try {
      if (bytes > MOST_BYTES) throw new RangeError();
      this.memory.grow(more);
    } catch {
      const limit = `expected at most ${MOST_BYTES} bytes of WebAssembly memory, as far as the system gives them`;
      throw new KernelError('out-of-memory', `wasm: ${what} does not fit: ${limit}, found ${bytes}`);
    }
    this.#createViews();
  }

  /** Frees an allocation. */
  free(at: number): void {
    const bytes = this.#sizes.get(at);
    if (bytes === undefined) return;
    this.#sizes.delete(at);
    let index = this.#gaps.findIndex((gap) => gap.at > at);
    if (index < 0) index = this.#gaps.length;
    this.#gaps.splice(index, 0, { at, bytes });
    this.#joinGaps(index);
    if (index > 0) this.#joinGaps(index - 1);
  }

  /** Joins a gap with the next one when they touch. */
  #joinGaps(index: number): void {
    const [gap, next] = [this.#gaps[index], this.#gaps[index + 1]];
    if (next === undefined || gap.at + gap.bytes !== next.at) return;
    gap.bytes += next.bytes;
    this.#gaps.splice(index + 1, 1);
  }
}
