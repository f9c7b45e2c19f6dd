import type { Backend, Dtype, Norm, Tensor, Weight } from '../../kernels';

/** One kernel on one shape, type and row count. */
export interface KernelCase {
  /** What the figures of different row counts share, e.g. `512 → 2048`. */
  readonly shape: string;
  readonly type: Dtype;
  readonly rows: number;
  /** Arithmetic operations a call; a multiplication and an addition are two. */
  readonly operations: number;
  /** Bytes a call must read and write at least: weights and caches once, activations in and out. */
  readonly bytes: number;
  /** One call; a promise it gives is awaited. */
  run(): unknown;
}

export interface BenchContext {
  readonly backend: Backend;
  readonly types: readonly Dtype[];
  readonly rows: readonly number[];
  /** Fewer shapes and less memory. */
  readonly quick: boolean;
}

/** A kernel's benchmark: its cases in a context. The backend is disposed of afterwards, and with it all boxes. */
export interface KernelBench {
  readonly name: string;
  /** What its figures count, in a sentence. */
  readonly note: string;
  cases(context: BenchContext): KernelCase[];
}

/** Three times a large last-level cache: weights in turn come from memory, as they do in decoding. */
const COLD_BYTES = 96 * 2 ** 20;

/** Pseudo-random values in ±1, quick to make. */
export function values(length: number): Float32Array {
  let state = 0x2545f491;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

export function tensor(backend: Backend, rows: number, cols: number): Tensor {
  const box = backend.tensor();
  backend.write(box, rows, cols, values(rows * cols));
  return box;
}

export function norm(backend: Backend, cols: number): Norm {
  return { gain: backend.vector(values(cols)), epsilon: 1e-6 };
}

/** Copies of a weight that are taken in turn, enough to be read from memory every time; one where time is short. */
export function weights(context: BenchContext, rows: number, cols: number, type: Dtype): () => Weight {
  const { backend, quick } = context;
  const bytes = backend.facts.weightBytes(rows, cols, type);
  const many = !quick && backend.facts.name !== 'reference' && backend.facts.name !== 'gpu';
  const count = many ? Math.ceil(COLD_BYTES / bytes) : 1;
  const source = values(rows * cols);
  const stored = new Uint8Array(source.buffer);
  const ring = Array.from({ length: count }, () => {
    const weight = backend.weight(rows, cols, type);
    backend.fill(weight, 0, stored, 'f32');
    return weight;
  });
  let turn = 0;
  return () => ring[turn++ % ring.length];
}
