/**
 * Register tiles of x · weightᵀ for q4 weights: codes of 4 bits, with a bfloat16 scale for each row and block of 32 inputs.
 *
 * Activations are those of q8 (`tileQ8.ts`), and so are the sums of a block: scale · (step · Σ code · weight + least · Σ weight). Weights
 * are kept with 8 added, in 0 … 15, so Σ code · weight is Σ code · kept − 8 Σ code. `prepare.ts` computes −8 Σ code, and the sum starts
 * from there. Both sums are exact integers. The rest is float32 in the order of the blocks, which is the same for every tile.
 */
import { Address, Size } from '../layout';
import { SMALL } from './level';
import { addBlock, dotHalves, joinHalves } from './tileQ8';
import { prefetch, writeOutputs, writeUnit } from './tile';

/** The mask of the lower halves of bytes. It is in memory, because V8 would build a constant anew at every use. */
export const FIFTEENS: usize = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15]);

/** Bytes from the step of a row and block to what its sums start from: starts lie after the steps of all rows. */
// @ts-ignore: decorator
@inline
export function startsAfter(rows: i32, inputs: i32): usize {
  return <usize>rows * <usize>((inputs + 31) >> 5) << 3;
}

/**
 * Stores what the sums of a row and block start from: −8 times the sum of the codes. On the relaxed level that is two numbers of 16 bits,
 * which are added in the end, and then one of 32 bits (`dot` takes either). The strict level adds two halves of 32 bits in the end.
 */
// @ts-ignore: decorator
@inline
export function storeStart(at: usize, codes: i32): void {
  const half = codes * -4;
  store<i32>(at, ASC_FEATURE_RELAXED_SIMD ? half << 16 | (half & 0xffff) : half);
  if (ASC_FEATURE_RELAXED_SIMD) store<i32>(at, half << 1, 4);
}

/** Two codes of every byte, in 0 … 15: those of the first group and of the second. */
// @ts-ignore: decorator
@inline
export function lower(w: v128, fifteens: v128): v128 {
  return v128.and(w, fifteens);
}

// @ts-ignore: decorator
@inline
export function upper(w: v128, fifteens: v128): v128 {
  return v128.and(i16x8.shr_u(w, 4), fifteens);
}

/**
 * Adds the products of four inputs to the sums of four outputs. Some processors have an instruction for it, with one lane of 32 bits for
 * an output. Where there is none (`inSteps`, see `dot` in `tileQ8.ts`), an output has two lanes of 16 bits: a block adds at most
 * 8 · 2 · 15 · 127 to a lane, so its sums fit, and that is an instruction less than sums of 32 bits. All sums are exact, so both forms give
 * the same bits.
 */
// @ts-ignore: decorator
@inline
export function dot(inSteps: bool, w: v128, x: v128, sum: v128): v128 {
  if (!inSteps) return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
  return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(x, w));
}

/** Lanes of 16 bits, added in pairs. */
// @ts-ignore: decorator
@inline
function wide(sum: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(sum);
}

/** What the sums of a row and block start from, which has its step at `step`. */
// @ts-ignore: decorator
@inline
export function startOf(inSteps: bool, step: usize, starts: usize): v128 {
  return inSteps ? v128.load_splat<i32>(step + starts) : v128.load_splat<i32>(step + starts, 4);
}

/** The sums of a block, as one lane of 32 bits for an output. */
// @ts-ignore: decorator
@inline
export function totalOf(inSteps: bool, sum: v128): v128 {
  return inSteps ? wide(sum) : sum;
}

/** The scales of four outputs, and the sums of their codes. */
// @ts-ignore: decorator
@inline
export function scalesOf(words: v128): v128 {
  return v128.and(words, v128.load(Address.upperHalves));
}

// @ts-ignore: decorator
@inline
export function sumsOf(words: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(words, 16), 16));
}

/** `addBlock` of `tileQ8.ts`, with the scales and sums of four outputs. */
// @ts-ignore: decorator
@inline
function addSums(words: v128, total: v128, step: usize, sum: v128): v128 {
  return addBlock(total, scalesOf(words), sumsOf(words), step, sum);
}

/**
 * One row, of a block of `rows` rows, by four panels, `panel` bytes apart. The codes of x are [block, 8 groups, rows, 4 codes], the steps
 * [block, rows, (step, least)], and what sums start from is `starts` bytes after a step. The start of the next unit, at
 * `next`, is prefetched. The dot is in steps.
 */
export function tileInSteps(
  rows: i32, w: usize, panel: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, valid: i32, next: usize,
): void {
  tileQ4(true, rows, w, panel, x, steps, starts, blocks, out, residual, valid, next);
}

/** The same with a dot of one instruction. */
export function tileWhole(
  rows: i32, w: usize, panel: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, valid: i32, next: usize,
): void {
  tileQ4(false, rows, w, panel, x, steps, starts, blocks, out, residual, valid, next);
}

