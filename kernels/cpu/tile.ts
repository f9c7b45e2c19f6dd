/**
 * Register tiles of x · wᵀ. Every output element is one float64 sum in order of the input index, whatever tile it falls
 * into: the same bits for any number of rows, and the reference's own. More than eight sums at a time spill registers
 * in V8 (measured: 4 × 2 sums 7 GFLOP/s, 4 × 4 5 GFLOP/s), float32 sums are widened and narrowed every step (1.4).
 */
export interface Tile {
  /** [rows, stride] */
  readonly out: Float32Array;
  readonly stride: number;
  /** [rows, inputs] */
  readonly x: Float64Array;
  readonly inputs: number;
  /** Weight rows, [outputs, inputs] from an offset on. */
  readonly w: Float32Array;
}

/** 4 rows × 2 outputs. */
export function tile4x2(t: Tile, row: number, column: number, offset: number): void {
  const { out, stride, x, inputs, w } = t;
  const x0 = row * inputs;
  const x1 = x0 + inputs;
  const x2 = x1 + inputs;
  const x3 = x2 + inputs;
  const w1 = offset + inputs;
  let a0 = 0;
  let a1 = 0;
  let b0 = 0;
  let b1 = 0;
  let c0 = 0;
  let c1 = 0;
  let d0 = 0;
  let d1 = 0;
  for (let i = 0; i < inputs; i++) {
    const u = w[offset + i];
    const v = w[w1 + i];
    let s = x[x0 + i];
    a0 += s * u;
    a1 += s * v;
    s = x[x1 + i];
    b0 += s * u;
    b1 += s * v;
    s = x[x2 + i];
    c0 += s * u;
    c1 += s * v;
    s = x[x3 + i];
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
  const x0 = row * inputs;
  const w1 = offset + inputs;
  const w2 = w1 + inputs;
  const w3 = w2 + inputs;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < inputs; i++) {
    const s = x[x0 + i];
    a += s * w[offset + i];
    b += s * w[w1 + i];
    c += s * w[w2 + i];
    d += s * w[w3 + i];
  }
  const o = row * stride + column;
  out[o] = a;
  out[o + 1] = b;
  out[o + 2] = c;
  out[o + 3] = d;
}

/** 1 row × 1 output: what is left at the edges. */
export function tile1x1(t: Tile, row: number, column: number, offset: number): void {
  const { x, inputs, w } = t;
  const x0 = row * inputs;
  let sum = 0;
  for (let i = 0; i < inputs; i++) sum += x[x0 + i] * w[offset + i];
  t.out[row * t.stride + column] = sum;
}
