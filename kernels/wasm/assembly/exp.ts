/**
 * Exponentials of vectors.
 *
 * Both functions write x = n · ln 2 + r with |r| ≤ ln 2 / 2 and evaluate a polynomial of r; ln 2 comes in two parts, after Cody
 * and Waite 1980. Adding 1.5 · 2⁵² (float64) or 1.5 · 2²³ (float32) rounds x / ln 2 to the nearest integer n and leaves n in the
 * low bits, from where a shift moves it into the exponent of 2ⁿ. The float32 polynomial is that of Cephes (S. Moshier), the
 * float64 polynomial is Taylor's.
 *
 * Constants are loaded from memory: V8 builds a vector constant anew at every use, with three instructions each. pmin and pmax
 * are one instruction and keep a NaN; min and max are eight instructions.
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

/** e^x in float32 with an error of at most 2 ulp. The result is subnormal or infinite where e^x is; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp32(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, c32(0)), c32(1));
  const shifted = madd(bounded, c32(2), c32(14));
  const p = onReduced(bounded, f32x4.sub(shifted, c32(14)));
  const k = i32x4.sub(shifted, c32(14));
  const half = i32x4.shr_s(k, 1);
  // Two factors whose product is 2ⁿ: so the result may be subnormal or overflow.
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
 * e^x in float32 for x ≤ 0; 0 below −87, and NaN stays NaN. Softmax loses smaller values anyway, and arithmetic with subnormal
 * numbers is slow.
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

/** e^x in float64 for x ≤ 0, with a relative error below 4e-16; 0 below −708. */
// @ts-ignore: decorator
@inline
export function exp64(x: v128): v128 {
  const bounded = f64x2.pmax(x, c64(0));
  const shifted = madd64(bounded, c64(1), c64(17));
  const n = f64x2.sub(shifted, c64(17));
  const r = madd64(n, c64(3), madd64(n, c64(2), bounded));
  // The first term that is left out is below |r|¹⁴ / 14! < 5e-18.
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
