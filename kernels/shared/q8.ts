import { Q8_BLOCK, q8Blocks } from '../../common';

/**
 * The q8 weight format: int8 codes with one float32 scale for each row and block of 32 inputs.
 *
 * scale = max|w| / 127 and code = nearest(w / scale), ties to even, kept in −127 … 127. Every step is a single float32
 * operation, so that a SIMD unit (div, nearest) gets the same codes bit for bit. 32 inputs is llama.cpp's Q8_0 block
 * (ggml-common.h): an outlier spoils no more than 31 neighbours, at 12.5 % more bytes.
 */
export { Q8_BLOCK, q8Blocks };

/** Adding and taking away 1.5 · 2⁵² leaves a small double rounded to the nearest integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

/**
 * Quantises whole rows. A block that holds NaN or an infinity gets the scale NaN, so that broken weights stay visible;
 * a block too small for a float32 scale becomes zeros.
 *
 * @param values - [rows, cols]
 * @param codes - [rows, cols], written
 * @param scales - [rows, q8Blocks(cols)], written
 */
export function quantizeRows(values: Float32Array, cols: number, codes: Int8Array, scales: Float32Array): void {
  const blocks = q8Blocks(cols);
  const rows = values.length / cols;
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * cols + block * Q8_BLOCK;
      const to = Math.min(from + Q8_BLOCK, (row + 1) * cols);
      scales[row * blocks + block] = quantizeBlock(values, from, to, codes);
    }
  }
}

function quantizeBlock(values: Float32Array, from: number, to: number, codes: Int8Array): number {
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (!(largest < Infinity)) {
    codes.fill(0, from, to);
    return Number.NaN;
  }
  const scale = Math.fround(largest / 127);
  if (scale === 0) {
    codes.fill(0, from, to);
    return 0;
  }
  for (let i = from; i < to; i++) {
    const code = Math.fround(values[i] / scale) + ROUNDER - ROUNDER;
    codes[i] = Math.max(-127, Math.min(127, code));
  }
  return scale;
}
