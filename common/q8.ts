/**
 * How a file keeps a q8 matrix, row by row: ceil(cols / 32) float32 scales, then cols int8 codes, little-endian. A value is its code times
 * the scale of its block of 32 inputs.
 */

/** Inputs that share a scale; the last block of a row may be short. */
export const Q8_BLOCK = 32;

const SCALE_BYTES = 4;

/** Blocks in a row of `cols` inputs. */
export function q8Blocks(cols: number): number {
  return Math.ceil(cols / Q8_BLOCK);
}

/** Bytes of a row of `cols` inputs in a file. */
export function q8RowBytes(cols: number): number {
  return q8Blocks(cols) * SCALE_BYTES + cols;
}

/** Rows of a matrix as a q8 weight has them. */
export interface Q8Rows {
  /** [rows, cols] */
  readonly codes: Int8Array;
  /** [rows, q8Blocks(cols)] */
  readonly scales: Float32Array;
}

/** The bytes that a file has of whole rows. */
export function packQ8({ codes, scales }: Q8Rows, cols: number): Uint8Array {
  const blocks = q8Blocks(cols);
  const width = q8RowBytes(cols);
  const rows = codes.length / cols;
  const bytes = new Uint8Array(rows * width);
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) view.setFloat32(row * width + b * SCALE_BYTES, scales[row * blocks + b], true);
    bytes.set(codes.subarray(row * cols, (row + 1) * cols), row * width + blocks * SCALE_BYTES);
  }
  return bytes;
}

/** Reads whole rows of a file. */
export function unpackQ8(bytes: Uint8Array, cols: number): Q8Rows {
  const blocks = q8Blocks(cols);
  const width = q8RowBytes(cols);
  const rows = bytes.length / width;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const codes = new Int8Array(rows * cols);
  const stored = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    for (let b = 0; b < blocks; b++) scales[row * blocks + b] = view.getFloat32(start + b * SCALE_BYTES, true);
    codes.set(stored.subarray(start + blocks * SCALE_BYTES, start + width), row * cols);
  }
  return { codes, scales };
}

/** The values of rows, [rows, cols]: each is code · scale, rounded to float32 once. */
export function q8Values({ codes, scales }: Q8Rows, cols: number): Float32Array {
  const blocks = q8Blocks(cols);
  const values = new Float32Array(codes.length);
  for (let row = 0; row < codes.length / cols; row++) {
    for (let b = 0; b < blocks; b++) {
      const scale = scales[row * blocks + b];
      const end = row * cols + Math.min((b + 1) * Q8_BLOCK, cols);
      for (let i = row * cols + b * Q8_BLOCK; i < end; i++) values[i] = codes[i] * scale;
    }
  }
  return values;
}
