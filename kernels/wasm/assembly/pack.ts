/** Packs rows of a checkpoint into panels of eight. The parameters are `PackParameter`; a chunk is a panel. */
import { PackParameter, Size, StoredCode, WeightCode } from '../layout';
import { scratch, word } from './control';
import { panelBytes } from './blocks';
import { WIDE } from './level';
import { copyQ4, decodeQ4, quantizeQ4, sumOf } from './packQ4';

export function packPanel(chunk: i32): void {
  const cols = <i32>word(PackParameter.cols);
  const type = <i32>word(PackParameter.type);
  const stored = word(PackParameter.stored);
  const panel = <usize>word(PackParameter.weight) + panelBytes(type, cols) * <usize>((<i32>word(PackParameter.firstRow) >> 3) + chunk);
  if (type == WeightCode.q8 && stored == StoredCode.q8) {
    copyQ8(panel, chunk, cols);
    return;
  }
  if (type == WeightCode.q4 && stored == StoredCode.q4) {
    copyQ4(panel, chunk, cols);
    return;
  }
  const width = <usize>cols << 2;
  const rows = scratch(); // [8, cols]
  for (let lane = 0; lane < Size.panelOutputs; lane++) {
    decodeRow(rows + <usize>lane * width, chunk * Size.panelOutputs + lane, cols);
  }
  if (type == WeightCode.f32) packF32(panel, rows, cols);
  else if (type == WeightCode.bf16) packBf16(panel, rows, cols);
  else packCodes(type, panel, rows, cols);
}

/** Decodes one stored row to float32, exactly. Rows after the last one are zeros. */
function decodeRow(to: usize, row: i32, cols: i32): void {
  const stored = word(PackParameter.stored);
  if (row >= <i32>word(PackParameter.rows)) {
    memory.fill(to, 0, <usize>cols << 2);
    return;
  }
  if (stored == StoredCode.q8) {
    decodeQ8(to, storedQ8(row, cols), cols);
    return;
  }
  if (stored == StoredCode.q4) {
    decodeQ4(to, row, cols);
    return;
  }
  const bytes: usize = stored == StoredCode.f32 ? 4 : stored == StoredCode.i8 ? 1 : 2;
  const from = <usize>word(PackParameter.source) + <usize>row * <usize>cols * bytes;
  if (stored == StoredCode.f32) memory.copy(to, from, <usize>cols << 2);
  else if (stored == StoredCode.i8) for (let i: usize = 0; i < <usize>cols; i++) store<f32>(to + (i << 2), <f32>load<i8>(from + i));
  else decodeHalves(to, from, cols, stored == StoredCode.f16);
}

/** Where a stored q8 row begins: its scales, and after them its codes. */
// @ts-ignore: decorator
@inline
function storedQ8(row: i32, cols: i32): usize {
  const rowBytes = <usize>((((cols + 31) >> 5) << 2) + cols);
  return <usize>word(PackParameter.source) + <usize>row * rowBytes;
}

/** code · scale, rounded once. */
function decodeQ8(to: usize, from: usize, cols: i32): void {
  const codes = from + <usize>(((cols + 31) >> 5) << 2);
  for (let i: usize = 0; i < <usize>cols; i++) {
    store<f32>(to + (i << 2), <f32>load<i8>(codes + i) * load<f32>(from + ((i >> 5) << 2)));
  }
}

/** Puts the codes and scales of eight stored rows into a panel. Rows after the last one are zeros. */
function copyQ8(panel: usize, chunk: i32, cols: i32): void {
  const short = scratch(); // [32] codes
  const blocks = <usize>((cols + 31) >> 5);
  for (let b: usize = 0; b < blocks; b++) {
    const count = min<usize>(32, <usize>cols - (b << 5));
    for (let lane: usize = 0; lane < 8; lane++) {
      const row = (chunk << 3) + <i32>lane;
      const isRow = row < <i32>word(PackParameter.rows);
      const from = storedQ8(row, cols);
      v128.store(short, i32x4.splat(0));
      v128.store(short, i32x4.splat(0), 16);
      if (isRow) memory.copy(short, from + (blocks << 2) + (b << 5), count);
      storeBlock(panel, lane, isRow ? load<f32>(from + (b << 2)) : 0, v128.load(short), v128.load(short, 16));
    }
    panel += <usize>Size.q8Block;
  }
}

