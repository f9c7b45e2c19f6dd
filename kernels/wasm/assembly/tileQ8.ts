/**
 * Register tiles of x · weightᵀ for q8 weights (int8 codes, a float32 scale for each row and block of 32 inputs).
 *
 * Activations are 7-bit codes with a scale and a least value for each row and block (`quantize.ts`): with
 * x ≈ least + step · code, a block adds scale · (step · Σ code · weight + least · Σ weight). Both sums are exact
 * integers; the rest is float32 in order of blocks, the same for every tile. A panel's block is
 * [8 scales f32][8 sums i16][8 groups of 4 inputs: 8 outputs × 4 codes], 304 bytes for 256 weights.
 */
import { CODE_BYTES, madd } from './level';
import { put, touch } from './tile';

/** Bytes of a panel for one block of 32 inputs. */
// @ts-ignore: decorator
@inline
export const Q8_PANEL_BLOCK: usize = 304;

/** Offset of the codes in a panel's block. */
// @ts-ignore: decorator
@inline
export const Q8_CODES: usize = 48;

/** Adds to four outputs' sums the products of four inputs: w [4 outputs, 4 codes], x four codes in every lane. */
// @ts-ignore: decorator
@inline
function dot(w: v128, x: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
}

/** The strict dot of two outputs' codes (already 16 bits wide): two half sums an output. */
// @ts-ignore: decorator
@inline
function dotHalves(w: v128, x: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x));
}

/** Joins the half sums of outputs 0–1 and 2–3. */
// @ts-ignore: decorator
@inline
function joinHalves(first: v128, second: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(first, second, 0, 2, 4, 6), v128.shuffle<i32>(first, second, 1, 3, 5, 7));
}

/** step · Σ code · weight + least · Σ weight, then times the weights' scale, onto `sum`. */
// @ts-ignore: decorator
@inline
function settle(total: v128, scales: v128, sums: v128, step: usize, sum: v128): v128 {
  const product = f32x4.mul(f32x4.convert_i32x4_s(total), v128.load_splat<f32>(step));
  return madd(madd(sums, v128.load_splat<f32>(step, 4), product), scales, sum);
}

/**
 * `rows` (1 to 4) rows by one panel, with the relaxed dot. x codes [block, 8 groups, rows, 4 bytes], steps
 * [block, rows, (step, least)].
 */
// @ts-ignore: decorator
@inline
export function tileQ8(
  rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  ahead: usize, panel: usize, pace: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  for (; blocks > 0; blocks--) {
    if (pace != 0) {
      touch(ahead, panel);
      touch(ahead + 38, panel);
      ahead += pace;
    }
    let i0 = zero, i1 = zero, i2 = zero, i3 = zero;
    let j0 = zero, j1 = zero, j2 = zero, j3 = zero;
    for (let group = 0; group < 8; group++) {
      const p = v128.load(w + (<usize>group << 5), Q8_CODES);
      const q = v128.load(w + (<usize>group << 5), Q8_CODES + 16);
      const s = v128.load_splat<i32>(x);
      i0 = dot(p, s, i0);
      j0 = dot(q, s, j0);
      if (rows > 1) {
        const t = v128.load_splat<i32>(x, 4);
        i1 = dot(p, t, i1);
        j1 = dot(q, t, j1);
      }
      if (rows > 2) {
        const t = v128.load_splat<i32>(x, 8);
        i2 = dot(p, t, i2);
        j2 = dot(q, t, j2);
      }
      if (rows > 3) {
        const t = v128.load_splat<i32>(x, 12);
        i3 = dot(p, t, i3);
        j3 = dot(q, t, j3);
      }
      x += <usize>rows << 2;
    }
    const p = v128.load(w);
    const q = v128.load(w, 16);
    const pSums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w, 32));
    const qSums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w, 40));
    a0 = settle(i0, p, pSums, steps, a0);
    b0 = settle(j0, q, qSums, steps, b0);
    if (rows > 1) {
      a1 = settle(i1, p, pSums, steps + 8, a1);
      b1 = settle(j1, q, qSums, steps + 8, b1);
    }
    if (rows > 2) {
      a2 = settle(i2, p, pSums, steps + 16, a2);
      b2 = settle(j2, q, qSums, steps + 16, b2);
    }
    if (rows > 3) {
      a3 = settle(i3, p, pSums, steps + 24, a3);
      b3 = settle(j3, q, qSums, steps + 24, b3);
    }
    w += Q8_PANEL_BLOCK;
    steps += <usize>rows << 3;
  }
  put(a0, b0, 0, out, residual, valid);
  if (rows > 1) put(a1, b1, stride, out, residual, valid);
  if (rows > 2) put(a2, b2, stride * 2, out, residual, valid);
  if (rows > 3) put(a3, b3, stride * 3, out, residual, valid);
}

/**
 * One row by four panels, `panel` bytes apart, with the relaxed dot: four streams of weights, as memory likes them.
 */
