/**
 * Checks the relaxed instructions that are used here by their known answers. In some engines one compiler tier has got them
 * wrong, so the caller runs these functions until the optimising compiler has taken over.
 */

import { dot } from './tileQ8';

/** 1 if all of `rounds` relaxed multiply-adds round once. The square of 1 + 2⁻¹² has a low bit that only a fused one keeps. */
export function probeMadd(rounds: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 1;
  const a = f32x4.splat(1.000244140625);
  const c = f32x4.splat(-1.00048828125);
  const b = f64x2.splat(1.0000000037252903);
  const d = f64x2.splat(-1.0000000074505806);
  let correct = 1;
  for (let i = 0; i < rounds; i++) {
    if (f32x4.extract_lane(f32x4.relaxed_madd(a, a, c), 2) != 5.9604644775390625e-8) correct = 0;
    if (f64x2.extract_lane(f64x2.relaxed_madd(b, b, d), 1) != 1.3877787807814457e-17) correct = 0;
  }
  return correct;
}

/** 1 if all of `rounds` relaxed dots of 7-bit codes, with int8 weights in both forms and with 4-bit weights, are exact at the ends of their ranges. */
export function probeDot(rounds: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 1;
  let correct = 1;
  for (let i = 0; i < rounds; i++) {
    const code = <i8>(127 - (i & 3));
    const weights = i8x16(-127, -127, -127, -127, 127, 127, 127, 127, 1, -2, 3, -4, -127, 127, -127, 126);
    const codes = i8x16.splat(code);
    const start = i32x4(1, 1000000, -7, 5);
    const expected = i32x4.add(i32x4.mul(i32x4(-508, 508, -2, -1), i32x4.splat(code)), start);
    const ones = i16x8.splat(1);
    if (!i32x4.all_true(i32x4.eq(dot(false, weights, codes, start, ones), expected))) correct = 0;
    if (!i32x4.all_true(i32x4.eq(dot(true, weights, codes, start, ones), expected))) correct = 0;
    const pairs = i16x8.relaxed_dot_i8x16_i7x16_s(i8x16.splat(code), i8x16(15, 15, 0, 15, 1, 0, 0, 0, 15, 15, 15, 0, 2, 3, 15, 15));
    if (i16x8.extract_lane_s(pairs, 0) != 30 * code || i16x8.extract_lane_s(pairs, 6) != 5 * code) correct = 0;
  }
  return correct;
}
