/**
 * Register tiles of x · weightᵀ for float32 and bfloat16 weights.
 *
 * A panel holds eight outputs: for each input k, eight weights side by side (32 or 16 bytes). Lanes are outputs. Each output
 * element is one chain of multiply-adds in the order of k, whatever the shape of the tile, so its bits do not depend on the
 * number of rows. `type` and `rows` are constants at every call, and the compiler removes the branches on them.
 */
import { Address, Size, WeightCode } from '../layout';
import { madd, WIDE } from './level';

/** The mask of the upper halves of four lanes. It is in memory, because V8 would build a constant anew at every use. */
// @ts-ignore: decorator
@inline
export function upperHalves(type: i32): v128 {
  return type == WeightCode.bf16 ? v128.load(Address.upperHalves) : i32x4.splat(0);
}

/** Weights of outputs 0–3 from the row of a panel. A bfloat16 is the upper half of a float32; a lane holds outputs i and i + 4. */
// @ts-ignore: decorator
@inline
function low(type: i32, w: usize, packed: v128): v128 {
  if (type == WeightCode.f32) return v128.load(w);
  return i32x4.shl(packed, 16);
}

/** Weights of outputs 4–7. */
// @ts-ignore: decorator
@inline
function high(type: i32, w: usize, packed: v128, upper: v128): v128 {
  if (type == WeightCode.f32) return v128.load(w, 16);
  return v128.and(packed, upper);
}

/**
 * Prefetches one cache line of each of four panels, `panel` bytes apart.
 *
 * WebAssembly has no prefetch instruction. A load whose result is not used does the same; it is atomic so that no compiler
 * removes it. Without prefetches, multiply-adds that wait for memory fill the scheduler of the core. The next four panels are
 * prefetched side by side, because a core reads several sequences of addresses much faster than one.
 */
// @ts-ignore: decorator
@inline
export function prefetch(address: usize, panel: usize): void {
  atomic.load<u8>(address);
  atomic.load<u8>(address + panel);
  atomic.load<u8>(address + panel * 2);
  atomic.load<u8>(address + panel * 3);
}

/** Bytes of a panel for one input. */
// @ts-ignore: decorator
@inline
function stepBytes(type: i32): usize {
  return type == WeightCode.f32 ? 32 : 16;
}

/** Stores 32 bytes. There is one address for both halves, or V8 does not always see that they are neighbours. */
// @ts-ignore: decorator
@inline
function storeBoth(to: usize, a: v128, b: v128): void {
  v128.store(to, a);
  v128.store(to, b, 16);
}

/** Writes eight outputs of one row, plus the residual if there is one. At the end of the matrix only `valid` of them exist. */
// @ts-ignore: decorator
@inline
export function writeOutputs(a: v128, b: v128, at: usize, out: usize, residual: usize, valid: i32): void {
  if (valid >= Size.panelOutputs) {
    if (residual != 0) {
      a = f32x4.add(a, v128.load(residual + at));
      b = f32x4.add(b, v128.load(residual + at, 16));
    }
    if (WIDE) {
      storeBoth(out + at, a, b);
    } else {
      v128.store(out + at, a);
      v128.store(out + at, b, 16);
    }
  } else {
    writeSome(a, b, at, out, residual, valid);
  }
}

/** Writes the outputs of four panels, a unit, for one row. */
// @ts-ignore: decorator
@inline
export function writeUnit(
  a0: v128, b0: v128, a1: v128, b1: v128, a2: v128, b2: v128, a3: v128, b3: v128, out: usize, residual: usize, valid: i32,
): void {
  writeOutputs(a0, b0, 0, out, residual, valid);
  if (valid > 8) writeOutputs(a1, b1, 32, out, residual, valid - 8);
  if (valid > 16) writeOutputs(a2, b2, 64, out, residual, valid - 16);
  if (valid > 24) writeOutputs(a3, b3, 96, out, residual, valid - 24);
}

function writeSome(a: v128, b: v128, at: usize, out: usize, residual: usize, valid: i32): void {
  for (let i = 0; i < valid; i++) {
    let value = f32x4.extract_lane(a, 0);
    if (residual != 0) value += load<f32>(residual + at);
    store<f32>(out + at, value);
    at += 4;
    a = v128.shuffle<f32>(a, b, 1, 2, 3, 4);
    b = v128.shuffle<f32>(b, b, 1, 2, 3, 3);
  }
}

/**
 * `rows` (3 to 6) rows by one panel; x is [inputs, rows]. `out` and `residual` are at the first column of the panel, with
 * `stride` bytes for each row. For every 256 bytes of weights read, prefetches `bytes` bytes of each of four panels, which
 * start at `next`; nothing when `bytes` is 0.
 */
