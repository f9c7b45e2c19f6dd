/**
 * Weights from the checkpoint's rows into panels of eight.
 *
 * Parameters: 0 stored bytes (at most 64-row steps of whole rows), 1 stored type (0 f32, 1 bf16, 2 f16, 3 i8), 2 rows,
 * 3 columns, 4 weight, 5 type, 6 first row. A chunk is a panel.
 */
import { scratch, word } from './control';
import { panelBytes } from './matmul';
import { BF16, F32, PANEL } from './tile';
import { Q8_CODES, Q8_PANEL_BLOCK } from './tileQ8';

export function packPanel(chunk: i32): void {
  const cols = <i32>word(3);
  const type = <i32>word(5);
  const width = <usize>cols << 2;
  const rows = scratch(); // [8, cols]
  for (let lane = 0; lane < PANEL; lane++) {
    decodeRow(rows + <usize>lane * width, chunk * PANEL + lane, cols);
  }
  const panel = <usize>word(4) + panelBytes(type, cols) * <usize>((<i32>word(6) >> 3) + chunk);
  if (type == F32) packF32(panel, rows, cols);
  else if (type == BF16) packBf16(panel, rows, cols);
  else packQ8(panel, rows, cols);
}

/** One stored row as float32, exactly; zeros beyond the last row. */
function decodeRow(to: usize, row: i32, cols: i32): void {
  const stored = word(1);
  if (row >= <i32>word(2)) {
    memory.fill(to, 0, <usize>cols << 2);
    return;
  }
  const bytes: usize = stored == 0 ? 4 : stored == 3 ? 1 : 2;
  const from = <usize>word(0) + <usize>row * <usize>cols * bytes;
  if (stored == 0) memory.copy(to, from, <usize>cols << 2);
  else if (stored == 3) for (let i: usize = 0; i < <usize>cols; i++) store<f32>(to + (i << 2), <f32>load<i8>(from + i));
  else decodeHalves(to, from, cols, stored == 2);
}

function decodeHalves(to: usize, from: usize, cols: i32, ieee: bool): void {
  let i: usize = 0;
  const many = <usize>cols;
  for (; i + 4 <= many; i += 4) {
    const words = v128.load_ext<u16>(from + (i << 1));
    v128.store(to + (i << 2), ieee ? fromF16(words) : i32x4.shl(words, 16));
  }
  for (; i < many; i++) {
    const words = i32x4.splat(<i32>load<u16>(from + (i << 1)));
    store<i32>(to + (i << 2), i32x4.extract_lane(ieee ? fromF16(words) : i32x4.shl(words, 16), 0));
  }
}

/** binary16 in the low half of each lane to float32, exact for every pattern: the exponent is rebased by a product. */
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

/** Four rows' next four values to four panel rows. */
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

/** Where a lane's bfloat16 lies in a panel's row: outputs i and i + 4 share 32 bits. */
// @ts-ignore: decorator
@inline
export function bf16Offset(lane: usize): usize {
  return ((lane & 3) << 2) + ((lane >> 2) << 1);
}

function packBf16(panel: usize, rows: usize, cols: i32): void {
  const width = <usize>cols << 2;
  for (let i: usize = 0; i < <usize>cols; i++) {
    const from = rows + (i << 2);
    for (let lane: usize = 0; lane < 8; lane++) {
      store<u16>(panel + (i << 4) + bf16Offset(lane), toBf16(load<u32>(from + lane * width)));
    }
  }
}

/** `kernels/shared/q8.ts` says what the codes are; block layout in `tileQ8.ts`. */
function packQ8(panel: usize, rows: usize, cols: i32): void {
  for (let from = 0; from < cols; from += 32) {
    for (let lane: usize = 0; lane < 8; lane++) {
      quantize(panel, lane, rows + ((lane * <usize>cols + <usize>from) << 2), min(32, cols - from));
    }
    panel += Q8_PANEL_BLOCK;
  }
}

function quantize(block: usize, lane: usize, values: usize, many: i32): void {
  const largest = largestOf(values, many);
  const finite = largest < Infinity;
  const scale = finite ? largest / 127 : NaN;
  const usable = finite && scale != 0;
  let sum = 0;
  for (let i = 0; i < 32; i++) {
    let code = 0;
    if (usable && i < many) {
      const nearest = f32x4.nearest(f32x4.splat(load<f32>(values + (<usize>i << 2)) / scale));
      code = max(-127, min(127, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(nearest), 0)));
    }
    store<i8>(block + Q8_CODES + (<usize>(i >> 2) << 5) + (lane << 2) + <usize>(i & 3), <i8>code);
    sum += code;
  }
  store<f32>(block + (lane << 2), scale);
  store<i16>(block + 32 + (lane << 1), <i16>sum);
}

/** Largest magnitude; NaN if there is one. */
function largestOf(values: usize, many: i32): f32 {
  let largest: f32 = 0;
  for (let i = 0; i < many; i++) largest = max(largest, abs(load<f32>(values + (<usize>i << 2))));
  return largest;
}