// @ts-ignore: decorator
@inline
export function tileQ8One(
  w: usize, panel: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, valid: i32, ahead: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  for (; blocks > 0; blocks--) {
    if (blocks < 4) {
      touch(ahead, panel);
      touch(ahead + 64, panel);
      ahead += 128;
    }
    const w1 = w + panel;
    const w2 = w1 + panel;
    const w3 = w2 + panel;
    let i0 = zero, i1 = zero, i2 = zero, i3 = zero;
    let j0 = zero, j1 = zero, j2 = zero, j3 = zero;
    for (let at: usize = 0; at < 256; at += 32) {
      const s = v128.load_splat<i32>(x);
      i0 = dot(v128.load(w + at, Q8_CODES), s, i0);
      j0 = dot(v128.load(w + at, Q8_CODES + 16), s, j0);
      i1 = dot(v128.load(w1 + at, Q8_CODES), s, i1);
      j1 = dot(v128.load(w1 + at, Q8_CODES + 16), s, j1);
      i2 = dot(v128.load(w2 + at, Q8_CODES), s, i2);
      j2 = dot(v128.load(w2 + at, Q8_CODES + 16), s, j2);
      i3 = dot(v128.load(w3 + at, Q8_CODES), s, i3);
      j3 = dot(v128.load(w3 + at, Q8_CODES + 16), s, j3);
      x += 4;
    }
    a0 = settleFour(w, i0, 0, steps, a0);
    b0 = settleFour(w, j0, 1, steps, b0);
    a1 = settleFour(w1, i1, 0, steps, a1);
    b1 = settleFour(w1, j1, 1, steps, b1);
    a2 = settleFour(w2, i2, 0, steps, a2);
    b2 = settleFour(w2, j2, 1, steps, b2);
    a3 = settleFour(w3, i3, 0, steps, a3);
    b3 = settleFour(w3, j3, 1, steps, b3);
    w += Q8_PANEL_BLOCK;
    steps += 8;
  }
  put(a0, b0, 0, out, residual, valid);
  if (valid > 8) put(a1, b1, 32, out, residual, valid - 8);
  if (valid > 16) put(a2, b2, 64, out, residual, valid - 16);
  if (valid > 24) put(a3, b3, 96, out, residual, valid - 24);
}

/** `settle` with the scales and sums of a panel's block, outputs 0–3 (`half` 0) or 4–7 (1). */
// @ts-ignore: decorator
@inline
function settleFour(w: usize, total: v128, half: usize, steps: usize, sum: v128): v128 {
  const sums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w + (half << 3), 32));
  return settle(total, v128.load(w + (half << 4)), sums, steps, sum);
}

/** As `tileQ8` for 1 or 2 rows with the strict dot; x codes [block, 8 groups, rows, 4 words]. Same bits of the sums. */
// @ts-ignore: decorator
@inline
export function tileQ8Strict(
  rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  ahead: usize, panel: usize, pace: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero;
  let b0 = zero, b1 = zero;
  for (; blocks > 0; blocks--) {
    if (pace != 0) {
      touch(ahead, panel);
      ahead += pace;
    }
    let i0 = zero, i1 = zero, j0 = zero, j1 = zero;
    let k0 = zero, k1 = zero, l0 = zero, l1 = zero;
    for (let group = 0; group < 8; group++) {
      const p = v128.load(w + (<usize>group << 5), Q8_CODES);
      const q = v128.load(w + (<usize>group << 5), Q8_CODES + 16);
      const pFirst = i16x8.extend_low_i8x16_s(p);
      const pSecond = i16x8.extend_high_i8x16_s(p);
      const qFirst = i16x8.extend_low_i8x16_s(q);
      const qSecond = i16x8.extend_high_i8x16_s(q);
      const s = v128.load_splat<i64>(x);
      i0 = dotHalves(pFirst, s, i0);
      j0 = dotHalves(pSecond, s, j0);
      k0 = dotHalves(qFirst, s, k0);
      l0 = dotHalves(qSecond, s, l0);
      if (rows > 1) {
        const t = v128.load_splat<i64>(x, 8);
        i1 = dotHalves(pFirst, t, i1);
        j1 = dotHalves(pSecond, t, j1);
        k1 = dotHalves(qFirst, t, k1);
        l1 = dotHalves(qSecond, t, l1);
      }
      x += <usize>rows << 3;
    }
    const p = v128.load(w);
    const q = v128.load(w, 16);
    const pSums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w, 32));
    const qSums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w, 40));
    a0 = settle(joinHalves(i0, j0), p, pSums, steps, a0);
    b0 = settle(joinHalves(k0, l0), q, qSums, steps, b0);
    if (rows > 1) {
      a1 = settle(joinHalves(i1, j1), p, pSums, steps + 8, a1);
      b1 = settle(joinHalves(k1, l1), q, qSums, steps + 8, b1);
    }
    w += Q8_PANEL_BLOCK;
    steps += <usize>rows << 3;
  }
  put(a0, b0, 0, out, residual, valid);
  if (rows > 1) put(a1, b1, stride, out, residual, valid);
}
