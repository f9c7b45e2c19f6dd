import type { StoredType } from '../contract';
import { bf16ToF32, decodeStored, f32ToBf16 } from '../shared/float';
import { Q8_BLOCK, q8Blocks, quantizeRows } from '../shared/q8';
import type { GpuWeight, Piece } from './boxes';

/**
 * Weight rows side by side in a panel: neighbouring threads compute neighbouring outputs, 64 to a WebGPU workgroup, so
 * each step of their sums reads 256 bytes in a row and the next step the 256 bytes after. [panels, words, 64]; the rows
 * that fill up the last panel are zeros.
 */
export const PANEL = 64;

/** Rows that a piece of `rows` takes up. */
export function panelRows(rows: number): number {
  return Math.ceil(rows / PANEL) * PANEL;
}

/** Float32 words that hold 32 int8 codes, three to a word: ten whole triples and a pair. */
export const Q8_WORDS = 11;

/** Values a row of a weight takes on the device, by type. bf16 is kept as float32: see docs/gpu.md for the measurement. */
export function rowWords(cols: number, type: GpuWeight['type']): { words: number; scales: number } {
  if (type !== 'q8') return { words: cols, scales: 0 };
  return { words: q8Blocks(cols) * Q8_WORDS, scales: q8Blocks(cols) };
}

/** Rows of stored values as the numbers that a weight keeps: float32, or float32 rounded to bf16. */
export function decodeRows(bytes: Uint8Array, stored: StoredType, type: GpuWeight['type']): Float32Array {
  const values = decodeStored(bytes, stored);
  if (type !== 'bf16' || stored === 'bf16') return values;
  return values.map((value) => bf16ToF32(f32ToBf16(value)));
}

/**
 * Puts whole rows into a piece's staged arrays, panel by panel.
 *
 * @param values - [rows, cols], for rows `first …` of the weight, all of them inside the piece
 */
export function packRows(weight: GpuWeight, piece: Piece, first: number, values: Float32Array): void {
  const { cols } = weight;
  const staged = piece.staged!;
  const rows = values.length / cols;
  const at = first - piece.from;
  const row = rowWords(cols, weight.type);
  /** Where word `i` of row `r` goes, in rows of `count` words. */
  const place = (r: number, i: number, count: number): number =>
    (Math.floor((at + r) / PANEL) * count + i) * PANEL + ((at + r) % PANEL);
  if (weight.type !== 'q8') {
    for (let r = 0; r < rows; r++) {
      const start = place(r, 0, cols);
      for (let i = 0; i < cols; i++) staged.words[start + i * PANEL] = values[r * cols + i];
    }
    return;
  }
  const codes = new Int8Array(rows * cols);
  const scales = new Float32Array(rows * row.scales);
  quantizeRows(values, cols, codes, scales);
  for (let r = 0; r < rows; r++) {
    for (let b = 0; b < row.scales; b++) {
      staged.scales[place(r, b, row.scales)] = scales[r * row.scales + b];
      for (let w = 0; w < Q8_WORDS; w++) {
        const i = b * Q8_WORDS + w;
        staged.words[place(r, i, row.words)] = word(codes, r * cols, cols, b * Q8_BLOCK + w * 3);
      }
    }
  }
}

/** Three codes from input `i` of a row, in base 256 with 128 for zero: whole numbers below 2²⁴, exact as float32. */
function word(codes: Int8Array, row: number, cols: number, i: number): number {
  const end = Math.min(cols, (Math.floor(i / Q8_BLOCK) + 1) * Q8_BLOCK);
  const digit = (k: number): number => (k < end ? codes[row + k] : 0) + 128;
  return digit(i) * 65536 + digit(i + 1) * 256 + digit(i + 2);
}
