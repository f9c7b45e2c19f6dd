/**
 * Products of rows that are mostly zero, as a relu leaves them, with float32 weights: only the inputs that some row of a block needs.
 *
 * Each output is the chain of multiply-adds of `tile.ts` without the links that change nothing. A link of a zero and a finite weight adds +0
 * or −0. That leaves every sum as it is but −0, and no sum is −0: it begins at +0, an exact sum of 0 is rounded to +0, and a sum that is
 * not 0 is not rounded to 0. For the last, products other than 0 must not be tiny: from 2⁻¹⁰⁰ they are multiples of 2⁻¹⁴⁷. So values
 * are asked for that are 0 or from 2⁻⁴⁰ (`listInputs`), and weights that are 0 or from 2⁻⁶⁰ (`arePlain`); elsewhere nothing is left out.
 */
import { PrepareParameter, Size } from '../layout';
import { blockStart, evenInputs, shifted } from './blocks';
import { word } from './control';
import { madd, SMALL, WIDE } from './level';
import { packRow } from './prepare';
import { writeOutputs, writeUnit } from './tile';
import { writePair } from './wide';

/**
 * One of so many inputs may be kept, or all are packed. Memory that is read here and there comes more slowly than memory that is read in
 * order, so with several rows fewer inputs are worth it, until there are so many rows that arithmetic is the limit.
 */
// @ts-ignore: decorator
@inline
function keptShare(rows: i32): i32 {
  if (rows <= 3 || rows > 32) return 5;
  return rows <= 8 ? 8 : 16;
}

/** 2⁻⁴⁰, 2⁻⁶⁰ and infinity as bits. */
// @ts-ignore: decorator
@inline
export const LEAST_VALUE: i32 = (127 - 40) << 23;
// @ts-ignore: decorator
@inline
export const LEAST_WEIGHT: i32 = (127 - 60) << 23;
// @ts-ignore: decorator
@inline
export const INFINITE: i32 = 255 << 23;

/**
 * The list of a block: the number of inputs that are kept, −1 where all are, and 32 times each of them, which is its place in a panel.
 * 0 where there are no lists.
 */
// @ts-ignore: decorator
@inline
export function listOf(lists: usize, inputs: i32, block: i32): usize {
  return lists == 0 ? 0 : lists + <usize>block * (<usize>(inputs + 1) << 2);
}

/** Whether there is a list, and inputs were left out. */
// @ts-ignore: decorator
@inline
export function leavesOut(list: usize): bool {
  return !SMALL && list != 0 && load<i32>(list) >= 0;
}

/** Packs a block of rows that may be mostly zero. */
export function keepBlock(block: i32): void {
  const rows = <i32>word(PrepareParameter.rows);
  const inputs = <i32>word(PrepareParameter.inputs);
  const count = <i32>word(PrepareParameter.floatBlocks);
  const start = blockStart(rows, count, block);
  const end = blockStart(rows, count, block + 1);
  const width = <usize>inputs << 2;
  const x = <usize>word(PrepareParameter.x) + <usize>start * width;
  const list = listOf(<usize>word(PrepareParameter.kept), inputs, block);
  const kept = listInputs(x, end - start, inputs, inputs / keptShare(rows), list + 4);
  store<i32>(list, kept);
  if (kept < 0) {
    for (let row = start; row < end; row++) packRow(row, inputs, <usize>word(PrepareParameter.x) + <usize>row * width);
    return;
  }
  let to = <usize>word(PrepareParameter.floatRows) + ((<usize>start * evenInputs(inputs)) << 2);
  for (let i: usize = 0; i < <usize>kept; i++) {
    let from = x + (<usize>load<u32>(list + 4 + (i << 2)) >> 3);
    for (let row = start; row < end; row++) {
      store<f32>(to, load<f32>(from));
      from += width;
      to += 4;
    }
  }
}

/**
 * Lists the inputs that are not zero in every row. Returns how many, or −1 where they are more than `count`, or where a value is tiny.
 */
