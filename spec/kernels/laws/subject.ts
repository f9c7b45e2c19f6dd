import type { Backend, Bias, Dtype, KvCache, Logits, Plan, Tensor, Vector, Weight } from '../../../kernels';

/**
 * How far a backend may be from the reference; 0 means the same bits. A backend states its own figures and why.
 * Figures are factors of a scale that stands on each law.
 */
export interface BackendTolerance {
  /** Matrix products, by weight type; the keys are the types the backend must have. Of max|x| · Σ|w|. */
  readonly products: Readonly<Partial<Record<Dtype, number>>>;
  /** Norms and activations: of the result's size. */
  readonly elementwise: number;
  /** Attention: of the largest value in sight. */
  readonly attention: number;
  /** logSumExp: of max(1, |result|), against float64 over the backend's own logits. */
  readonly logSumExp: number;
  /** Generated cases a law; fewer for slow devices. Default 30. */
  readonly runs?: number;
}

/** A backend under its laws, beside the judge. */
export interface Subject {
  readonly name: string;
  /** Created before the first law runs. */
  readonly backend: () => Backend;
  readonly judge: () => Backend;
  /** Another backend of the same kind, whose boxes are foreign. */
  readonly create: () => Promise<Backend>;
  readonly tolerance: BackendTolerance;
  readonly types: readonly Dtype[];
  readonly runs: number;
}

/** Host values, [rows, cols]. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly values: Float32Array;
}

type Box = Tensor | Weight | Vector | Bias | KvCache | Plan | Logits;

/** Boxes of one backend that are freed together when a case is over. */
export class Boxes {
  readonly #held: Box[] = [];

  constructor(readonly backend: Backend) {}

  keep<T extends Box>(box: T): T {
    this.#held.push(box);
    return box;
  }

  out(): Tensor {
    return this.keep(this.backend.tensor());
  }

  tensor(matrix: Matrix): Tensor {
    const tensor = this.out();
    this.backend.write(tensor, matrix.rows, matrix.cols, matrix.values);
    return tensor;
  }

  weight(matrix: Matrix, type: Dtype): Weight {
    const weight = this.keep(this.backend.weight(matrix.rows, matrix.cols, type));
    this.backend.fill(weight, 0, bytesOf(matrix.values), 'f32');
    return weight;
  }

  norm(gain: Float32Array, epsilon = 1e-6): { gain: Vector; epsilon: number } {
    return { gain: this.keep(this.backend.vector(gain)), epsilon };
  }

  logits(): Logits {
    return this.keep(this.backend.logits());
  }

  free(): void {
    for (const box of this.#held.splice(0)) this.backend.free(box);
  }
}

/** Runs `body` and frees its boxes, also when it fails. */
export async function using<T>(backend: Backend, body: (boxes: Boxes) => Promise<T>): Promise<T> {
  const boxes = new Boxes(backend);
  try {
    return await body(boxes);
  } finally {
    boxes.free();
  }
}

export function bytesOf(values: Float32Array | Uint16Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Rows `indices` of a matrix, in that order. */
export function pickRows(matrix: Matrix, indices: readonly number[]): Matrix {
  const { cols } = matrix;
  const values = new Float32Array(indices.length * cols);
  indices.forEach((index, i) => {
    values.set(matrix.values.subarray(index * cols, (index + 1) * cols), i * cols);
  });
  return { rows: indices.length, cols, values };
}

/** Same bits, save that every NaN counts as the same. */
export function expectSameBits(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    if (!Object.is(found[i], expected[i])) throw new Error(`[${i}]: expected ${expected[i]}, found ${found[i]}`);
  }
}

/** |found − expected| ≤ tolerance · scale(i), element by element; with tolerance 0 the same bits. */
export function expectNear(
  found: Float32Array,
  expected: Float32Array,
  tolerance: number,
  scale: (index: number) => number,
): void {
  if (tolerance === 0) {
    expectSameBits(found, expected);
    return;
  }
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    if (Object.is(found[i], expected[i])) continue;
    const room = tolerance * scale(i) + 1e-37;
    if (!(Math.abs(found[i] - expected[i]) <= room)) {
      throw new Error(`[${i}]: expected ${expected[i]} ± ${room}, found ${found[i]}`);
    }
  }
}
