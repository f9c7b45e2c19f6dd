import type { StoredType } from '../contract';
import { bf16ToF32, decodeRows, f32ToBf16 } from '../shared/float';
import { Q8_BLOCK, q8Blocks, quantizeRows } from '../shared/q8';
import type { GpuWeight, Piece } from './boxes';
import { view } from './queue';

/**
 * Weight rows in a panel. Neighbouring threads compute neighbouring outputs, and a WebGPU workgroup has 64 threads, so weights
 * are stored as [panels, words, 64]: each step of the sums of a workgroup reads the next 256 bytes. The last panel is filled
 * with rows of zeros.
 */
export const PANEL = 64;

/** Rows of the panels that hold `rows` rows. */
export function panelRows(rows: number): number {
  return Math.ceil(rows / PANEL) * PANEL;
}

/** Float32 words for a block of 32 int8 codes: ten words with three codes each, and one with two. */
export const Q8_WORDS = 11;

/** Float32 values of a weight row on the device. bf16 is stored as float32; docs/gpu.md has the measurement that says why. */
export function rowWords(cols: number, type: GpuWeight['type']): { words: number; scales: number } {
  if (type !== 'q8') return { words: cols, scales: 0 };
  return { words: q8Blocks(cols) * Q8_WORDS, scales: q8Blocks(cols) };
}

/** Decodes rows of stored values to the numbers that a weight has: float32, or float32 rounded to bf16. */
export function weightValues(
  bytes: Uint8Array,
  stored: StoredType,
  { type, cols }: Pick<GpuWeight, 'type' | 'cols'>,
): Float32Array {
  const values = decodeRows(bytes, stored, cols);
  if (type !== 'bf16' || stored === 'bf16') return values;
  return values.map((value) => bf16ToF32(f32ToBf16(value)));
}

/**
 * Packs whole rows into the staged arrays of a piece.
 *
 * @param values - [rows, cols]; the first of these rows is row `first` of the weight, and all of them are in the piece
 */
export function packRows(weight: GpuWeight, piece: Piece, first: number, values: Float32Array): void {
  const { cols } = weight;
  const staged = piece.staged!;
  const rows = values.length / cols;
  const at = first - piece.from;
  const row = rowWords(cols, weight.type);
  /** Index of word `i` of row `r`, in rows of `count` words. */
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

/** Three codes of a row, which start at input `i`, as digits in base 256, with 128 added to each: a number below 2²⁴, exact in float32. */
function word(codes: Int8Array, row: number, cols: number, i: number): number {
  const end = Math.min(cols, (Math.floor(i / Q8_BLOCK) + 1) * Q8_BLOCK);
  const digit = (k: number): number => (k < end ? codes[row + k] : 0) + 128;
  return digit(i) * 65536 + digit(i + 1) * 256 + digit(i + 2);
}

/** The arrays of a piece, as arguments of a kernel. */
export function pieceViews(weight: GpuWeight, piece: Piece) {
  const row = rowWords(weight.cols, weight.type);
  const words = view(piece.words, PANEL, row.words);
  return weight.type === 'q8' ? [words, view(piece.scales, PANEL, row.scales)] : [words];
}
