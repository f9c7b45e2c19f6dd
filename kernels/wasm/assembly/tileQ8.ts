/**
 * Register tiles of x · weightᵀ for q8 weights: int8 codes, with a float32 scale for each row and block of 32 inputs.
 *
 * Activations are 7-bit codes with a step and a least value for each row and block (`prepare.ts`). With
 * x ≈ least + step · code, a block adds scale · (step · Σ code · weight + least · Σ weight). Both sums are exact integers. The
 * rest is float32 in the order of the blocks, which is the same for every tile. `Size.q8Block` says how a block is laid out.
 */
import { Address, Size } from '../layout';
import { madd } from './level';
import { prefetch, writeOutputs, writeUnit } from './tile';

/**
 * Adds the products of four inputs to the sums of four outputs: w is [4 outputs, 4 codes], x has four codes in every lane.
 *
 * Some processors have an instruction for it. Where there is none, the engine takes three, and makes a vector of ones for every
 * dot anew. `inSteps` is these three with `ones` in a register. All sums are exact, so both forms give the same bits.
 */
// @ts-ignore: decorator
@inline
export function dot(inSteps: bool, w: v128, x: v128, sum: v128, ones: v128): v128 {
  if (!inSteps) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  return i32x4.add(i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(w, x), ones), sum);
}

/** The strict dot of the codes of two outputs, widened to 16 bits: two half sums for each output. */
// @ts-ignore: decorator
@inline
export function dotHalves(w: v128, x: v128, sum: v128): v128 {
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
 * `rows` (2 to 6) rows by one panel, with the relaxed dot. The codes of x are [block, 8 groups, rows, 4 bytes], the steps
 * [block, rows, (step, least)]. For every block, prefetches `bytes` bytes of each of four panels, which start at `next`;
 * nothing when `bytes` is 0.
 */
// @ts-ignore: decorator
@inline
export function tileQ8(
  inSteps: bool, rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  const ones = v128.load(Address.ones);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero;
  for (; blocks > 0; blocks--) {
    if (bytes != 0) {
      prefetch(next, panel);
      prefetch(next + 38, panel);
      next += bytes;
    }
    let i0 = zero, i1 = zero, i2 = zero, i3 = zero, i4 = zero, i5 = zero;
    let j0 = zero, j1 = zero, j2 = zero, j3 = zero, j4 = zero, j5 = zero;
    for (const end = w + 256; w < end; w += 32) {
      const p = v128.load(w, Size.q8Codes);
      const q = v128.load(w, Size.q8Codes + 16);
      const s = v128.load_splat<i32>(x);
      i0 = dot(inSteps, p, s, i0, ones);
      j0 = dot(inSteps, q, s, j0, ones);
      const t = v128.load_splat<i32>(x, 4);
      i1 = dot(inSteps, p, t, i1, ones);
      j1 = dot(inSteps, q, t, j1, ones);
      if (rows > 2) {
        const t = v128.load_splat<i32>(x, 8);
        i2 = dot(inSteps, p, t, i2, ones);
        j2 = dot(inSteps, q, t, j2, ones);
      }
      if (rows > 3) {
        const t = v128.load_splat<i32>(x, 12);
        i3 = dot(inSteps, p, t, i3, ones);
        j3 = dot(inSteps, q, t, j3, ones);
      }
      if (rows > 4) {
        const t = v128.load_splat<i32>(x, 16);
        i4 = dot(inSteps, p, t, i4, ones);
        j4 = dot(inSteps, q, t, j4, ones);
      }
      if (rows > 5) {
        const t = v128.load_splat<i32>(x, 20);
        i5 = dot(inSteps, p, t, i5, ones);
        j5 = dot(inSteps, q, t, j5, ones);
      }
      x += <usize>rows << 2;
    }
    w -= 256;
    const p = v128.load(w);
    const q = v128.load(w, 16);
    const pSums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w, 32));
    const qSums = f32x4.convert_i32x4_s(v128.load_ext<i16>(w, 40));
    a0 = addBlock(i0, p, pSums, steps, a0);
    b0 = addBlock(j0, q, qSums, steps, b0);
    a1 = addBlock(i1, p, pSums, steps + 8, a1);
    b1 = addBlock(j1, q, qSums, steps + 8, b1);
    if (rows > 2) {
      a2 = addBlock(i2, p, pSums, steps + 16, a2);
      b2 = addBlock(j2, q, qSums, steps + 16, b2);
    }
    if (rows > 3) {
      a3 = addBlock(i3, p, pSums, steps + 24, a3);
      b3 = addBlock(j3, q, qSums, steps + 24, b3);
    }
    if (rows > 4) {
      a4 = addBlock(i4, p, pSums, steps + 32, a4);
      b4 = addBlock(j4, q, qSums, steps + 32, b4);
    }
    if (rows > 5) {
      a5 = addBlock(i5, p, pSums, steps + 40, a5);
      b5 = addBlock(j5, q, qSums, steps + 40, b5);
    }
    w += <usize>Size.q8Block;
    steps += <usize>rows << 3;
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  writeOutputs(a1, b1, stride, out, residual, valid);
  if (rows > 2) writeOutputs(a2, b2, stride * 2, out, residual, valid);
  if (rows > 3) writeOutputs(a3, b3, stride * 3, out, residual, valid);
  if (rows > 4) writeOutputs(a4, b4, stride * 4, out, residual, valid);
  if (rows > 5) writeOutputs(a5, b5, stride * 5, out, residual, valid);
}

/**
 * One row by four panels, `panel` bytes apart, with the relaxed dot. A core reads four sequences of addresses faster than one.
 * The start of the next unit, at `next`, is prefetched.
 */
// @ts-ignore: decorator
@inline
export function tileQ8One(
  inSteps: bool, w: usize, panel: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, valid: i32, next: usize,
): void {
  const ones = v128.load(Address.ones);
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
      i0 = dot(inSteps, v128.load(w + at, Size.q8Codes), s, i0, ones);
      j0 = dot(inSteps, v128.load(w + at, Size.q8Codes + 16), s, j0, ones);
      i1 = dot(inSteps, v128.load(w1 + at, Size.q8Codes), s, i1, ones);
      j1 = dot(inSteps, v128.load(w1 + at, Size.q8Codes + 16), s, j1, ones);
      i2 = dot(inSteps, v128.load(w2 + at, Size.q8Codes), s, i2, ones);
      j2 = dot(inSteps, v128.load(w2 + at, Size.q8Codes + 16), s, j2, ones);
      i3 = dot(inSteps, v128.load(w3 + at, Size.q8Codes), s, i3, ones);
      j3 = dot(inSteps, v128.load(w3 + at, Size.q8Codes + 16), s, j3, ones);
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
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
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
