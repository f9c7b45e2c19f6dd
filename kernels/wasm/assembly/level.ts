/**
 * The operations that differ between feature levels. `ASC_FEATURE_RELAXED_SIMD` is a compile-time constant, so each module has
 * one variant of everything. A level never mixes fused and unfused multiply-adds.
 */
import { Address, Size } from '../layout';

/** Whether the module is for runtimes that join pairs of 128-bit operations to 256 bits (scripts/build-wasm.ts sets it). */
// @ts-ignore: decorator, and a constant that is given to the compiler
@inline
export const WIDE: bool = TANDEM_WIDE != 0;

/** Whether the module is for pages, which load it first and have no drafts in q4: one tile of q4 is enough there. */
// @ts-ignore: decorator, and a constant that is given to the compiler
@inline
export const SMALL: bool = TANDEM_SMALL != 0;

/** a · b + c: fused, with one rounding, on the relaxed level; with two roundings on the other. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** `madd` in float64. */
// @ts-ignore: decorator
@inline
export function madd64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** Bytes of four activation codes. */
// @ts-ignore: decorator
@inline
export const FOUR_CODES: usize = 4 * (ASC_FEATURE_RELAXED_SIMD ? Size.relaxedCode : Size.strictCode);

/** (l0 + l2) + (l1 + l3). Every sum over lanes has this order. */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128): f32 {
  const pairs = f32x4.add(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** `sumLanes` of four vectors, one result in each lane. */
// @ts-ignore: decorator
@inline
export function sumLanes4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/**
 * Whether the engine computes a dot of bytes, one instruction of WebAssembly, in steps of 16 bits. There the sum of two products
 * saturates, which codes of more than seven bits show: 2 · 127 · 255 is more than 32,767. Processors that have an instruction for the
 * dot answer otherwise. The codes come from memory, so that no compiler computes the answer beforehand.
 */
export function isDotInSteps(): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false;
  const codes = v128.load(Address.upperHalves); // 0, 0, 255, 255 in each lane
  return i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), codes, i32x4.splat(0)), 0) == 32767;
}
