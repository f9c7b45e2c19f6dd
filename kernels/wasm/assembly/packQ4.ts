/**
 * Quantises to q4, and takes over what is stored in q4. `kernels/shared/q4.ts` defines codes and scales, `common/q4.ts` a stored row, and
 * `Size.q4Block` the layout of a block.
 */
import { PackParameter, Size } from '../layout';
import { word } from './control';
import { sumLanes } from './level';

/** How many steps the largest value may become. */
const STEPS: usize = memory.data<f32>([6.75, 7.25, 7.625, 8, 8.375, 8.75, 9.375, 10]);

/** 2⁻¹²⁰ */
const SMALLEST: f32 = 7.52316384526264e-37;

/** Decodes one stored row to float32: code · scale. */
export function decodeQ4(to: usize, row: i32, cols: i32): void {
  const from = storedQ4(row, cols);
  const codes = from + <usize>(((cols + 31) >> 5) << 1);
  for (let i: usize = 0; i < <usize>cols; i++) {
    const pair = load<u8>(codes + (i >> 5 << 4) + (i & 15));
    const code = <i32>(<u32>pair >> <u32>(i >> 2 & 4) & 15) - 8;
    store<f32>(to + (i << 2), <f32>code * storedScale(from, i >> 5));
  }
}

/** Puts the codes and scales of eight stored rows into a panel. Rows after the last one are zeros, and so are codes past the end of a row. */
export function copyQ4(panel: usize, chunk: i32, cols: i32): void {
  const blocks = <usize>((cols + 31) >> 5);
  for (let b: usize = 0; b < blocks; b++) {
    const count = cols - (<i32>b << 5);
    for (let lane: usize = 0; lane < 8; lane++) {
      const row = (chunk << 3) + <i32>lane;
      let scale: f32 = 0;
      let first = i32x4.splat(0);
      let second = i32x4.splat(0);
      if (row < <i32>word(PackParameter.rows)) {
        const from = storedQ4(row, cols);
        const pairs = v128.load(from + (blocks << 1) + (b << 4));
        scale = storedScale(from, b);
        first = codesBefore(count, v128.and(pairs, i8x16.splat(15)));
        second = codesBefore(count - 16, i8x16.shr_u(pairs, 4));
      }
      storeBlock(panel, lane, scale, first, second);
    }
    panel += <usize>Size.q4Block;
  }
}

/** Where a stored row begins: its scales, and after them its codes. */
// @ts-ignore: decorator
@inline
function storedQ4(row: i32, cols: i32): usize {
  return <usize>word(PackParameter.source) + <usize>row * <usize>(((cols + 31) >> 5) * 18);
}

// @ts-ignore: decorator
@inline
function storedScale(from: usize, block: usize): f32 {
  return reinterpret<f32>(<u32>load<u16>(from + (block << 1)) << 16);
}

/** The first `count` of 16 codes, which have 8 added. The others are zeros. */
// @ts-ignore: decorator
@inline
function codesBefore(count: i32, raised: v128): v128 {
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const isInside = i8x16.lt_s(places, i8x16.splat(<i8>min(count, 16)));
  return v128.and(i8x16.sub(raised, i8x16.splat(8)), isInside);
}

/** Quantises one block of 32 inputs of one row, into the lane of that row. `size` is its largest magnitude, NaN where one is NaN. */
export function quantizeQ4(block: usize, lane: usize, values: usize, size: f32): void {
  let scale: f32 = 0;
  let inverse: f32 = 0;
  if (!(size < Infinity)) {
    scale = NaN;
  } else if (size >= SMALLEST) {
    const largest = signedLargest(values, size);
    let least: f32 = Infinity;
    for (let i: usize = 0; i < 32; i += 4) {
      const tried = nearestBf16(largest / -load<f32>(STEPS + i));
      const error = errorOf(values, 1 / tried, tried / largest);
      if (error < least) {
        scale = tried;
        least = error;
      }
    }
    inverse = 1 / scale;
  }
  const factor = f32x4.splat(inverse);
  storeBlock(block, lane, scale, sixteenCodes(values, factor), sixteenCodes(values + 64, factor));
}

/** The value of this magnitude, the positive one of two. */
function signedLargest(values: usize, size: f32): f32 {
  const wanted = f32x4.splat(size);
  let found = i32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) found = v128.or(found, f32x4.eq(v128.load(values + i), wanted));
  return v128.any_true(found) ? size : -size;
}

/** Squared error of a block, in units of its largest value: `unit` is the scale in these units. */
function errorOf(values: usize, inverse: f32, unit: f32): f32 {
  const factor = f32x4.splat(inverse);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const scaled = f32x4.mul(v128.load(values + i), factor);
    const off = f32x4.sub(scaled, clamped(scaled));
    sum = f32x4.add(sum, f32x4.mul(off, off));
  }
  return sumLanes(sum) * unit * unit;
}

// @ts-ignore: decorator
@inline
function clamped(scaled: v128): v128 {
  return f32x4.max(f32x4.min(f32x4.nearest(scaled), f32x4.splat(7)), f32x4.splat(-8));
}

/** The nearest bfloat16 of a finite number, ties to even. */
// @ts-ignore: decorator
@inline
function nearestBf16(value: f32): f32 {
  const bits = reinterpret<u32>(value);
  return reinterpret<f32>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

/** Codes of 16 values. */
function sixteenCodes(values: usize, inverse: v128): v128 {
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(fourCodes(values, inverse), fourCodes(values + 16, inverse)),
    i16x8.narrow_i32x4_s(fourCodes(values + 32, inverse), fourCodes(values + 48, inverse)),
  );
}

/** A broken value in a block whose inverse is 0 becomes the code 0. */
// @ts-ignore: decorator
@inline
function fourCodes(values: usize, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(clamped(f32x4.mul(v128.load(values), inverse)));
}

/** Writes one block of one row: its scale and its 32 codes with their sum. */
function storeBlock(block: usize, lane: usize, scale: f32, first: v128, second: v128): void {
  const codes = block + Size.q4Codes + (lane << 2);
  storeGroups(codes, first);
  storeGroups(codes + 64, second);
  store<u32>(block + (lane << 2), reinterpret<u32>(scale) & 0xffff0000 | <u32>(sumOf(first, second) & 0xffff));
}

/** Writes 16 codes, which are two pairs of groups: the second group of a pair into the upper halves of bytes. */
// @ts-ignore: decorator
@inline
function storeGroups(at: usize, codes: v128): void {
  const raised = i8x16.add(codes, i8x16.splat(8));
  const joined = v128.or(raised, i64x2.shr_u(raised, 28));
  v128.store32_lane(at, joined, 0);
  v128.store32_lane(at, joined, 2, 32);
}

/** The sum of 32 codes. */
// @ts-ignore: decorator
@inline
export function sumOf(first: v128, second: v128): i32 {
  const words = i16x8.add(i16x8.extadd_pairwise_i8x16_s(first), i16x8.extadd_pairwise_i8x16_s(second));
  const sums = i32x4.extadd_pairwise_i16x8_s(words);
  const pairs = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}