// @ts-ignore: decorator
@inline
function tileQ4(
  inSteps: bool, rows: i32, w: usize, panel: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, valid: i32, next: usize,
): void {
  const zero = f32x4.splat(0);
  const fifteens = v128.load(FIFTEENS);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  for (; blocks > 0; blocks--) {
    if (!SMALL && blocks < 4) {
      prefetch(next, panel);
      prefetch(next + 64, panel);
      next += 128;
    }
    const w1 = w + panel;
    const w2 = w1 + panel;
    const w3 = w2 + panel;
    const start = startOf(inSteps, steps, starts);
    let i0 = start, i1 = start, i2 = start, i3 = start;
    let j0 = start, j1 = start, j2 = start, j3 = start;
    for (let at: usize = 0; at < 128; at += 32) {
      const s = v128.load_splat<i32>(x);
      x += <usize>rows << 2;
      const t = v128.load_splat<i32>(x);
      x += <usize>rows << 2;
      let p = v128.load(w + at, Size.q4Codes), q = v128.load(w + at, Size.q4Codes + 16);
      i0 = dot(inSteps, upper(p, fifteens), t, dot(inSteps, lower(p, fifteens), s, i0)); j0 = dot(inSteps, upper(q, fifteens), t, dot(inSteps, lower(q, fifteens), s, j0));
      p = v128.load(w1 + at, Size.q4Codes); q = v128.load(w1 + at, Size.q4Codes + 16);
      i1 = dot(inSteps, upper(p, fifteens), t, dot(inSteps, lower(p, fifteens), s, i1)); j1 = dot(inSteps, upper(q, fifteens), t, dot(inSteps, lower(q, fifteens), s, j1));
      p = v128.load(w2 + at, Size.q4Codes); q = v128.load(w2 + at, Size.q4Codes + 16);
      i2 = dot(inSteps, upper(p, fifteens), t, dot(inSteps, lower(p, fifteens), s, i2)); j2 = dot(inSteps, upper(q, fifteens), t, dot(inSteps, lower(q, fifteens), s, j2));
      p = v128.load(w3 + at, Size.q4Codes); q = v128.load(w3 + at, Size.q4Codes + 16);
      i3 = dot(inSteps, upper(p, fifteens), t, dot(inSteps, lower(p, fifteens), s, i3)); j3 = dot(inSteps, upper(q, fifteens), t, dot(inSteps, lower(q, fifteens), s, j3));
    }
    a0 = addSums(v128.load(w), totalOf(inSteps, i0), steps, a0); b0 = addSums(v128.load(w, 16), totalOf(inSteps, j0), steps, b0);
    a1 = addSums(v128.load(w1), totalOf(inSteps, i1), steps, a1); b1 = addSums(v128.load(w1, 16), totalOf(inSteps, j1), steps, b1);
    a2 = addSums(v128.load(w2), totalOf(inSteps, i2), steps, a2); b2 = addSums(v128.load(w2, 16), totalOf(inSteps, j2), steps, b2);
    a3 = addSums(v128.load(w3), totalOf(inSteps, i3), steps, a3); b3 = addSums(v128.load(w3, 16), totalOf(inSteps, j3), steps, b3);
    w += <usize>Size.q4Block;
    steps += <usize>rows << 3;
  }
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
}

/** `tileQ4Rows` for 1 or 2 rows, of a block of `blockRows` rows, with the strict dot. A code of x is a word of 16 bits. */
// @ts-ignore: decorator
@inline
export function tileQ4Strict(
  rows: i32, blockRows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize,
  valid: i32, next: usize, panel: usize, bytes: usize,
): void {
  const zero = f32x4.splat(0);
  const fifteens = v128.load(FIFTEENS);
  let a0 = zero, a1 = zero;
  let b0 = zero, b1 = zero;
  for (; blocks > 0; blocks--) {
    if (bytes != 0) {
      prefetch(next, panel);
      next += bytes;
    }
    let i0 = startOf(true, steps, starts), i1 = rows > 1 ? startOf(true, steps + 8, starts) : zero;
    let j0 = i0, j1 = i1, k0 = i0, k1 = i1, l0 = i0, l1 = i1;
    for (let pair: usize = 0; pair < 128; pair += 32) {
      let p = v128.load(w + pair, Size.q4Codes);
      let q = v128.load(w + pair, Size.q4Codes + 16);
      for (let group = 0; group < 2; group++) {
        const c = lower(p, fifteens), d = lower(q, fifteens);
        const pFirst = i16x8.extend_low_i8x16_u(c);
        const pSecond = i16x8.extend_high_i8x16_u(c);
        const qFirst = i16x8.extend_low_i8x16_u(d);
        const qSecond = i16x8.extend_high_i8x16_u(d);
        const s = v128.load_splat<i64>(x);
        i0 = dotHalves(pFirst, s, i0); j0 = dotHalves(pSecond, s, j0); k0 = dotHalves(qFirst, s, k0); l0 = dotHalves(qSecond, s, l0);
        if (rows > 1) {
          const t = v128.load_splat<i64>(x, 8);
          i1 = dotHalves(pFirst, t, i1); j1 = dotHalves(pSecond, t, j1); k1 = dotHalves(qFirst, t, k1); l1 = dotHalves(qSecond, t, l1);
        }
        p = i16x8.shr_u(p, 4);
        q = i16x8.shr_u(q, 4);
        x += <usize>blockRows << 3;
      }
    }
    const p = v128.load(w), q = v128.load(w, 16);
    const c = scalesOf(p), d = scalesOf(q), pSums = sumsOf(p), qSums = sumsOf(q);
    a0 = addBlock(joinHalves(i0, j0), c, pSums, steps, a0); b0 = addBlock(joinHalves(k0, l0), d, qSums, steps, b0);
    if (rows > 1) { a1 = addBlock(joinHalves(i1, j1), c, pSums, steps + 8, a1); b1 = addBlock(joinHalves(k1, l1), d, qSums, steps + 8, b1); }
    w += <usize>Size.q4Block;
    steps += <usize>blockRows << 3;
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  if (rows > 1) writeOutputs(a1, b1, stride, out, residual, valid);
}
