/**
 * Register tiles of x · wᵀ. Every output element is one float64 sum in the order of the input index, whichever tile computes
 * it. So its bits do not depend on the number of rows, and they are those of the reference.
 *
 * What is fast in V8, measured on one core:
 * - Eight sums at a time: a 4 × 2 tile reaches 5.8 GFLOP/s. A 4 × 4 tile needs more registers than there are: 4.4.
 * - `| 0` on indices, which removes overflow checks: from 5.1 to 5.8 GFLOP/s for the 4 × 2 tile.
 * - Four inputs a loop step where the loop has little work: from 2.9 to 3.8 GFLOP/s for the 1 × 4 tile.
 * - Float64 sums: V8 converts a float32 sum to float64 and back in every step, which leaves 1.4 GFLOP/s.
 */
export interface Tile {
  /** [rows, stride] */
  readonly out: Float32Array;
  readonly stride: number;
  /** [rows, inputs] */
  readonly x: Float64Array;
  readonly inputs: number;
  /** Weight rows, [outputs, inputs], which start at an offset. */
  readonly w: Float32Array;
}

/** 4 rows × 2 outputs. */
export function tile4x2(t: Tile, row: number, column: number, offset: number): void {
  const { out, stride, x, inputs, w } = t;
  const x0 = row * inputs;
  const x1 = (x0 + inputs) | 0;
  const x2 = (x1 + inputs) | 0;
  const x3 = (x2 + inputs) | 0;
  const w1 = (offset + inputs) | 0;
  let a0 = 0;
  let a1 = 0;
  let b0 = 0;
  let b1 = 0;
  let c0 = 0;
  let c1 = 0;
  let d0 = 0;
  let d1 = 0;
  for (let i = 0; i < inputs; i = (i + 1) | 0) {
    const u = w[(offset + i) | 0];
    const v = w[(w1 + i) | 0];
    let s = x[(x0 + i) | 0];
    a0 += s * u;
    a1 += s * v;
    s = x[(x1 + i) | 0];
    b0 += s * u;
    b1 += s * v;
    s = x[(x2 + i) | 0];
    c0 += s * u;
    c1 += s * v;
    s = x[(x3 + i) | 0];
    d0 += s * u;
    d1 += s * v;
  }
  let o = row * stride + column;
  out[o] = a0;
  out[o + 1] = a1;
  o += stride;
  out[o] = b0;
  out[o + 1] = b1;
  o += stride;
  out[o] = c0;
  out[o + 1] = c1;
  o += stride;
  out[o] = d0;
  out[o + 1] = d1;
}

/** 1 row × 4 outputs. */
export function tile1x4(t: Tile, row: number, column: number, offset: number): void {
  const { out, stride, x, inputs, w } = t;
  let i = row * inputs;
  const end = i + inputs;
  const fours = end - (inputs & 3);
  let k = offset;
  let l = (k + inputs) | 0;
  let m = (l + inputs) | 0;
  let n = (m + inputs) | 0;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (; i < fours; i = (i + 4) | 0) {
    const p = x[i];
    const q = x[(i + 1) | 0];
    const r = x[(i + 2) | 0];
    const s = x[(i + 3) | 0];
    a = a + p * w[k] + q * w[(k + 1) | 0] + r * w[(k + 2) | 0] + s * w[(k + 3) | 0];
    b = b + p * w[l] + q * w[(l + 1) | 0] + r * w[(l + 2) | 0] + s * w[(l + 3) | 0];
    c = c + p * w[m] + q * w[(m + 1) | 0] + r * w[(m + 2) | 0] + s * w[(m + 3) | 0];
    d = d + p * w[n] + q * w[(n + 1) | 0] + r * w[(n + 2) | 0] + s * w[(n + 3) | 0];
    k = (k + 4) | 0;
    l = (l + 4) | 0;
    m = (m + 4) | 0;
    n = (n + 4) | 0;
  }
  for (; i < end; i++, k++, l++, m++, n++) {
    a += x[i] * w[k];
    b += x[i] * w[l];
    c += x[i] * w[m];
    d += x[i] * w[n];
  }
  const o = row * stride + column;
  out[o] = a;
  out[o + 1] = b;
  out[o + 2] = c;
  out[o + 3] = d;
}

/** 1 row × 1 output, for the edges of the matrix. */
export function tile1x1(t: Tile, row: number, column: number, offset: number): void {
  const { x, inputs, w } = t;
  const x0 = row * inputs;
  let sum = 0;
  for (let i = 0; i < inputs; i++) sum += x[x0 + i] * w[offset + i];
  t.out[row * t.stride + column] = sum;
}
