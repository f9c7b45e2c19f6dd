/**
 * Register tiles of x · weightᵀ for q8 weights: int8 codes, with a float32 scale for each row and block of 32 inputs.
 *
 * Activations are 7-bit codes with a step and a least value for each row and block (`prepare.ts`). With
 * x ≈ least + step · code, a block adds scale · (step · Σ code · weight + least · Σ weight). Both sums are exact integers. The
 * rest is float32 in the order of the blocks, which is the same for every tile. `Size.q8Block` says how a block is laid out.
 */
import { Size } from '../layout';
import { madd } from './level';
import { prefetch, writeOutputs } from './tile';

/** Adds the products of four inputs to the sums of four outputs: w is [4 outputs, 4 codes], x has four codes in every lane. */
// @ts-ignore: decorator
@inline
function dot(w: v128, x: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
}

/** The strict dot of the codes of two outputs, widened to 16 bits: two half sums for each output. */
// @ts-ignore: decorator
@inline
function dotHalves(w: v128, x: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x));
}

/** Joins the half sums of outputs 0–1 and 2–3. */
// @ts-ignore: decorator
@inline
export function joinHalves(first: v128, second: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(first, second, 0, 2, 4, 6), v128.shuffle<i32>(first, second, 1, 3, 5, 7));
}

/** Adds one block to `sum`: (step · Σ code · weight + least · Σ weight) times the scales of the weights. */
// @ts-ignore: decorator
@inline
export function addBlock(total: v128, scales: v128, sums: v128, step: usize, sum: v128): v128 {
  const product = f32x4.mul(f32x4.convert_i32x4_s(total), v128.load_splat<f32>(step));
  return madd(madd(sums, v128.load_splat<f32>(step, 4), product), scales, sum);
}

/**
 * `rows` (1 to 4) rows by one panel, with the relaxed dot. The codes of x are [block, 8 groups, rows, 4 bytes], the steps
 * [block, rows, (step, least)]. For every block, prefetches `bytes` bytes of each of four panels, which start at `next`;
 * nothing when `bytes` is 0.
 */
