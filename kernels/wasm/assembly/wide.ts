/**
 * Register tiles of x · weightᵀ for float32 and bfloat16 weights where V8 joins pairs of 128-bit operations to 256 bits.
 *
 * The two halves of a panel are computed side by side, by the same operations, and stored side by side. Each output is the same
 * chain of multiply-adds as in `tile.ts`, so it has the same bits. 32 bytes of a panel are one input in float32, and two inputs in
 * bfloat16 (`bf16Address` in `pack.ts`). `type` and `rows` are constants at every call.
 */
import { MatmulParameter, Size, WeightCode } from '../layout';
import { shifted } from './blocks';
import { word } from './control';
import { madd } from './level';
import { prefetch, tile, upperHalves, writeOutputs, writeUnit } from './tile';

/** Four weights of an input; in bfloat16 the first of two inputs, which has the lower halves of words. */
// @ts-ignore: decorator
@inline
function first(type: i32, w: usize): v128 {
  return type == WeightCode.f32 ? v128.load(w) : i32x4.shl(v128.load(w), 16);
}

/** Four bfloat16 weights of the second input. A bfloat16 is the upper half of a float32. */
// @ts-ignore: decorator
@inline
function second(w: usize, upper: v128): v128 {
  return v128.and(v128.load(w), upper);
}

/**
 * `rows` (5 or 6) rows by one panel of bfloat16; x is [inputs, rows]. `out` and `residual` are at the first column of the panel, with
 * `stride` bytes for each row. For every 256 bytes of weights read, prefetches `bytes` bytes of each of four panels, which
 * start at `next`; nothing when `bytes` is 0.
 */
// @ts-ignore: decorator
@inline
function tileRows(
  rows: i32, w: usize, x: usize, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  const upper = upperHalves(WeightCode.bf16);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 256, end);
    if (bytes != 0) {
      prefetch(next, panel);
      next += bytes;
    }
    for (; w < stop; w += 32) {
      let p = first(WeightCode.bf16, w), q = first(WeightCode.bf16, w + 16), s: v128;
      s = v128.load_splat<f32>(x); a0 = madd(s, p, a0); b0 = madd(s, q, b0);
      s = v128.load_splat<f32>(x, 4); a1 = madd(s, p, a1); b1 = madd(s, q, b1);
      s = v128.load_splat<f32>(x, 8); a2 = madd(s, p, a2); b2 = madd(s, q, b2);
      s = v128.load_splat<f32>(x, 12); a3 = madd(s, p, a3); b3 = madd(s, q, b3);
      s = v128.load_splat<f32>(x, 16); a4 = madd(s, p, a4); b4 = madd(s, q, b4);
      if (rows > 5) { s = v128.load_splat<f32>(x, 20); a5 = madd(s, p, a5); b5 = madd(s, q, b5); }
      x += <usize>rows << 2;
      p = second(w, upper); q = second(w + 16, upper);
      s = v128.load_splat<f32>(x); a0 = madd(s, p, a0); b0 = madd(s, q, b0);
      s = v128.load_splat<f32>(x, 4); a1 = madd(s, p, a1); b1 = madd(s, q, b1);
      s = v128.load_splat<f32>(x, 8); a2 = madd(s, p, a2); b2 = madd(s, q, b2);
      s = v128.load_splat<f32>(x, 12); a3 = madd(s, p, a3); b3 = madd(s, q, b3);
      s = v128.load_splat<f32>(x, 16); a4 = madd(s, p, a4); b4 = madd(s, q, b4);
      if (rows > 5) { s = v128.load_splat<f32>(x, 20); a5 = madd(s, p, a5); b5 = madd(s, q, b5); }
      x += <usize>rows << 2;
    }
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  writeOutputs(a1, b1, stride, out, residual, valid);
  writeOutputs(a2, b2, stride * 2, out, residual, valid);
  writeOutputs(a3, b3, stride * 3, out, residual, valid);
  writeOutputs(a4, b4, stride * 4, out, residual, valid);
  if (rows > 5) writeOutputs(a5, b5, stride * 5, out, residual, valid);
}

/**
 * `rows` (2 to 4) rows by two panels. With one panel there would be too few chains of multiply-adds to hide their latency; with
 * more rows V8 runs out of registers. Prefetches as `tileRows`.
 */