function listInputs(x: usize, rows: i32, inputs: i32, count: i32, list: usize): i32 {
  const width = <usize>inputs << 2;
  const most = <usize>count << 2;
  const from = list;
  let tiny = i32x4.splat(0);
  for (let i: usize = 0; i < width; i += 16) {
    let any = sizesAt(x + i, width - i);
    for (let row = 1, at = x + i + width; row < rows; row++, at += width) any = v128.or(any, sizesAt(at, width - i));
    let bits = i32x4.bitmask(i32x4.ne(any, i32x4.splat(0)));
    if (bits == 0) continue;
    if (list - from > most) return -1;
    for (let row = 0, at = x + i; row < rows; row++, at += width) tiny = v128.or(tiny, between(sizesAt(at, width - i), LEAST_VALUE));
    for (; bits != 0; bits &= bits - 1, list += 4) store<u32>(list, (<u32>i + (<u32>ctz(bits) << 2)) << 3);
  }
  return list - from > most || v128.any_true(tiny) ? -1 : <i32>((list - from) >> 2);
}

/** The bits of four values without their signs; of fewer, where `left` bytes are less than four values, zeros follow. */
// @ts-ignore: decorator
@inline
export function sizesAt(at: usize, left: usize): v128 {
  const sizes = v128.and(v128.load(at), i32x4.splat(0x7fffffff));
  return left >= 16 ? sizes : v128.and(sizes, i32x4.gt_s(i32x4.splat(<i32>(left >> 2)), i32x4(0, 1, 2, 3)));
}

/** Lanes of which the size is above 0 and below another. */
// @ts-ignore: decorator
@inline
export function between(sizes: v128, least: i32): v128 {
  return v128.and(i32x4.gt_s(sizes, i32x4.splat(0)), i32x4.lt_s(sizes, i32x4.splat(least)));
}

/** One row by four panels, `panel` bytes apart. */
export function keptOne(w: usize, panel: usize, x: usize, list: usize, out: usize, residual: usize, valid: i32): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  const end = list + 4 + (<usize>load<i32>(list) << 2);
  for (list += 4; list < end; list += 4) {
    const s = v128.load_splat<f32>(x);
    const w0 = w + <usize>load<u32>(list);
    const w1 = w0 + panel;
    const w2 = w1 + panel;
    const w3 = w2 + panel;
    a0 = madd(s, v128.load(w0), a0); b0 = madd(s, v128.load(w0, 16), b0);
    a1 = madd(s, v128.load(w1), a1); b1 = madd(s, v128.load(w1, 16), b1);
    a2 = madd(s, v128.load(w2), a2); b2 = madd(s, v128.load(w2, 16), b2);
    a3 = madd(s, v128.load(w3), a3); b3 = madd(s, v128.load(w3, 16), b3);
    x += 4;
  }
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
}

/** A block of 2 to 6 rows by a panel, or by two: with few rows, or in wide modules. Three rows and more prefetch what lies `ahead` bytes further. */
export function keptBlock(
  rows: i32, w: usize, panel: usize, x: usize, list: usize, out: usize, residual: usize, stride: usize, valid: i32, ahead: usize,
): void {
  if (rows == 2) return keptPair(2, w, panel, x, list, out, residual, stride, valid);
  if (WIDE && rows == 3) return keptPair(3, w, panel, x, list, out, residual, stride, valid);
  for (let panels = WIDE ? 2 : 1; panels > 0 && valid > 0; panels--, valid -= Size.panelOutputs) {
    if (rows == 3) keptPanel(3, w, x, list, out, residual, stride, valid, ahead);
    else if (rows == 4) keptPanel(4, w, x, list, out, residual, stride, valid, ahead);
    else if (rows == 5) keptPanel(5, w, x, list, out, residual, stride, valid, ahead);
    else keptPanel(6, w, x, list, out, residual, stride, valid, ahead);
    w += panel;
    out += 32;
    residual = shifted(residual, 32);
  }
}