// @ts-ignore: decorator
@inline
export function tile(
  type: i32, rows: i32, w: usize, x: usize, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  const upper = upperHalves(type);
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
    for (; w < stop; w += stepBytes(type)) {
      const packed = type == WeightCode.bf16 ? v128.load(w) : zero;
      const p = low(type, w, packed);
      // Six rows leave no register for the mask.
      const q = type == WeightCode.bf16 && rows > 5 ? i32x4.shl(i32x4.shr_u(packed, 16), 16) : high(type, w, packed, upper);
      const s0 = v128.load_splat<f32>(x);
      a0 = madd(s0, p, a0);
      b0 = madd(s0, q, b0);
      if (rows > 1) {
        const s = v128.load_splat<f32>(x, 4);
        a1 = madd(s, p, a1);
        b1 = madd(s, q, b1);
      }
      if (rows > 2) {
        const s = v128.load_splat<f32>(x, 8);
        a2 = madd(s, p, a2);
        b2 = madd(s, q, b2);
      }
      if (rows > 3) {
        const s = v128.load_splat<f32>(x, 12);
        a3 = madd(s, p, a3);
        b3 = madd(s, q, b3);
      }
      if (rows > 4) {
        const s = v128.load_splat<f32>(x, 16);
        a4 = madd(s, p, a4);
        b4 = madd(s, q, b4);
      }
      if (rows > 5) {
        const s = v128.load_splat<f32>(x, 20);
        a5 = madd(s, p, a5);
        b5 = madd(s, q, b5);
      }
      x += <usize>rows << 2;
    }
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  if (rows > 1) writeOutputs(a1, b1, stride, out, residual, valid);
  if (rows > 2) writeOutputs(a2, b2, stride * 2, out, residual, valid);
  if (rows > 3) writeOutputs(a3, b3, stride * 3, out, residual, valid);
  if (rows > 4) writeOutputs(a4, b4, stride * 4, out, residual, valid);
  if (rows > 5) writeOutputs(a5, b5, stride * 5, out, residual, valid);
}

/**
 * One row by four panels, `panel` bytes apart. That makes eight chains of multiply-adds, enough to hide their latency. It
 * already reads four sequences of addresses, so only the start of the next unit, at `next`, is prefetched.
 */
// @ts-ignore: decorator
@inline
export function tileOne(
  type: i32, w: usize, panel: usize, x: usize, out: usize, residual: usize, valid: i32,
  next: usize,
): void {
  const upper = upperHalves(type);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 64, end);
    if (end - w <= 1024) {
      prefetch(next, panel);
      next += 64;
    }
    for (; w < stop; w += stepBytes(type)) {
      const s = v128.load_splat<f32>(x);
      const w1 = w + panel;
      const w2 = w1 + panel;
      const w3 = w2 + panel;
      const packed0 = type == WeightCode.bf16 ? v128.load(w) : zero;
      a0 = madd(s, low(type, w, packed0), a0);
      b0 = madd(s, high(type, w, packed0, upper), b0);
      const packed1 = type == WeightCode.bf16 ? v128.load(w1) : zero;
      a1 = madd(s, low(type, w1, packed1), a1);
      b1 = madd(s, high(type, w1, packed1, upper), b1);
      const packed2 = type == WeightCode.bf16 ? v128.load(w2) : zero;
      a2 = madd(s, low(type, w2, packed2), a2);
      b2 = madd(s, high(type, w2, packed2, upper), b2);
      const packed3 = type == WeightCode.bf16 ? v128.load(w3) : zero;
      a3 = madd(s, low(type, w3, packed3), a3);
      b3 = madd(s, high(type, w3, packed3, upper), b3);
      x += 4;
    }
  }
  writeUnit(a0, b0, a1, b1, a2, b2, a3, b3, out, residual, valid);
}

/** Two rows by two panels. For every 256 bytes of weights read, prefetches 64 bytes of each of four panels, which start at `next`. */
// @ts-ignore: decorator
@inline
export function tileTwo(
  type: i32, w: usize, panel: usize, x: usize, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize,
): void {
  const upper = upperHalves(type);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 128, end);
    prefetch(next, panel);
    next += 64;
    for (; w < stop; w += stepBytes(type)) {
      const s = v128.load_splat<f32>(x);
      const t = v128.load_splat<f32>(x, 4);
      const packed = type == WeightCode.bf16 ? v128.load(w) : zero;
      const p = low(type, w, packed);
      const q = high(type, w, packed, upper);
      a0 = madd(s, p, a0);
      b0 = madd(s, q, b0);
      a1 = madd(t, p, a1);
      b1 = madd(t, q, b1);
      const w1 = w + panel;
      const packed1 = type == WeightCode.bf16 ? v128.load(w1) : zero;
      const p1 = low(type, w1, packed1);
      const q1 = high(type, w1, packed1, upper);
      a2 = madd(s, p1, a2);
      b2 = madd(s, q1, b2);
      a3 = madd(t, p1, a3);
      b3 = madd(t, q1, b3);
      x += 8;
    }
  }
  writeOutputs(a0, b0, 0, out, residual, valid);
  writeOutputs(a1, b1, stride, out, residual, valid);
  if (valid > 8) {
    writeOutputs(a2, b2, 32, out, residual, valid - 8);
    writeOutputs(a3, b3, stride + 32, out, residual, valid - 8);
  }
}
