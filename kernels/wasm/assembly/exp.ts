/**
 * Exponentials of vectors.
 *
 * Both reduce x = n · ln 2 + r with |r| ≤ ln 2 / 2 (ln 2 in two parts, after Cody and Waite 1980) and evaluate a polynomial
 * on r. Adding 1.5 · 2⁵² (2²³) rounds to the nearest n and leaves it in the low bits, whence it is shifted into the exponent
 * of 2ⁿ. float32's polynomial is that of Cephes (S. Moshier), float64's is Taylor's. Constants are loaded: V8 builds a vector constant
 * anew at every use, three instructions each. pmin and pmax keep a NaN and are one instruction, min and max are eight.
 */
import { madd, madd64 } from './level';

const TABLE32: usize = memory.data<f32>([
  -110, 89, 1.44269504, -0.693359375, 2.1219444e-4, 1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
  1.6666665459e-1, 5.0000001201e-1, 1, -88, -87, 12582912,
]);
const TABLE64: usize = memory.data<f64>([
  -709, 1.4426950408889634, -0.693147180369123816490, -1.90821492927058770002e-10, 1.0 / 6227020800.0,
  1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0,
  1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1, 6755399441055744.0, -708,
]);

// @ts-ignore: decorator
@inline
function c32(index: usize): v128 {
  return v128.load_splat<f32>(TABLE32 + (index << 2));
}

// @ts-ignore: decorator
@inline
function c64(index: usize): v128 {
  return v128.load_splat<f64>(TABLE64 + (index << 3));
}

/** e^x in float32, at most 2 ulp off, subnormal or infinite where it should be; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp32(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, c32(0)), c32(1));
  const shifted = madd(bounded, c32(2), c32(14));
  const p = onReduced(bounded, f32x4.sub(shifted, c32(14)));
  const k = i32x4.sub(shifted, c32(14));
  const half = i32x4.shr_s(k, 1);
  // 2ⁿ in two steps, so that results may be subnormal or overflow.
  const first = i32x4.add(i32x4.shl(half, 23), c32(11));
  const second = i32x4.add(i32x4.shl(i32x4.sub(k, half), 23), c32(11));
  return f32x4.mul(f32x4.mul(p, first), second);
}

/** e^(x − n · ln 2). */
// @ts-ignore: decorator
@inline
function onReduced(x: v128, n: v128): v128 {
  const r = madd(n, c32(4), madd(n, c32(3), x));
  let p = madd(c32(5), r, c32(6));
  p = madd(p, r, c32(7));
  p = madd(p, r, c32(8));
  p = madd(p, r, c32(9));
  p = madd(p, r, c32(10));
  return f32x4.add(madd(p, f32x4.mul(r, r), r), c32(11));
}

/**
 * As `exp32` for x ≤ 0, 0 below −87: what softmax would lose anyway, and subnormal factors are slow. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function expFalling(x: v128): v128 {
  const bounded = f32x4.pmax(x, c32(12));
  const shifted = madd(bounded, c32(2), c32(14));
  const p = onReduced(bounded, f32x4.sub(shifted, c32(14)));
  const scale = i32x4.add(i32x4.shl(shifted, 23), c32(11));
  return v128.andnot(f32x4.mul(p, scale), f32x4.lt(x, c32(13)));
}

/** e^x in float64 for x ≤ 0, relative error below 4e-16; below −708 it is 0. */
// @ts-ignore: decorator
@inline
export function exp64(x: v128): v128 {
  const bounded = f64x2.pmax(x, c64(0));
  const shifted = madd64(bounded, c64(1), c64(17));
  const n = f64x2.sub(shifted, c64(17));
  const r = madd64(n, c64(3), madd64(n, c64(2), bounded));
  // |r|¹⁴ / 14! < 5e-18.
  let p = madd64(c64(4), r, c64(5));
  p = madd64(p, r, c64(6));
  p = madd64(p, r, c64(7));
  p = madd64(p, r, c64(8));
  p = madd64(p, r, c64(9));
  p = madd64(p, r, c64(10));
  p = madd64(p, r, c64(11));
  p = madd64(p, r, c64(12));
  p = madd64(p, r, c64(13));
  p = madd64(p, r, c64(14));
  p = madd64(p, r, c64(15));
  p = madd64(p, r, c64(16));
  p = madd64(p, r, c64(16));
  const scale = i64x2.add(i64x2.shl(shifted, 52), c64(16));
  return v128.and(f64x2.mul(p, scale), f64x2.gt(x, c64(18)));
}