/** `rows` (2 or 3) rows by two panels: with one there would be too few chains to hide the latency of a multiply-add. */
// @ts-ignore: decorator
@inline
function keptPair(
  rows: i32, w: usize, panel: usize, x: usize, list: usize, out: usize, residual: usize, stride: usize, valid: i32,
): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, b0 = zero, b1 = zero, b2 = zero;
  let c0 = zero, c1 = zero, c2 = zero, d0 = zero, d1 = zero, d2 = zero;
  const end = list + 4 + (<usize>load<i32>(list) << 2);
  for (list += 4; list < end; list += 4) {
    const v = w + <usize>load<u32>(list);
    const u = v + panel;
    const p = v128.load(v), q = v128.load(v, 16), t = v128.load(u), r = v128.load(u, 16);
    let s = v128.load_splat<f32>(x); a0 = madd(s, p, a0); b0 = madd(s, q, b0); c0 = madd(s, t, c0); d0 = madd(s, r, d0);
    s = v128.load_splat<f32>(x, 4); a1 = madd(s, p, a1); b1 = madd(s, q, b1); c1 = madd(s, t, c1); d1 = madd(s, r, d1);
    if (rows > 2) { s = v128.load_splat<f32>(x, 8); a2 = madd(s, p, a2); b2 = madd(s, q, b2); c2 = madd(s, t, c2); d2 = madd(s, r, d2); }
    x += <usize>rows << 2;
  }
  writePair(a0, b0, c0, d0, 0, out, residual, valid);
  writePair(a1, b1, c1, d1, stride, out, residual, valid);
  if (rows > 2) writePair(a2, b2, c2, d2, stride * 2, out, residual, valid);
}

/** `rows` (3 to 6) rows by a panel. */
// @ts-ignore: decorator
@inline
function keptPanel(rows: i32, w: usize, x: usize, list: usize, out: usize, residual: usize, stride: usize, valid: i32, ahead: usize): void {
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero;
  const end = list + 4 + (<usize>load<i32>(list) << 2);
  for (list += 4; list < end; list += 4) {
    const v = w + <usize>load<u32>(list);
    atomic.load<u8>(v + ahead);
    const p = v128.load(v), q = v128.load(v, 16);
    let s = v128.load_splat<f32>(x); a0 = madd(s, p, a0); b0 = madd(s, q, b0);
    s = v128.load_splat<f32>(x, 4); a1 = madd(s, p, a1); b1 = madd(s, q, b1);
    s = v128.load_splat<f32>(x, 8); a2 = madd(s, p, a2); b2 = madd(s, q, b2);
    if (rows > 3) { s = v128.load_splat<f32>(x, 12); a3 = madd(s, p, a3); b3 = madd(s, q, b3); }
    if (rows > 4) { s = v128.load_splat<f32>(x, 16); a4 = madd(s, p, a4); b4 = madd(s, q, b4); }
    if (rows > 5) { s = v128.load_splat<f32>(x, 20); a5 = madd(s, p, a5); b5 = madd(s, q, b5); }
    x += <usize>rows << 2;
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  writeOutputs(a1, b1, stride, out, residual, valid);
  writeOutputs(a2, b2, stride * 2, out, residual, valid);
  if (rows > 3) writeOutputs(a3, b3, stride * 3, out, residual, valid);
  if (rows > 4) writeOutputs(a4, b4, stride * 4, out, residual, valid);
  if (rows > 5) writeOutputs(a5, b5, stride * 5, out, residual, valid);
}

/** Lanes of which the size is not 0 and tiny, or not finite. */
// @ts-ignore: decorator
@inline
export function notPlain(sizes: v128): v128 {
  return v128.or(between(sizes, LEAST_WEIGHT), i32x4.ge_s(sizes, i32x4.splat(INFINITE)));
}

/** Whether each of `count` float32 weights, a multiple of 4, is 0, or finite and not tiny. A small module says no: it leaves nothing out. */
export function arePlain(values: usize, count: usize): bool {
  if (SMALL) return false;
  let found = i32x4.splat(0);
  for (const end = values + (count << 2); values < end; values += 16) {
    found = v128.or(found, notPlain(sizesAt(values, 16)));
  }
  return !v128.any_true(found);
}
