/**
 * The q4 weight format: codes of 4 bits, with one bfloat16 scale for each row and block of 32 inputs. It is for drafts: a fifth of
 * float32's bytes, and an error that shows in the text.
 *
 * A value is code · scale with a code in −8 … 7, and that product is exact in float32. The scale is searched: m, the value of a block
 * with the largest magnitude, becomes −6.75, −7.25, … −10 steps in turn, and the scale with the least squared error is kept; of equal
 * ones the first. Beyond 8 steps the largest values are clipped, and the others get finer steps. That takes 9 % off the squared error of
 * the plain scale m / −8, which is that of llama.cpp's Q4_0 (ggml-quants.c). Every step is a single float32 operation in a stated
 * order, so that a SIMD unit gets the same codes and scales bit for bit.
 */
import { Q4_BYTES, q4Code } from '../../common';
import { bf16ToF32, f32ToBf16 } from './float';
import { Q8_BLOCK, q8Blocks } from './q8';

export { Q4_BYTES, q4Code };

/** How many steps the value with the largest magnitude may become, with the other sign. All are exact in float32. */
const STEPS = [6.75, 7.25, 7.625, 8, 8.375, 8.75, 9.375, 10];

/** A block without a larger magnitude becomes zeros, so that every scale and its inverse are normal numbers. */
const SMALLEST = 2 ** -120;

/** Adding and taking away 1.5 · 2⁵² leaves a small double rounded to the nearest integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

/**
 * Quantises whole rows. A block that holds NaN or an infinity gets the scale NaN, so that broken weights stay visible.
 *
 * @param values - [rows, cols]
 * @param codes - [rows, q8Blocks(cols), Q4_BYTES], written: two codes a byte, each with 8 added
 * @param scales - [rows, q8Blocks(cols)], written
 */
export function quantizeRowsQ4(values: Float32Array, cols: number, codes: Uint8Array, scales: Float32Array): void {
  const blocks = q8Blocks(cols);
  const rows = values.length / cols;
  const block = new Float32Array(Q8_BLOCK);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const from = row * cols + b * Q8_BLOCK;
      block.fill(0);
      block.set(values.subarray(from, Math.min(from + Q8_BLOCK, (row + 1) * cols)));
      const scale = searchedScale(block);
      const at = row * blocks + b;
      scales[at] = scale;
      const inverse = inverseOf(scale);
      for (let i = 0; i < Q4_BYTES; i++) {
        codes[at * Q4_BYTES + i] = (codeOf(block[i], inverse) + 8) | ((codeOf(block[i + 16], inverse) + 8) << 4);
      }
    }
  }
}

/** The scale with the least squared error. It is 0 where all codes are to be 0. */
function searchedScale(block: Float32Array): number {
  const largest = largestOf(block);
  if (!(Math.abs(largest) < Infinity)) return Number.NaN;
  let [scale, least] = [0, Infinity];
  if (Math.abs(largest) < SMALLEST) return scale;
  for (const steps of STEPS) {
    const tried = bf16ToF32(f32ToBf16(Math.fround(largest / -steps)));
    const error = errorOf(block, tried, largest);
    if (error >= least) continue;
    scale = tried;
    least = error;
  }
  return scale;
}

/** The value with the largest magnitude, the positive one of two; NaN where one is NaN. */
function largestOf(block: Float32Array): number {
  let [most, least] = [0, 0];
  for (let i = 0; i < block.length; i++) {
    most = Math.max(most, block[i]);
    least = Math.min(least, block[i]);
  }
  return most >= -least ? most : least;
}

function inverseOf(scale: number): number {
  return scale === 0 || Number.isNaN(scale) ? 0 : Math.fround(1 / scale);
}

function codeOf(value: number, inverse: number): number {
  return inverse === 0 ? 0 : clamped(Math.fround(value * inverse));
}

function clamped(scaled: number): number {
  return Math.max(-8, Math.min(7, scaled + ROUNDER - ROUNDER));
}

/** Squared error of a block in units of its largest value, so that no square is too small for float32. Four sums run side by side. */
function errorOf(block: Float32Array, scale: number, largest: number): number {
  const inverse = Math.fround(1 / scale);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < block.length; i += 4) {
    a = Math.fround(a + squareOff(Math.fround(block[i] * inverse)));
    b = Math.fround(b + squareOff(Math.fround(block[i + 1] * inverse)));
    c = Math.fround(c + squareOff(Math.fround(block[i + 2] * inverse)));
    d = Math.fround(d + squareOff(Math.fround(block[i + 3] * inverse)));
  }
  const sum = Math.fround(Math.fround(a + c) + Math.fround(b + d));
  const unit = Math.fround(scale / largest);
  return Math.fround(Math.fround(sum * unit) * unit);
}

/** The square of what a value in steps loses. */
function squareOff(scaled: number): number {
  const off = Math.fround(scaled - clamped(scaled));
  return Math.fround(off * off);
}