function decodeHalves(to: usize, from: usize, cols: i32, isF16: bool): void {
  let i: usize = 0;
  const count = <usize>cols;
  for (; i + 4 <= count; i += 4) {
    const words = v128.load_ext<u16>(from + (i << 1));
    v128.store(to + (i << 2), isF16 ? fromF16(words) : i32x4.shl(words, 16));
  }
  for (; i < count; i++) {
    const words = i32x4.splat(<i32>load<u16>(from + (i << 1)));
    store<i32>(to + (i << 2), i32x4.extract_lane(isF16 ? fromF16(words) : i32x4.shl(words, 16), 0));
  }
}

/** binary16, in the low half of each lane, to float32; exact for every pattern. The product corrects the exponent. */
// @ts-ignore: decorator
@inline
function fromF16(words: v128): v128 {
  const sign = i32x4.shl(v128.and(words, i32x4.splat(0x8000)), 16);
  const magnitude = v128.and(words, i32x4.splat(0x7fff));
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), i32x4.splat(0x77800000)); // · 2¹¹²
  const special = v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x7c00)), i32x4.splat(0x7f800000));
  return v128.or(v128.or(scaled, special), sign);
}

/** [8, cols] to [cols, 8]. */
function packF32(panel: usize, rows: usize, cols: i32): void {
  const width = <usize>cols << 2;
  let i = 0;
  for (; i + 4 <= cols; i += 4) {
    const from = rows + (<usize>i << 2);
    const to = panel + (<usize>i << 5);
    transpose(to, from, width);
    transpose(to + 16, from + width * 4, width);
  }
  for (; i < cols; i++) {
    for (let lane: usize = 0; lane < 8; lane++) {
      store<u32>(panel + (<usize>i << 5) + (lane << 2), load<u32>(rows + lane * width + (<usize>i << 2)));
    }
  }
}

