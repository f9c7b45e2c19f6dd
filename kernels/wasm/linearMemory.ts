import { KernelError } from '../errors';

/** Bytes at the foot of the memory: the control block and the compiled module's own constants. */
const FOOT = 65536;
const PAGE = 65536;
/** 32-bit addresses reach 65,536 pages; the last stays free, so that no box ends on an address of 0. */
const MOST_BYTES = 65535 * PAGE;
/** Cache lines: boxes do not share one. */
const ALIGNMENT = 64;

interface Gap {
  at: number;
  bytes: number;
}

/** Addresses in one WebAssembly memory: first fit over gaps in order of address, growing at the end. */
export class LinearMemory {
  /** Views over the whole memory, made anew when it grows. */
  u8!: Uint8Array;
  i32!: Int32Array;
  f32!: Float32Array;
  f64!: Float64Array;
  #end = FOOT;
  readonly #gaps: Gap[] = [];
  readonly #sizes = new Map<number, number>();

  constructor(readonly memory: WebAssembly.Memory) {
    this.#look();
  }

  #look(): void {
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /** Address of `bytes` bytes, not cleared. `what` names them should they not fit. */
  allocate(bytes: number, what: string): number {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const at = this.#fromGap(size) ?? this.#fromEnd(size, what);
    this.#sizes.set(at, size);
    return at;
  }

  #fromGap(size: number): number | null {
    const index = this.#gaps.findIndex((gap) => gap.bytes >= size);
    if (index < 0) return null;
    const gap = this.#gaps[index];
    const { at } = gap;
    gap.at += size;
    gap.bytes -= size;
    if (gap.bytes === 0) this.#gaps.splice(index, 1);
    return at;
  }

  #fromEnd(size: number, what: string): number {
    const last = this.#gaps.at(-1);
    const joins = last !== undefined && last.at + last.bytes === this.#end;
    const at = joins ? last.at : this.#end;
    this.#reach(at + size, what);
    if (joins) this.#gaps.pop();
    this.#end = at + size;
    return at;
  }

  /** Grows the memory to at least `bytes`. */
  #reach(bytes: number, what: string): void {
    const more = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
    if (more <= 0) return;
    try {
      if (bytes > MOST_BYTES) throw new RangeError();
      this.memory.grow(more);
    } catch {
      const limit = `expected at most ${MOST_BYTES} bytes of WebAssembly memory, as far as the system gives them`;
      throw new KernelError('out-of-memory', `wasm: ${what} does not fit: ${limit}, found ${bytes}`);
    }
    this.#look();
  }

  /** Gives an allocation back. */
  free(at: number): void {
    const bytes = this.#sizes.get(at);
    if (bytes === undefined) return;
    this.#sizes.delete(at);
    let index = this.#gaps.findIndex((gap) => gap.at > at);
    if (index < 0) index = this.#gaps.length;
    this.#gaps.splice(index, 0, { at, bytes });
    this.#join(index);
    if (index > 0) this.#join(index - 1);
  }

  /** Joins a gap with the next where they touch. */
  #join(index: number): void {
    const [gap, next] = [this.#gaps[index], this.#gaps[index + 1]];
    if (next === undefined || gap.at + gap.bytes !== next.at) return;
    gap.bytes += next.bytes;
    this.#gaps.splice(index + 1, 1);
  }
}
