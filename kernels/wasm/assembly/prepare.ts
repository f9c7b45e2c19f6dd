/**
 * What happens to activations before a product: the norm, packing into row blocks, and 7-bit codes for q8 and q4 weights. The
 * parameters are `PrepareParameter`; a chunk is a row.
 */
import { PrepareParameter } from '../layout';
import { float, parameterAddress, scratch, word } from './control';
import { FOUR_CODES, WIDE } from './level';
import { blockStart, evenInputs } from './blocks';
import { startsAfter, storeStart } from './tileQ4';

export function prepareChunk(row: i32): void {
  const inputs = <i32>word(PrepareParameter.inputs);
  const width = <usize>inputs << 2;
  const x = <usize>word(PrepareParameter.x) + <usize>row * width;
  const gain = <usize>word(PrepareParameter.gain);
  const plain = <usize>word(PrepareParameter.plainRows);
  let values = x;
  if (gain != 0 || float(PrepareParameter.scale) != 1) {
    values = plain != 0 ? plain + <usize>row * width : scratch();
    if (gain != 0) normRow(values, x, gain, inputs, load<f64>(parameterAddress(PrepareParameter.epsilon)));
    else memory.copy(values, x, width);
    if (float(PrepareParameter.scale) != 1) scaleRow(values, inputs, float(PrepareParameter.scale));
  }
  if (word(PrepareParameter.floatRows) != 0) packRow(row, inputs, values);
  if (word(PrepareParameter.codeRows) != 0) quantizeRow(row, inputs, values);
}

/** out = x / sqrt(mean(x²) + ε) · gain. The mean is float64; then come two float32 products. */
function normRow(out: usize, x: usize, gain: usize, inputs: i32, epsilon: f64): void {
  const squares = sumOfSquares(x, inputs);
  const inverse = <f32>(1.0 / Math.sqrt(squares / <f64>inputs + epsilon));
  const factor = f32x4.splat(inverse);
  const end = x + (<usize>inputs << 2);
  for (; x + 16 <= end; x += 16) {
    v128.store(out, f32x4.mul(f32x4.mul(v128.load(x), factor), v128.load(gain)));
    out += 16;
    gain += 16;
  }
  for (; x < end; x += 4) {
    store<f32>(out, load<f32>(x) * inverse * load<f32>(gain));
    out += 4;
    gain += 4;
  }
}

function sumOfSquares(x: usize, inputs: i32): f64 {
  let first = f64x2.splat(0);
  let second = first;
  const end = x + (<usize>inputs << 2);
  for (; x + 16 <= end; x += 16) {
    const v = v128.load(x);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 0));
    first = f64x2.add(first, f64x2.mul(a, a));
    second = f64x2.add(second, f64x2.mul(b, b));
  }
  const both = f64x2.add(first, second);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; x < end; x += 4) {
    const value = <f64>load<f32>(x);
    sum += value * value;
  }
  return sum;
}

function scaleRow(x: usize, inputs: i32, scale: f32): void {
  for (let i = 0; i < inputs; i++) {
    store<f32>(x, load<f32>(x) * scale);
    x += 4;
  }
}

/** The block that a row is in, of `count`. */
// @ts-ignore: decorator
@inline
function blockOf(row: i32, rows: i32, count: i32): i32 {
  let block = <i32>((<i64>row * count) / rows);
  if (blockStart(rows, count, block + 1) <= row) block++;
  return block;
}

/** Copies one row into its block, [inputs, rows of the block]. A 0 follows an odd number of inputs. */
export function packRow(row: i32, inputs: i32, values: usize): void {
  const rows = <i32>word(PrepareParameter.rows);
  const count = <i32>word(PrepareParameter.floatBlocks);
  const block = blockOf(row, rows, count);
  const start = blockStart(rows, count, block);
  const blockRows = <usize>(blockStart(rows, count, block + 1) - start);
  let to = <usize>word(PrepareParameter.floatRows) + ((<usize>start * evenInputs(inputs)) << 2);
  if (blockRows == 1) {
    memory.copy(to, values, <usize>inputs << 2);
    if (WIDE && inputs & 1) store<f32>(to + (<usize>inputs << 2), 0);
    return;
  }
  to += <usize>(row - start) << 2;
  const end = values + (<usize>inputs << 2);
  for (; values < end; values += 4) {
    store<f32>(to, load<f32>(values));
    to += blockRows << 2;
  }
  if (WIDE && inputs & 1) store<f32>(to, 0);
}

