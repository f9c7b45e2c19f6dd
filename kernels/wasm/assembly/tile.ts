/**
 * Register tiles of x · weightᵀ for float32 and bfloat16 weights.
 *
 * A panel holds eight outputs, interleaved: for each input k, eight weights side by side (32 or 16 bytes). Lanes are
 * outputs; each output element is one chain of multiply-adds in order of k, whatever the tile's shape, and so the bits
 * do not depend on how many rows there are. `type` and `rows` are constants at every call: the compiler unfolds them.
 */
import { UPPER_HALVES } from './control';
import { madd } from './level';

// @ts-ignore: decorator
@inline
export const F32: i32 = 0;
// @ts-ignore: decorator
@inline
export const BF16: i32 = 1;
// @ts-ignore: decorator
@inline
export const Q8: i32 = 2;

/** Outputs in a panel. */
// @ts-ignore: decorator
@inline
export const PANEL: i32 = 8;

/** The upper halves of four lanes. It lives in memory: a constant would be built anew at every use in a loop. */
// @ts-ignore: decorator
@inline
export function upperHalves(type: i32): v128 {
  return type == BF16 ? v128.load(UPPER_HALVES) : i32x4.splat(0);
}

/** Weights of outputs 0–3 from a panel's row. A bfloat16 is the upper half of its float32; lanes hold outputs i and i + 4. */
// @ts-ignore: decorator
@inline
function low(type: i32, w: usize, packed: v128): v128 {
  if (type == F32) return v128.load(w);
  return i32x4.shl(packed, 16);
}

/** Weights of outputs 4–7. */
// @ts-ignore: decorator
@inline
function high(type: i32, w: usize, packed: v128, upper: v128): v128 {
  if (type == F32) return v128.load(w, 16);
  return v128.and(packed, upper);
}

/**
 * Asks early for a cache line of each of four streams, `panel` bytes apart.
 *
 * A load whose value nobody waits for is the prefetch that WebAssembly has (atomic, so that no compiler takes it away).
 * Without it the multiply-adds that wait for memory fill the scheduler; and one core fetches several streams far faster
 * than one, so the four panels of the unit to come are asked for side by side.
 */
// @ts-ignore: decorator
@inline
export function touch(address: usize, panel: usize): void {
  atomic.load<u8>(address);
  atomic.load<u8>(address + panel);
  atomic.load<u8>(address + panel * 2);
  atomic.load<u8>(address + panel * 3);
}

/** Bytes of a panel for one input. */
// @ts-ignore: decorator
@inline
function stepBytes(type: i32): usize {
  return type == F32 ? 32 : 16;
}

/** Writes eight outputs of one row, plus the residual where there is one; `valid` < 8 at the matrix's end. */
// @ts-ignore: decorator
@inline
export function put(a: v128, b: v128, at: usize, out: usize, residual: usize, valid: i32): void {
  if (valid >= PANEL) {
    if (residual != 0) {
      a = f32x4.add(a, v128.load(residual + at));
      b = f32x4.add(b, v128.load(residual + at, 16));
    }
    v128.store(out + at, a);
    v128.store(out + at, b, 16);
  } else {
    putSome(a, b, at, out, residual, valid);
  }
}