/** Writes the next four values of four rows to four panel rows. */
// @ts-ignore: decorator
@inline
function transpose(to: usize, from: usize, width: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + width);
  const c = v128.load(from + width * 2);
  const d = v128.load(from + width * 3);
  const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i32>(abLow, cdLow, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<i32>(abLow, cdLow, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<i32>(abHigh, cdHigh, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<i32>(abHigh, cdHigh, 2, 3, 6, 7), 96);
}

/** Nearest bfloat16, ties to even; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function toBf16(bits: u32): u16 {
  if ((bits & 0x7fffffff) > 0x7f800000) return <u16>((bits >> 16) | 0x40);
  return <u16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/**
 * Where the bfloat16 of a lane and an input is in a panel. A word of 32 bits holds outputs i and i + 4 of one input. In wide modules
 * it holds two inputs of one output, the first in its lower half, so that one operation on eight words gives eight neighbouring
 * outputs and V8 can compute it in 256 bits.
 */
// @ts-ignore: decorator
@inline
export function bf16Address(panel: usize, lane: usize, input: usize): usize {
  if (WIDE) return panel + (input >> 1 << 5) + (lane << 2) + ((input & 1) << 1);
  return panel + (input << 4) + (((lane & 3) << 2) + ((lane >> 2) << 1));
}

/** `toBf16` of four lanes, in their upper halves. The lower halves are not cleared. */
// @ts-ignore: decorator
@inline
function roundUp4(bits: v128): v128 {
  const nan = i32x4.gt_s(v128.and(bits, i32x4.splat(0x7fffffff)), i32x4.splat(0x7f800000));
  const even = v128.and(i32x4.shr_u(bits, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(bits, i32x4.splat(0x7fff)), even);
  return v128.bitselect(v128.or(bits, i32x4.splat(0x400000)), rounded, nan);
}

/**
 * [8, cols] to [cols, 8], in wide modules to [cols / 2, 8, 2], four inputs at a time. They are transposed in the scratch memory
 * after the rows. In wide modules an odd last input has −0 beside it: its product with 0 is −0, which changes no sum.
 */
function packBf16(panel: usize, rows: usize, cols: i32): void {
  const width = <usize>cols << 2;
  const square = rows + width * 8; // [4, 8]
  let i: usize = 0;
  for (; i + 4 <= <usize>cols; i += 4) {
    const from = rows + (i << 2);
    transpose(square, from, width);
    transpose(square + 16, from + width * 4, width);
    for (let k: usize = 0; k < 4; k++) {
      const first = WIDE ? square + ((k & 2) << 5) + ((k & 1) << 4) : square + (k << 5);
      const low = i32x4.shr_u(roundUp4(v128.load(first)), 16);
      const high = v128.and(roundUp4(v128.load(first, WIDE ? 32 : 16)), i32x4.splat(0xffff0000));
      v128.store(panel + ((i + k) << 4), v128.or(low, high));
    }
  }
  for (; i < <usize>cols; i++) {
    for (let lane: usize = 0; lane < 8; lane++) {
      store<u16>(bf16Address(panel, lane, i), toBf16(load<u32>(rows + (i << 2) + lane * width)));
    }
  }
  if (WIDE && i & 1) for (let lane: usize = 0; lane < 8; lane++) store<u16>(bf16Address(panel, lane, i), 0x8000);
}

/** q8 and q4: `kernels/shared/q8.ts` and `q4.ts` define the codes, and `Size` the layouts of a block. */
function packCodes(type: i32, panel: usize, rows: usize, cols: i32): void {
  const short = rows + (<usize>cols << 5); // [32]
  for (let from = 0; from < cols; from += 32) {
    for (let lane: usize = 0; lane < 8; lane++) {
      let values = rows + ((lane * <usize>cols + <usize>from) << 2);
      if (cols - from < 32) {
        memory.fill(short, 0, 128);
        memory.copy(short, values, <usize>(cols - from) << 2);
        values = short;
      }
      if (type == WeightCode.q8) quantize(panel, lane, values);
      else quantizeQ4(panel, lane, values, largestOf(values));
    }
    panel += panelBytes(type, 32);
  }
}

/** Quantises one block of 32 inputs of one row, into the lane of that row. */
function quantize(block: usize, lane: usize, values: usize): void {
  const largest = largestOf(values);
  const finite = largest < Infinity;
  const scale = finite ? largest / 127 : NaN;
  const usable = finite && scale != 0;
  const divisor = f32x4.splat(scale);
  const first = usable ? sixteenCodes(values, divisor) : i32x4.splat(0);
  const second = usable ? sixteenCodes(values + 64, divisor) : i32x4.splat(0);
  storeBlock(block, lane, scale, first, second);
}

/** Writes one block of one row: its scale, its 32 codes and their sum. */
function storeBlock(block: usize, lane: usize, scale: f32, first: v128, second: v128): void {
  const codes = block + Size.q8Codes + (lane << 2);
  storeLanes(codes, first);
  storeLanes(codes + 128, second);
  store<f32>(block + (lane << 2), scale);
  store<i16>(block + 32 + (lane << 1), <i16>sumOf(first, second));
}

/** nearest(value / scale) of 16 values, in −127 … 127. */
// @ts-ignore: decorator
@inline
function sixteenCodes(values: usize, scale: v128): v128 {
  const low = i16x8.narrow_i32x4_s(fourCodes(v128.load(values), scale), fourCodes(v128.load(values, 16), scale));
  const high = i16x8.narrow_i32x4_s(fourCodes(v128.load(values, 32), scale), fourCodes(v128.load(values, 48), scale));
  return i8x16.max_s(i8x16.narrow_i16x8_s(low, high), i8x16.splat(-127));
}

/** nearest(value / scale), ties to even. Adding 1.5 · 2²³ leaves the nearest integer in the low bits of a small float. */
// @ts-ignore: decorator
@inline
function fourCodes(values: v128, scale: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.div(values, scale), f32x4.splat(12582912)), i32x4.splat(0x4b400000));
}

/** Writes four codes to each of the next four groups of a block. */
// @ts-ignore: decorator
@inline
function storeLanes(at: usize, codes: v128): void {
  v128.store32_lane(at, codes, 0);
  v128.store32_lane(at, codes, 1, 32);
  v128.store32_lane(at, codes, 2, 64);
  v128.store32_lane(at, codes, 3, 96);
}

/** The largest magnitude of 32 values, or NaN when one of them is NaN. */
function largestOf(values: usize): f32 {
  let most = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(values + i)));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
}
