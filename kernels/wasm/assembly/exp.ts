/**
 * Exponentials of vectors.
 *
 * Both reduce x = n · ln 2 + r with |r| ≤ ln 2 / 2 (ln 2 in two parts, after Cody and Waite 1980) and evaluate a polynomial
 * on r; the factor 2ⁿ is applied in two steps, so that results may be subnormal or overflow to infinity as they should.
 */
import { madd, madd64 } from './level';

/** e^x in float32, at most 2 ulp off; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp32(x: v128): v128 {
  const bounded = f32x4.min(f32x4.max(x, f32x4.splat(-110)), f32x4.splat(89));
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.44269504)));
  const r = madd(n, f32x4.splat(2.12194440e-4), madd(n, f32x4.splat(-0.693359375), bounded));
  let p = madd(f32x4.splat(1.9875691500e-4), r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const k = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(k, 1);
  const one = i32x4.splat(127);
  const first = i32x4.shl(i32x4.add(half, one), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(k, half), one), 23);
  return f32x4.mul(f32x4.mul(p, first), second);
}

/** As `exp32` for x ≤ 0, 0 below −87: what softmax would lose anyway, and subnormal factors are slow. */
// @ts-ignore: decorator
@inline
export function expFalling(x: v128): v128 {
  const bounded = f32x4.max(x, f32x4.splat(-88));
  return v128.andnot(exp32(bounded), f32x4.lt(x, f32x4.splat(-87)));
}

/** e^x in float64 for x ≤ 0, relative error below 4e-16; below −708 it is 0. */
// @ts-ignore: decorator
@inline
export function exp64(x: v128): v128 {
  const bounded = f64x2.max(x, f64x2.splat(-709));
  const n = f64x2.nearest(f64x2.mul(bounded, f64x2.splat(1.4426950408889634)));
  let r = madd64(n, f64x2.splat(-0.693147180369123816490), bounded);
  r = madd64(n, f64x2.splat(-1.90821492927058770002e-10), r);
  // Taylor's series: |r|¹⁴/14! < 5e-18.
  let p = madd64(f64x2.splat(1.0 / 6227020800.0), r, f64x2.splat(1.0 / 479001600.0));
  p = madd64(p, r, f64x2.splat(1.0 / 39916800.0));
  p = madd64(p, r, f64x2.splat(1.0 / 3628800.0));
  p = madd64(p, r, f64x2.splat(1.0 / 362880.0));
  p = madd64(p, r, f64x2.splat(1.0 / 40320.0));
  p = madd64(p, r, f64x2.splat(1.0 / 5040.0));
  p = madd64(p, r, f64x2.splat(1.0 / 720.0));
  p = madd64(p, r, f64x2.splat(1.0 / 120.0));
  p = madd64(p, r, f64x2.splat(1.0 / 24.0));
  p = madd64(p, r, f64x2.splat(1.0 / 6.0));
  p = madd64(p, r, f64x2.splat(0.5));
  p = madd64(p, r, f64x2.splat(1));
  p = madd64(p, r, f64x2.splat(1));
  // 2ⁿ by placing n in the exponent: n + 1.5 · 2⁵² has n in its low bits.
  const bits = f64x2.add(n, f64x2.splat(6755399441055744.0));
  const scale = i64x2.shl(i64x2.add(bits, i64x2.splat(1023)), 52);
  const value = f64x2.mul(p, scale);
  return v128.and(value, f64x2.gt(x, f64x2.splat(-708)));
}