function putSome(a: v128, b: v128, at: usize, out: usize, residual: usize, valid: i32): void {
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
 * `rows` (3 to 6) rows by one panel. x [inputs, rows]; out and residual at the panel's first column, `stride` bytes a row.
 * Meanwhile four streams, `panel` bytes apart, are asked for from `ahead` on: `pace` bytes each for 256 bytes of weights.
 */
// @ts-ignore: decorator
@inline
export function tile(
  type: i32, rows: i32, w: usize, x: usize, inputs: i32, out: usize, residual: usize, stride: usize, valid: i32,
  ahead: usize, panel: usize, pace: usize,
): void {
  const upper = upperHalves(type);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 256, end);
    if (pace != 0) {
      touch(ahead, panel);
      ahead += pace;
    }
    for (; w < stop; w += stepBytes(type)) {
      const packed = type == BF16 ? v128.load(w) : zero;
      const p = low(type, w, packed);
      // Six rows leave no register for the mask.
      const q = type == BF16 && rows > 5 ? i32x4.shl(i32x4.shr_u(packed, 16), 16) : high(type, w, packed, upper);
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
  put(a0, b0, 0, out, residual, valid);
  if (rows > 1) put(a1, b1, stride, out, residual, valid);
  if (rows > 2) put(a2, b2, stride * 2, out, residual, valid);
  if (rows > 3) put(a3, b3, stride * 3, out, residual, valid);
  if (rows > 4) put(a4, b4, stride * 4, out, residual, valid);
  if (rows > 5) put(a5, b5, stride * 5, out, residual, valid);
}

/**
 * One row by four panels, `panel` bytes apart: eight chains, enough to hide the latency of a multiply-add, and four
 * streams, so that only the start of the unit to come, at `ahead`, is worth asking for early.
 */
// @ts-ignore: decorator
@inline
export function tileOne(
  type: i32, w: usize, panel: usize, x: usize, inputs: i32, out: usize, residual: usize, valid: i32,
  ahead: usize,
): void {
  const upper = upperHalves(type);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 64, end);
    if (end - w <= 1024) {
      touch(ahead, panel);
      ahead += 64;
    }
    for (; w < stop; w += stepBytes(type)) {
      const s = v128.load_splat<f32>(x);
      const w1 = w + panel;
      const w2 = w1 + panel;
      const w3 = w2 + panel;
      const packed0 = type == BF16 ? v128.load(w) : zero;
      a0 = madd(s, low(type, w, packed0), a0);
      b0 = madd(s, high(type, w, packed0, upper), b0);
      const packed1 = type == BF16 ? v128.load(w1) : zero;
      a1 = madd(s, low(type, w1, packed1), a1);
      b1 = madd(s, high(type, w1, packed1, upper), b1);
      const packed2 = type == BF16 ? v128.load(w2) : zero;
      a2 = madd(s, low(type, w2, packed2), a2);
      b2 = madd(s, high(type, w2, packed2, upper), b2);
      const packed3 = type == BF16 ? v128.load(w3) : zero;
      a3 = madd(s, low(type, w3, packed3), a3);
      b3 = madd(s, high(type, w3, packed3, upper), b3);
      x += 4;
    }
  }
  put(a0, b0, 0, out, residual, valid);
  if (valid > 8) put(a1, b1, 32, out, residual, valid - 8);
  if (valid > 16) put(a2, b2, 64, out, residual, valid - 16);
  if (valid > 24) put(a3, b3, 96, out, residual, valid - 24);
}

/** Two rows by two panels; four streams are asked for from `ahead` on, 64 bytes each for 256 bytes of weights. */
// @ts-ignore: decorator
@inline
export function tileTwo(
  type: i32, w: usize, panel: usize, x: usize, inputs: i32, out: usize, residual: usize, stride: usize, valid: i32,
  ahead: usize,
): void {
  const upper = upperHalves(type);
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  const end = w + panel;
  while (w < end) {
    const stop = min(w + 128, end);
    touch(ahead, panel);
    ahead += 64;
    for (; w < stop; w += stepBytes(type)) {
      const s = v128.load_splat<f32>(x);
      const t = v128.load_splat<f32>(x, 4);
      const packed = type == BF16 ? v128.load(w) : zero;
      const p = low(type, w, packed);
      const q = high(type, w, packed, upper);
      a0 = madd(s, p, a0);
      b0 = madd(s, q, b0);
      a1 = madd(t, p, a1);
      b1 = madd(t, q, b1);
      const w1 = w + panel;
      const packed1 = type == BF16 ? v128.load(w1) : zero;
      const p1 = low(type, w1, packed1);
      const q1 = high(type, w1, packed1, upper);
      a2 = madd(s, p1, a2);
      b2 = madd(s, q1, b2);
      a3 = madd(t, p1, a3);
      b3 = madd(t, q1, b3);
      x += 8;
    }
  }
  put(a0, b0, 0, out, residual, valid);
  put(a1, b1, stride, out, residual, valid);
  if (valid > 8) {
    put(a2, b2, 32, out, residual, valid - 8);
    put(a3, b3, stride + 32, out, residual, valid - 8);
  }
}