/**
 * Quantises one row. In each block of 32 inputs, code = nearest((x − least) / step), in 0 … 127, with
 * step = (most − least) / 127. So a block whose values all have one sign, as after a relu, keeps all seven bits. A block with
 * NaN or an infinity gets the step NaN.
 */
function quantizeRow(row: i32, inputs: i32, values: usize): void {
  const rows = <i32>word(PrepareParameter.rows);
  const count = <i32>word(PrepareParameter.codeBlocks);
  const block = blockOf(row, rows, count);
  const start = blockStart(rows, count, block);
  const blockRows = <usize>(blockStart(rows, count, block + 1) - start);
  const before = <usize>start * <usize>((inputs + 31) >> 5);
  let codes = <usize>word(PrepareParameter.codeRows) + before * (FOUR_CODES << 3) + <usize>(row - start) * FOUR_CODES;
  let steps = <usize>word(PrepareParameter.codeSteps) + (before << 3) + (<usize>(row - start) << 3);
  const starts = startsAfter(rows, inputs);
  for (let left = inputs; left > 0; left -= 32) {
    const sum = left >= 32 ? quantizeBlock(values, codes, steps, blockRows) : quantizeTail(values, left, codes, steps, blockRows);
    storeStart(steps + starts, sum);
    values += 128;
    codes += FOUR_CODES * 8 * blockRows;
    steps += blockRows << 3;
  }
}

/** @returns the sum of the codes */
function quantizeBlock(x: usize, codes: usize, steps: usize, blockRows: usize): i32 {
  let least = v128.load(x);
  let most = least;
  for (let i: usize = 16; i < 128; i += 16) {
    const v = v128.load(x + i);
    least = f32x4.min(least, v);
    most = f32x4.max(most, v);
  }
  least = f32x4.min(least, v128.shuffle<f32>(least, least, 2, 3, 0, 1));
  least = f32x4.min(least, v128.shuffle<f32>(least, least, 1, 0, 3, 2));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  const step = (f32x4.extract_lane(most, 0) - f32x4.extract_lane(least, 0)) / 127;
  store<f32>(steps, step);
  store<f32>(steps, f32x4.extract_lane(least, 0), 4);
  const inverse = f32x4.splat(step > 0 ? 1 / step : 0);
  let sums = i32x4.splat(0);
  for (let i: usize = 0; i < 8; i++) {
    const scaled = f32x4.nearest(f32x4.mul(f32x4.sub(v128.load(x + (i << 4)), least), inverse));
    const code = i32x4.trunc_sat_f32x4_s(f32x4.min(f32x4.max(scaled, f32x4.splat(0)), f32x4.splat(127)));
    sums = i32x4.add(sums, code);
    const words = i16x8.narrow_i32x4_s(code, code);
    if (ASC_FEATURE_RELAXED_SIMD) store<i32>(codes, i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0));
    else store<i64>(codes, i64x2.extract_lane(words, 0));
    codes += FOUR_CODES * blockRows;
  }
  sums = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1);
}

/** The last block of a row, when it is shorter than 32. It is padded with its first value; the weights there are zero. */
function quantizeTail(x: usize, inputs: i32, codes: usize, steps: usize, blockRows: usize): i32 {
  const padded = scratch() + <usize>word(PrepareParameter.paddingOffset);
  const first = load<f32>(x);
  for (let i = 0; i < 32; i++) {
    store<f32>(padded + (<usize>i << 2), i < inputs ? load<f32>(x + (<usize>i << 2)) : first);
  }
  return quantizeBlock(padded, codes, steps, blockRows);
}
