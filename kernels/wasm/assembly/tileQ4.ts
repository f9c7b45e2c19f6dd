/**
 * Register tiles of x · weightᵀ for q4 weights: codes of 4 bits, with a bfloat16 scale for each row and block of 32 inputs.
 *
 * Activations are those of q8 (`tileQ8.ts`), and so are the sums of a block: scale · (step · Σ code · weight + least · Σ weight). Weights
 * are kept with 8 added, in 0 … 15, so Σ code · weight is Σ code · kept − 8 Σ code. `prepare.ts` computes −8 Σ code, and the sum starts
 * from there. Both sums are exact integers. The rest is float32 in the order of the blocks, which is the same for every tile.
 */
import { Address, Size } from '../layout';
import { shifted } from './blocks';
import { addBlock, joinHalves } from './tileQ8';
import { prefetch, writeOutputs, writeUnit } from './tile';

/** The mask of the lower halves of bytes. It is in memory, because V8 would build a constant anew at every use. */
const FIFTEENS: usize = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15]);

/** Where the starts of sums are: after the steps of all rows. */
// @ts-ignore: decorator
@inline
export function startsOf(steps: usize, rows: i32, inputs: i32): usize {
  return steps + (<usize>rows * <usize>((inputs + 31) >> 5) << 3);
}

/**
 * Stores what the sums of a row and block start from, for both lanes that are added to one output in the end: −4 times the sum of the
 * codes, as two numbers of 16 bits on the relaxed level and as one of 32 on the strict level.
 */
// @ts-ignore: decorator
@inline
export function storeStart(at: usize, codes: i32): void {
  const start = codes * -4;
  store<i32>(at, ASC_FEATURE_RELAXED_SIMD ? start << 16 | (start & 0xffff) : start);
}

/** Two codes of every byte, in 0 … 15: those of the first group and of the second. */
// @ts-ignore: decorator
@inline
function lower(w: v128, fifteens: v128): v128 {
  return v128.and(w, fifteens);
}

// @ts-ignore: decorator
@inline
function upper(w: v128, fifteens: v128): v128 {
  return v128.and(i16x8.shr_u(w, 4), fifteens);
}

/**
 * Adds the products of four inputs to the sums of four outputs, two lanes of 16 bits each. A block adds at most 8 · 2 · 15 · 127 to a
 * lane, so its sums fit 16 bits. On most processors that is an instruction less than sums of 32 bits.
 */
// @ts-ignore: decorator
@inline
function dot(w: v128, x: v128, sum: v128): v128 {
  return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(x, w));
}

/** `addBlock` of `tileQ8.ts`, with the scales and sums of four outputs that begin at `w`. */
// @ts-ignore: decorator
@inline
function addSums(w: v128, total: v128, step: usize, sum: v128): v128 {
  const sums = f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(w, 16), 16));
  return addBlock(total, v128.and(w, v128.load(Address.upperHalves)), sums, step, sum);
}

/** Lanes of 16 bits, added in pairs. */
// @ts-ignore: decorator
@inline
function wide(sum: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(sum);
}

/** Adds the products of four inputs to the half sums of outputs 0–1 (`low`) or 2–3 of a vector of codes. */
// @ts-ignore: decorator
@inline
function dotHalves(low: bool, w: v128, x: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(low ? i16x8.extend_low_i8x16_u(w) : i16x8.extend_high_i8x16_u(w), x));
}

