/**
 * How a file keeps a q4 matrix, row by row: a bfloat16 scale for each block of 32 inputs, then 16 bytes of codes for each, little-endian. A value is
 * its code times the scale of its block. `kernels/shared/q4.ts` says how codes and scales are found.
 */
import { Q8_BLOCK, q8Blocks } from './q8';

/** Bytes of the codes of a block: byte i has the code of input i in its lower half, and that of input i + 16 in its upper half. */
export const Q4_BYTES = 16;

const SCALE_BYTES = 2;

/** Bytes of a block in a file: its scale and its codes. A short block at the end of a row has as many; codes past the end mean nothing. */
export const Q4_BLOCK_BYTES = SCALE_BYTES + Q4_BYTES;

/** Bytes of a row of `cols` inputs in a file. */
export function q4RowBytes(cols: number): number {
  return q8Blocks(cols) * Q4_BLOCK_BYTES;
}

/** The code of input `i` of a block whose codes begin at `codes[at]`. */
export function q4Code(codes: Uint8Array, at: number, i: number): number {
  return ((codes[at + (i & 15)] >> ((i >> 4) << 2)) & 15) - 8;
}

/** Rows of a matrix as a q4 weight has them. */
export interface Q4Rows {
  /** [rows, q8Blocks(cols), Q4_BYTES]: two codes a byte, each with 8 added */
  readonly codes: Uint8Array;
  /** [rows, q8Blocks(cols)], each a bfloat16 */
  readonly scales: Float32Array;
}

/** The bytes that a file has of whole rows. */
export function packQ4({ codes, scales }: Q4Rows, cols: number): Uint8Array {
  const blocks = q8Blocks(cols);
  const width = q4RowBytes(cols);
  const bytes = new Uint8Array(scales.length * Q4_BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  const bits = new Uint32Array(scales.buffer, scales.byteOffset, scales.length);
  for (let row = 0; row * blocks < scales.length; row++) {
    for (let b = 0; b < blocks; b++) {
      view.setUint16(row * width + b * SCALE_BYTES, bits[row * blocks + b] >>> 16, true);
    }
    const own = codes.subarray(row * blocks * Q4_BYTES, (row + 1) * blocks * Q4_BYTES);
    bytes.set(own, row * width + blocks * SCALE_BYTES);
  }
  return bytes;
}

/** Reads whole rows of a file. */
export function unpackQ4(bytes: Uint8Array, cols: number): Q4Rows {
  const blocks = q8Blocks(cols);
  const width = q4RowBytes(cols);
  const rows = bytes.length / width;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const codes = new Uint8Array(rows * blocks * Q4_BYTES);
  const bits = new Uint32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    for (let b = 0; b < blocks; b++) bits[row * blocks + b] = view.getUint16(start + b * SCALE_BYTES, true) << 16;
    codes.set(bytes.subarray(start + blocks * SCALE_BYTES, start + width), row * blocks * Q4_BYTES);
  }
  return { codes, scales: new Float32Array(bits.buffer) };
}

/** The values of rows, [rows, cols]: each is code · scale, which is exact in float32 unless it is too large for it. */
export function q4Values({ codes, scales }: Q4Rows, cols: number): Float32Array {
  const blocks = q8Blocks(cols);
  const rows = scales.length / blocks;
  const values = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < cols; i++) {
      const block = row * blocks + Math.floor(i / Q8_BLOCK);
      values[row * cols + i] = q4Code(codes, block * Q4_BYTES, i % Q8_BLOCK) * scales[block];
    }
  }
  return values;
}