// @ts-ignore: decorator
@inline
function tilePair(
  type: i32, rows: i32, w: usize, x: usize, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  const upper = upperHalves(WeightCode.bf16);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  let c0 = zero, c1 = zero, c2 = zero, c3 = zero, d0 = zero, d1 = zero, d2 = zero, d3 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 128, end);
    if (bytes != 0) {
      prefetch(next, panel);
      next += bytes;
    }
    for (; w < stop; w += 32) {
      const v = w + panel;
      let p = first(type, w), q = first(type, w + 16), t = first(type, v), u = first(type, v + 16), s: v128;
      s = v128.load_splat<f32>(x); a0 = madd(s, p, a0); b0 = madd(s, q, b0); c0 = madd(s, t, c0); d0 = madd(s, u, d0);
      s = v128.load_splat<f32>(x, 4); a1 = madd(s, p, a1); b1 = madd(s, q, b1); c1 = madd(s, t, c1); d1 = madd(s, u, d1);
      if (rows > 2) { s = v128.load_splat<f32>(x, 8); a2 = madd(s, p, a2); b2 = madd(s, q, b2); c2 = madd(s, t, c2); d2 = madd(s, u, d2); }
      if (rows > 3) { s = v128.load_splat<f32>(x, 12); a3 = madd(s, p, a3); b3 = madd(s, q, b3); c3 = madd(s, t, c3); d3 = madd(s, u, d3); }
      x += <usize>rows << 2;
      if (type == WeightCode.bf16) {
        p = second(w, upper); q = second(w + 16, upper); t = second(v, upper); u = second(v + 16, upper);
        s = v128.load_splat<f32>(x); a0 = madd(s, p, a0); b0 = madd(s, q, b0); c0 = madd(s, t, c0); d0 = madd(s, u, d0);
        s = v128.load_splat<f32>(x, 4); a1 = madd(s, p, a1); b1 = madd(s, q, b1); c1 = madd(s, t, c1); d1 = madd(s, u, d1);
        if (rows > 2) { s = v128.load_splat<f32>(x, 8); a2 = madd(s, p, a2); b2 = madd(s, q, b2); c2 = madd(s, t, c2); d2 = madd(s, u, d2); }
        if (rows > 3) { s = v128.load_splat<f32>(x, 12); a3 = madd(s, p, a3); b3 = madd(s, q, b3); c3 = madd(s, t, c3); d3 = madd(s, u, d3); }
        x += <usize>rows << 2;
      }
    }
  }
  writePair(a0, b0, c0, d0, 0, out, residual, valid);
  writePair(a1, b1, c1, d1, stride, out, residual, valid);
  if (rows > 2) writePair(a2, b2, c2, d2, stride * 2, out, residual, valid);
  if (rows > 3) writePair(a3, b3, c3, d3, stride * 3, out, residual, valid);
}

/** Writes the outputs of two panels for one row. */
// @ts-ignore: decorator
@inline
export function writePair(a: v128, b: v128, c: v128, d: v128, at: usize, out: usize, residual: usize, valid: i32): void {
  writeOutputs(a, b, at, out, residual, valid);
  if (valid > 8) writeOutputs(c, d, at + 32, out, residual, valid - 8);
}

/** One row by four panels in bfloat16, as `tileOne`. */
export function rowOfBf16(w: usize, panel: usize, out: usize, residual: usize, valid: i32, next: usize): void {
  const upper = upperHalves(WeightCode.bf16);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  const end = w + panel;
  let x = <usize>word(MatmulParameter.floatRows);
  while (w < end) {
    const stop = min(w + 64, end);
    if (end - w <= 1024) {
      prefetch(next, panel);
      next += 64;
    }
    for (; w < stop; w += 32) {
      const w1 = w + panel;
      const w2 = w1 + panel;
      const w3 = w2 + panel;
      let s = v128.load_splat<f32>(x);
      a0 = madd(s, first(WeightCode.bf16, w), a0); b0 = madd(s, first(WeightCode.bf16, w + 16), b0);
      a1 = madd(s, first(WeightCode.bf16, w1), a1); b1 = madd(s, first(WeightCode.bf16, w1 + 16), b1);
      a2 = madd(s, first(WeightCode.bf16, w2), a2); b2 = madd(s, first(WeightCode.bf16, w2 + 16), b2);
      a3 = madd(s, first(WeightCode.bf16, w3), a3); b3 = madd(s, first(WeightCode.bf16, w3 + 16), b3);
      s = v128.load_splat<f32>(x, 4);
      a0 = madd(s, second(w, upper), a0); b0 = madd(s, second(w + 16, upper), b0);
      a1 = madd(s, second(w1, upper), a1); b1 = madd(s, second(w1 + 16, upper), b1);
      a2 = madd(s, second(w2, upper), a2); b2 = madd(s, second(w2 + 16, upper), b2);
      a3 = madd(s, second(w3, upper), a3); b3 = madd(s, second(w3 + 16, upper), b3);
      x += 8;
    }
  }
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
}

/** A block of 2 to 6 rows by two panels. */
// @ts-ignore: decorator
@inline
export function blockWide(
  type: i32, rows: i32, w: usize, x: usize, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (rows > 4) {
    const last = valid > Size.panelOutputs ? 2 : 1;
    for (let i = 0; i < last; i++) {
      if (type == WeightCode.f32 && rows == 6) tile(type, 6, w, x, out, residual, stride, valid, next, panel, bytes);
      else if (type == WeightCode.f32) tile(type, 5, w, x, out, residual, stride, valid, next, panel, bytes);
      else if (rows == 6) tileRows(6, w, x, out, residual, stride, valid, next, panel, bytes);
      else tileRows(5, w, x, out, residual, stride, valid, next, panel, bytes);
      w += panel;
      out += 32;
      residual = shifted(residual, 32);
      valid -= Size.panelOutputs;
      next += bytes * ((panel + 255) >> 8);
    }
  } else if (rows == 4) tilePair(type, 4, w, x, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 3) tilePair(type, 3, w, x, out, residual, stride, valid, next, panel, bytes);
  else tilePair(type, 2, w, x, out, residual, stride, valid, next, panel, bytes);
}