/** One row by one panel, with the strict dot. A code of x is a word of 16 bits. */
function tileStrict(
  rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, valid: i32,
): void {
  const zero = f32x4.splat(0);
  const fifteens = v128.load(FIFTEENS);
  let a = zero, b = zero;
  for (; blocks > 0; blocks--) {
    let i = v128.load_splat<i32>(starts), j = i, k = i, l = i;
    for (let pair: usize = 0; pair < 128; pair += 32) {
      let p = v128.load(w + pair, Size.q4Codes);
      let q = v128.load(w + pair, Size.q4Codes + 16);
      for (let group = 0; group < 2; group++) {
        const c = lower(p, fifteens), d = lower(q, fifteens), s = v128.load_splat<i64>(x);
        i = dotHalves(true, c, s, i); j = dotHalves(false, c, s, j); k = dotHalves(true, d, s, k); l = dotHalves(false, d, s, l);
        p = i16x8.shr_u(p, 4);
        q = i16x8.shr_u(q, 4);
        x += <usize>rows << 3;
      }
    }
    a = addSums(v128.load(w), joinHalves(i, j), steps, a);
    b = addSums(v128.load(w, 16), joinHalves(k, l), steps, b);
    w += <usize>Size.q4Block;
    steps += <usize>rows << 3;
    starts += <usize>rows << 2;
  }
  writeOutputs(a, b, 0, out, residual, valid);
}

/**
 * One row, of a block of `rows` rows, by four panels, `panel` bytes apart. The codes of x are [block, 8 groups, rows, 4 codes], the steps
 * [block, rows, (step, least)], and the starts [block, rows]. The start of the next unit, at `next`, is prefetched.
 */
export function tileQ4(
  rows: i32, w: usize, panel: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, valid: i32, next: usize,
): void {
  if (!ASC_FEATURE_RELAXED_SIMD) {
    for (let at = 0; at < Size.unitOutputs && at < valid; at += Size.panelOutputs) {
      tileStrict(rows, w, x, steps, starts, blocks, out + (<usize>at << 2), shifted(residual, <usize>at << 2), valid - at);
      w += panel;
    }
    return;
  }
  const zero = f32x4.splat(0);
  const fifteens = v128.load(FIFTEENS);
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
    const start = v128.load_splat<i32>(starts);
    let i0 = start, i1 = start, i2 = start, i3 = start;
    let j0 = start, j1 = start, j2 = start, j3 = start;
    for (let at: usize = 0; at < 128; at += 32) {
      const s = v128.load_splat<i32>(x);
      x += <usize>rows << 2;
      const t = v128.load_splat<i32>(x);
      x += <usize>rows << 2;
      let p = v128.load(w + at, Size.q4Codes), q = v128.load(w + at, Size.q4Codes + 16);
      i0 = dot(upper(p, fifteens), t, dot(lower(p, fifteens), s, i0)); j0 = dot(upper(q, fifteens), t, dot(lower(q, fifteens), s, j0));
      p = v128.load(w1 + at, Size.q4Codes); q = v128.load(w1 + at, Size.q4Codes + 16);
      i1 = dot(upper(p, fifteens), t, dot(lower(p, fifteens), s, i1)); j1 = dot(upper(q, fifteens), t, dot(lower(q, fifteens), s, j1));
      p = v128.load(w2 + at, Size.q4Codes); q = v128.load(w2 + at, Size.q4Codes + 16);
      i2 = dot(upper(p, fifteens), t, dot(lower(p, fifteens), s, i2)); j2 = dot(upper(q, fifteens), t, dot(lower(q, fifteens), s, j2));
      p = v128.load(w3 + at, Size.q4Codes); q = v128.load(w3 + at, Size.q4Codes + 16);
      i3 = dot(upper(p, fifteens), t, dot(lower(p, fifteens), s, i3)); j3 = dot(upper(q, fifteens), t, dot(lower(q, fifteens), s, j3));
    }
    a0 = addSums(v128.load(w), wide(i0), steps, a0); b0 = addSums(v128.load(w, 16), wide(j0), steps, b0);
    a1 = addSums(v128.load(w1), wide(i1), steps, a1); b1 = addSums(v128.load(w1, 16), wide(j1), steps, b1);
    a2 = addSums(v128.load(w2), wide(i2), steps, a2); b2 = addSums(v128.load(w2, 16), wide(j2), steps, b2);
    a3 = addSums(v128.load(w3), wide(i3), steps, a3); b3 = addSums(v128.load(w3, 16), wide(j3), steps, b3);
    w += <usize>Size.q4Block;
    steps += <usize>rows << 3;
    starts += <usize>rows << 2;
  }
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
}