// @ts-ignore: decorator
@inline
export function tileQ8(
  rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  for (; blocks > 0; blocks--) {
    if (bytes != 0) {
      prefetch(next, panel);
      prefetch(next + 38, panel);
      next += bytes;
    }
    let i0 = zero, i1 = zero, i2 = zero, i3 = zero;
    let j0 = zero, j1 = zero, j2 = zero, j3 = zero;
    for (let group = 0; group < 8; group++) {
      const p = v128.load(w + (<usize>group << 5), Size.q8Codes);
      const q = v128.load(w + (<usize>group << 5), Size.q8Codes + 16);
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
    a0 = addBlock(i0, p, pSums, steps, a0);
    b0 = addBlock(j0, q, qSums, steps, b0);
    if (rows > 1) {
      a1 = addBlock(i1, p, pSums, steps + 8, a1);
      b1 = addBlock(j1, q, qSums, steps + 8, b1);
    }
    if (rows > 2) {
      a2 = addBlock(i2, p, pSums, steps + 16, a2);
      b2 = addBlock(j2, q, qSums, steps + 16, b2);
    }
    if (rows > 3) {
      a3 = addBlock(i3, p, pSums, steps + 24, a3);
      b3 = addBlock(j3, q, qSums, steps + 24, b3);
    }
    w += <usize>Size.q8Block;
    steps += <usize>rows << 3;
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  if (rows > 1) writeOutputs(a1, b1, stride, out, residual, valid);
  if (rows > 2) writeOutputs(a2, b2, stride * 2, out, residual, valid);
  if (rows > 3) writeOutputs(a3, b3, stride * 3, out, residual, valid);
}

/**
 * One row by four panels, `panel` bytes apart, with the relaxed dot. A core reads four sequences of addresses faster than one.
 * The start of the next unit, at `next`, is prefetched.
 */
// @ts-ignore: decorator
@inline
export function tileQ8One(
  w: usize, panel: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, valid: i32, next: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  for (; blocks > 0; blocks--) {
    if (blocks < 4) {
      prefetch(next, panel);
      prefetch(next + 64, panel);
      next += 128;
    }
    const w1 = w + panel;
    const w2 = w1 + panel;
    const w3 = w2 + panel;
    let i0 = zero, i1 = zero, i2 = zero, i3 = zero;
    let j0 = zero, j1 = zero, j2 = zero, j3 = zero;
    for (let at: usize = 0; at < 256; at += 32) {
      const s = v128.load_splat<i32>(x);
      i0 = dot(v128.load(w + at, Size.q8Codes), s, i0);
      j0 = dot(v128.load(w + at, Size.q8Codes + 16), s, j0);
      i1 = dot(v128.load(w1 + at, Size.q8Codes), s, i1);
      j1 = dot(v128.load(w1 + at, Size.q8Codes + 16), s, j1);
      i2 = dot(v128.load(w2 + at, Size.q8Codes), s, i2);
      j2 = dot(v128.load(w2 + at, Size.q8Codes + 16), s, j2);
      i3 = dot(v128.load(w3 + at, Size.q8Codes), s, i3);
      j3 = dot(v128.load(w3 + at, Size.q8Codes + 16), s, j3);
      x += 4;
    }
    a0 = addBlockOfFour(w, i0, 0, steps, a0);
    b0 = addBlockOfFour(w, j0, 1, steps, b0);
    a1 = addBlockOfFour(w1, i1, 0, steps, a1);
    b1 = addBlockOfFour(w1, j1, 1, steps, b1);
    a2 = addBlockOfFour(w2, i2, 0, steps, a2);
    b2 = addBlockOfFour(w2, j2, 1, steps, b2);
    a3 = addBlockOfFour(w3, i3, 0, steps, a3);
    b3 = addBlockOfFour(w3, j3, 1, steps, b3);
    w += <usize>Size.q8Block;
    steps += 8;
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  if (valid > 8) writeOutputs(a1, b1, 32, out, residual, valid - 8);
  if (valid > 16) writeOutputs(a2, b2, 64, out, residual, valid - 16);
  if (valid > 24) writeOutputs(a3, b3, 96, out, residual, valid - 24);
}

/** `addBlock` with the scales and sums of outputs 0–3 (`half` 0) or 4–7 (`half` 1) of a block. */
// @ts-ignore: decorator
@inline
function addBlockOfFour(w: usize, total: v128, half: usize, steps: usize, sum: v128): v128 {
  const sums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w + (half << 3), 32));
  return addBlock(total, v128.load(w + (half << 4)), sums, steps, sum);
}

/** `tileQ8` for 1 or 2 rows with the strict dot. The codes of x are [block, 8 groups, rows, 4 words of 16 bits]. */
// @ts-ignore: decorator
@inline
export function tileQ8Strict(
  rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero;
  let b0 = zero, b1 = zero;
  for (; blocks > 0; blocks--) {
    if (bytes != 0) {
      prefetch(next, panel);
      next += bytes;
    }
    let i0 = zero, i1 = zero, j0 = zero, j1 = zero;
    let k0 = zero, k1 = zero, l0 = zero, l1 = zero;
    for (let group = 0; group < 8; group++) {
      const p = v128.load(w + (<usize>group << 5), Size.q8Codes);
      const q = v128.load(w + (<usize>group << 5), Size.q8Codes + 16);
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
    a0 = addBlock(joinHalves(i0, j0), p, pSums, steps, a0);
    b0 = addBlock(joinHalves(k0, l0), q, qSums, steps, b0);
    if (rows > 1) {
      a1 = addBlock(joinHalves(i1, j1), p, pSums, steps + 8, a1);
      b1 = addBlock(joinHalves(k1, l1), q, qSums, steps + 8, b1);
    }
    w += <usize>Size.q8Block;
    steps += <usize>rows << 3;
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  if (rows > 1) writeOutputs(a1, b1, stride, out, residual, valid);
}
