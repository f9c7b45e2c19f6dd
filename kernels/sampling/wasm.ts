import { BLOCK } from '../shared/queries';
import type { Exports } from '../wasm/instance';
import { compileLevel, instantiate, probeLevel } from '../wasm/level';
import { LinearMemory } from '../wasm/linearMemory';

/** Words of a counter and of a key, as Philox has them; the second word of the counter is the index of the number. */
export interface NumberRow {
  readonly first: number;
  readonly third: number;
  readonly fourth: number;
  readonly key: readonly [number, number];
}

/**
 * The arithmetic of sampling over a vocabulary, in WebAssembly. Every answer has the bits that the functions of `decoding/sampling`
 * compute in JavaScript, at any level and in any engine: nothing is fused, and sums go over their terms in order.
 */
export interface SamplingKernel {
  /**
   * e^((score − largest) / temperature) / Σ, [vocabulary]; null where a score is NaN or +∞, and where all are −∞.
   *
   * @param scores [vocabulary]
   * @param temperature above 0
   */
  softmax(scores: Float32Array | Float64Array, temperature: number): Float64Array | null;
  /** The largest score of each `BLOCK` tokens, [count / BLOCK, rounded up]; null where `softmax` is. */
  blockTops(scores: Float32Array): Float32Array | null;
  /** Uniform numbers in [0, 1) of 53 bits, by Philox 4×32-10, [count]. */
  uniforms(count: number, row: NumberRow): Float64Array;
}

let opening: Promise<void> | null = null;
let opened: SamplingKernel | null = null;

/** Compiles the kernel, once. Where the engine does not run it, `samplingKernel` stays null. */
export function openSamplingKernel(): Promise<void> {
  opening ??= open();
  return opening;
}

/** The kernel once it is open; null before, and in an engine without WebAssembly or SIMD. */
export function samplingKernel(): SamplingKernel | null {
  return opened;
}

async function open(): Promise<void> {
  if (typeof WebAssembly === 'undefined' || !(await probeLevel('simd')).works) return;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  const exports = instantiate(await compileLevel('simd', false), memory);
  opened = kernelOver(new LinearMemory(memory), exports);
}

/** Places for the scores, the probabilities or numbers, and the largest scores of the blocks of a vocabulary. */
class Room {
  from = 0;
  to = 0;
  tops = 0;
  private count = 0;

  constructor(private readonly memory: LinearMemory) {}

  reserve(count: number): void {
    if (count <= this.count) return;
    for (const at of [this.from, this.to, this.tops]) this.memory.free(at);
    this.count = 0;
    this.from = this.memory.allocate(count * 4, `scores of ${count} tokens`);
    this.to = this.memory.allocate(count * 8, `probabilities of ${count} tokens`);
    this.tops = this.memory.allocate(Math.ceil(count / BLOCK) * 4, `largest scores of ${count} tokens`);
    this.count = count;
  }
}

function kernelOver(memory: LinearMemory, arithmetic: Exports): SamplingKernel {
  const room = new Room(memory);
  /** Puts float32 scores in place, padded with −∞ to a multiple of `by`. */
  const place = (scores: Float32Array, by: number): number => {
    const { length: count } = scores;
    const padded = Math.ceil(count / by) * by;
    room.reserve(padded);
    const { f32 } = memory;
    f32.set(scores, room.from >>> 2);
    f32.fill(Number.NEGATIVE_INFINITY, (room.from >>> 2) + count, (room.from >>> 2) + padded);
    return padded;
  };
  const answer = (count: number): Float64Array => memory.f64.slice(room.to >>> 3, (room.to >>> 3) + count);
  return {
    softmax(scores, temperature) {
      const count = scores.length;
      if (scores instanceof Float32Array) {
        const padded = place(scores, 4);
        const best = arithmetic.largest32(room.from, padded);
        if (best < 0) return null;
        arithmetic.widen(room.from, padded, room.to);
        arithmetic.softmax(room.to, padded, best, temperature);
        return answer(count);
      }
      const padded = Math.ceil(count / 4) * 4;
      room.reserve(padded);
      memory.f64.set(scores, room.to >>> 3);
      memory.f64.fill(Number.NEGATIVE_INFINITY, (room.to >>> 3) + count, (room.to >>> 3) + padded);
      const best = arithmetic.largest64(room.to, padded);
      if (best < 0) return null;
      arithmetic.softmax(room.to, padded, best, temperature);
      return answer(count);
    },
    blockTops(scores) {
      const padded = place(scores, BLOCK);
      if (arithmetic.blockTops(room.from, padded, room.tops) < 0) return null;
      const tops = memory.f32.slice(room.tops >>> 2, (room.tops >>> 2) + padded / BLOCK);
      return tops.some((top) => top > Number.NEGATIVE_INFINITY) ? tops : null;
    },
    uniforms(count, { first, third, fourth, key }) {
      const padded = Math.ceil(count / 8) * 8;
      room.reserve(padded);
      arithmetic.uniforms(room.to, padded, first, third, fourth, key[0], key[1]);
      return answer(count);
    },
  };
}
