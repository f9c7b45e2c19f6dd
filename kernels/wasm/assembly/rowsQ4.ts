/**
 * Tiles of several rows of x · weightᵀ for q4 weights, with the relaxed dot. Codes are taken apart once for all rows. Each output is the same
 * chain of operations as in `tileQ4.ts`, so it has the same bits. `inSteps` and `rows` are constants at every call.
 */
import { Size } from '../layout';
import { shifted } from './blocks';
import { WIDE } from './level';
import { prefetch, writeOutputs } from './tile';
import { dot, FIFTEENS, lower, scalesOf, startOf, sumsOf, totalOf, upper } from './tileQ4';
import { addBlock } from './tileQ8';
import { writePair } from './wide';

/** Panels that a block of rows is multiplied with at a time. */
// @ts-ignore: decorator
@inline
export const ROW_PANELS: i32 = WIDE ? 2 : 1;

/**
 * A block of `rows` (2 to 6) rows by one panel. For every block of inputs, prefetches `bytes` (at most 64) bytes of each of four panels, which start at `next`; nothing when `bytes` is 0.
 */
// @ts-ignore: decorator
@inline
function tileRows(
  inSteps: bool, rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize,
  valid: i32, next: usize, panel: usize, bytes: usize,
): void {
  const zero = f32x4.splat(0);
  const fifteens = v128.load(FIFTEENS);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero;
  for (; blocks > 0; blocks--) {
    if (bytes != 0) {
      prefetch(next, panel);
      next += bytes;
    }
    let i0 = startOf(inSteps, steps, starts), i1 = startOf(inSteps, steps + 8, starts), i2 = zero, i3 = zero, i4 = zero, i5 = zero;
    if (rows > 2) i2 = startOf(inSteps, steps + 16, starts);
    if (rows > 3) i3 = startOf(inSteps, steps + 24, starts);
    if (rows > 4) i4 = startOf(inSteps, steps + 32, starts);
    if (rows > 5) i5 = startOf(inSteps, steps + 40, starts);
    let j0 = i0, j1 = i1, j2 = i2, j3 = i3, j4 = i4, j5 = i5;
    for (const end = w + 128; w < end; w += 32) {
      const p = v128.load(w, Size.q4Codes), q = v128.load(w, Size.q4Codes + 16);
      let c = lower(p, fifteens), d = lower(q, fifteens), s: v128;
      s = v128.load_splat<i32>(x); i0 = dot(inSteps, c, s, i0); j0 = dot(inSteps, d, s, j0);
      s = v128.load_splat<i32>(x, 4); i1 = dot(inSteps, c, s, i1); j1 = dot(inSteps, d, s, j1);
      if (rows > 2) { s = v128.load_splat<i32>(x, 8); i2 = dot(inSteps, c, s, i2); j2 = dot(inSteps, d, s, j2); }
      if (rows > 3) { s = v128.load_splat<i32>(x, 12); i3 = dot(inSteps, c, s, i3); j3 = dot(inSteps, d, s, j3); }
      if (rows > 4) { s = v128.load_splat<i32>(x, 16); i4 = dot(inSteps, c, s, i4); j4 = dot(inSteps, d, s, j4); }
      if (rows > 5) { s = v128.load_splat<i32>(x, 20); i5 = dot(inSteps, c, s, i5); j5 = dot(inSteps, d, s, j5); }
      x += <usize>rows << 2;
      c = upper(p, fifteens); d = upper(q, fifteens);
      s = v128.load_splat<i32>(x); i0 = dot(inSteps, c, s, i0); j0 = dot(inSteps, d, s, j0);
      s = v128.load_splat<i32>(x, 4); i1 = dot(inSteps, c, s, i1); j1 = dot(inSteps, d, s, j1);
      if (rows > 2) { s = v128.load_splat<i32>(x, 8); i2 = dot(inSteps, c, s, i2); j2 = dot(inSteps, d, s, j2); }
      if (rows > 3) { s = v128.load_splat<i32>(x, 12); i3 = dot(inSteps, c, s, i3); j3 = dot(inSteps, d, s, j3); }
      if (rows > 4) { s = v128.load_splat<i32>(x, 16); i4 = dot(inSteps, c, s, i4); j4 = dot(inSteps, d, s, j4); }
      if (rows > 5) { s = v128.load_splat<i32>(x, 20); i5 = dot(inSteps, c, s, i5); j5 = dot(inSteps, d, s, j5); }
      x += <usize>rows << 2;
    }
    w -= 128;
    const p = v128.load(w), q = v128.load(w, 16);
    const c = scalesOf(p), d = scalesOf(q), pSums = sumsOf(p), qSums = sumsOf(q);
    a0 = addBlock(totalOf(inSteps, i0), c, pSums, steps, a0); b0 = addBlock(totalOf(inSteps, j0), d, qSums, steps, b0);
    a1 = addBlock(totalOf(inSteps, i1), c, pSums, steps + 8, a1); b1 = addBlock(totalOf(inSteps, j1), d, qSums, steps + 8, b1);
    if (rows > 2) { a2 = addBlock(totalOf(inSteps, i2), c, pSums, steps + 16, a2); b2 = addBlock(totalOf(inSteps, j2), d, qSums, steps + 16, b2); }
    if (rows > 3) { a3 = addBlock(totalOf(inSteps, i3), c, pSums, steps + 24, a3); b3 = addBlock(totalOf(inSteps, j3), d, qSums, steps + 24, b3); }
    if (rows > 4) { a4 = addBlock(totalOf(inSteps, i4), c, pSums, steps + 32, a4); b4 = addBlock(totalOf(inSteps, j4), d, qSums, steps + 32, b4); }
    if (rows > 5) { a5 = addBlock(totalOf(inSteps, i5), c, pSums, steps + 40, a5); b5 = addBlock(totalOf(inSteps, j5), d, qSums, steps + 40, b5); }
    w += <usize>Size.q4Block;
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
 * A block of `rows` (2 to 4) rows by two panels, where V8 joins pairs of operations: one panel has too few sums at a time there to hide
 * the latency of a dot. For every block of inputs, prefetches twice `bytes` bytes of each of four panels.
 */
// @ts-ignore: decorator
@inline
function tilePair(
  inSteps: bool, rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize,
  valid: i32, next: usize, panel: usize, bytes: usize,
): void {
  const zero = f32x4.splat(0);
  const fifteens = v128.load(FIFTEENS);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  let c0 = zero, c1 = zero, c2 = zero, c3 = zero;
  let d0 = zero, d1 = zero, d2 = zero, d3 = zero;
  for (; blocks > 0; blocks--) {
    if (bytes != 0) {
      prefetch(next, panel);
      prefetch(next + bytes, panel);
      next += bytes << 1;
    }
    let i0 = startOf(inSteps, steps, starts), i1 = startOf(inSteps, steps + 8, starts), i2 = zero, i3 = zero;
    if (rows > 2) i2 = startOf(inSteps, steps + 16, starts);
    if (rows > 3) i3 = startOf(inSteps, steps + 24, starts);
    let j0 = i0, j1 = i1, j2 = i2, j3 = i3, k0 = i0, k1 = i1, k2 = i2, k3 = i3, l0 = i0, l1 = i1, l2 = i2, l3 = i3;
    for (const end = w + 128; w < end; w += 32) {
      const v = w + panel;
      const p = v128.load(w, Size.q4Codes), q = v128.load(w, Size.q4Codes + 16), t = v128.load(v, Size.q4Codes), u = v128.load(v, Size.q4Codes + 16);
      let c = lower(p, fifteens), d = lower(q, fifteens), e = lower(t, fifteens), f = lower(u, fifteens), s: v128;
      s = v128.load_splat<i32>(x, 0); i0 = dot(inSteps, c, s, i0); j0 = dot(inSteps, d, s, j0); k0 = dot(inSteps, e, s, k0); l0 = dot(inSteps, f, s, l0);
      s = v128.load_splat<i32>(x, 4); i1 = dot(inSteps, c, s, i1); j1 = dot(inSteps, d, s, j1); k1 = dot(inSteps, e, s, k1); l1 = dot(inSteps, f, s, l1);
      if (rows > 2) { s = v128.load_splat<i32>(x, 8); i2 = dot(inSteps, c, s, i2); j2 = dot(inSteps, d, s, j2); k2 = dot(inSteps, e, s, k2); l2 = dot(inSteps, f, s, l2); }
      if (rows > 3) { s = v128.load_splat<i32>(x, 12); i3 = dot(inSteps, c, s, i3); j3 = dot(inSteps, d, s, j3); k3 = dot(inSteps, e, s, k3); l3 = dot(inSteps, f, s, l3); }
      x += <usize>rows << 2;
      c = upper(p, fifteens); d = upper(q, fifteens); e = upper(t, fifteens); f = upper(u, fifteens);
      s = v128.load_splat<i32>(x, 0); i0 = dot(inSteps, c, s, i0); j0 = dot(inSteps, d, s, j0); k0 = dot(inSteps, e, s, k0); l0 = dot(inSteps, f, s, l0);
      s = v128.load_splat<i32>(x, 4); i1 = dot(inSteps, c, s, i1); j1 = dot(inSteps, d, s, j1); k1 = dot(inSteps, e, s, k1); l1 = dot(inSteps, f, s, l1);
      if (rows > 2) { s = v128.load_splat<i32>(x, 8); i2 = dot(inSteps, c, s, i2); j2 = dot(inSteps, d, s, j2); k2 = dot(inSteps, e, s, k2); l2 = dot(inSteps, f, s, l2); }
      if (rows > 3) { s = v128.load_splat<i32>(x, 12); i3 = dot(inSteps, c, s, i3); j3 = dot(inSteps, d, s, j3); k3 = dot(inSteps, e, s, k3); l3 = dot(inSteps, f, s, l3); }
      x += <usize>rows << 2;
    }
    w -= 128;
    const v = w + panel;
    const p = v128.load(w), q = v128.load(w, 16), t = v128.load(v), u = v128.load(v, 16);
    const c = scalesOf(p), d = scalesOf(q), e = scalesOf(t), f = scalesOf(u), pSums = sumsOf(p), qSums = sumsOf(q), tSums = sumsOf(t), uSums = sumsOf(u);
    a0 = addBlock(totalOf(inSteps, i0), c, pSums, steps + 0, a0); b0 = addBlock(totalOf(inSteps, j0), d, qSums, steps + 0, b0); c0 = addBlock(totalOf(inSteps, k0), e, tSums, steps + 0, c0); d0 = addBlock(totalOf(inSteps, l0), f, uSums, steps + 0, d0);
    a1 = addBlock(totalOf(inSteps, i1), c, pSums, steps + 8, a1); b1 = addBlock(totalOf(inSteps, j1), d, qSums, steps + 8, b1); c1 = addBlock(totalOf(inSteps, k1), e, tSums, steps + 8, c1); d1 = addBlock(totalOf(inSteps, l1), f, uSums, steps + 8, d1);
    if (rows > 2) { a2 = addBlock(totalOf(inSteps, i2), c, pSums, steps + 16, a2); b2 = addBlock(totalOf(inSteps, j2), d, qSums, steps + 16, b2); c2 = addBlock(totalOf(inSteps, k2), e, tSums, steps + 16, c2); d2 = addBlock(totalOf(inSteps, l2), f, uSums, steps + 16, d2); }
    if (rows > 3) { a3 = addBlock(totalOf(inSteps, i3), c, pSums, steps + 24, a3); b3 = addBlock(totalOf(inSteps, j3), d, qSums, steps + 24, b3); c3 = addBlock(totalOf(inSteps, k3), e, tSums, steps + 24, c3); d3 = addBlock(totalOf(inSteps, l3), f, uSums, steps + 24, d3); }
    w += <usize>Size.q4Block;
    steps += <usize>rows << 3;
  }
  writePair(a0, b0, c0, d0, 0, out, residual, valid);
  writePair(a1, b1, c1, d1, stride, out, residual, valid);
  if (rows > 2) writePair(a2, b2, c2, d2, stride * 2, out, residual, valid);
  if (rows > 3) writePair(a3, b3, c3, d3, stride * 3, out, residual, valid);
}

/** A block of `rows` (2 to 6) rows by `ROW_PANELS` panels. */
// @ts-ignore: decorator
@inline
function block(
  inSteps: bool, rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (!WIDE) {
    tileRows(inSteps, rows, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  } else if (rows < 4 || (inSteps && rows == 4)) {
    tilePair(inSteps, rows, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  } else {
    const end = valid - 2 * Size.panelOutputs;
    for (let left = valid; left > 0 && left > end; left -= Size.panelOutputs) {
      tileRows(inSteps, rows, w, x, steps, starts, blocks, out, residual, stride, left, next, panel, bytes);
      w += panel;
      out += 32;
      residual = shifted(residual, 32);
      next += bytes * <usize>blocks;
    }
  }
}

// Each tile is a function of its own: where two are arms of one branch, the compiler joins them and asks for the rows in the loop.

function steps2(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(true, 2, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function steps3(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(true, 3, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function steps4(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(true, 4, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function steps5(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(true, 5, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function steps6(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(true, 6, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function whole2(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(false, 2, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function whole3(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(false, 3, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function whole4(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(false, 4, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function whole5(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(false, 5, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

function whole6(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32, next: usize, panel: usize, bytes: usize): void {
  block(false, 6, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

/** A block of 2 to 6 rows by `ROW_PANELS` panels, with the dot in steps. */
export function rowsInSteps(
  rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (rows == 2) steps2(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 3) steps3(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 4) steps4(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 5) steps5(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else steps6(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}

/** The same with a dot of one instruction. */
export function rowsWhole(
  rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (rows == 2) whole2(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 3) whole3(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 4) whole4(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 5) whole5(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  else whole6(w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
}
