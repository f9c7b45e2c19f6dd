/**
 * The matrix product job: out[r][o] = Σ x[r][i] · weight[o][i] (+ residual[r][o]) for one or more matrices that share x.
 *
 * Parameters: 0 rows, 1 inputs, 2 packed float rows, 3 packed codes, 4 their steps, 5 matrices, 6 units a chunk,
 * 7 units in all; then eight words a matrix: weight, type, outputs, out, residual, last unit + 1.
 *
 * A unit is 32 outputs: four panels, one after the other in memory. Rows come in blocks as even as possible, packed
 * [inputs, rows of the block] by `prepare.ts`.
 */
import { word } from './control';
import { BF16, F32, PANEL, Q8, tile, tileOne, tileTwo } from './tile';
import { CODE_BYTES } from './level';
import { Q8_PANEL_BLOCK, tileQ8, tileQ8One, tileQ8Strict } from './tileQ8';

/** Outputs in a unit. */
// @ts-ignore: decorator
@inline
export const UNIT: i32 = 32;

/** The most rows in a block of float rows. */
// @ts-ignore: decorator
@inline
export const FLOAT_ROWS: i32 = 6;

/** The most rows in a block of codes: what fits the registers beside the float sums. */
// @ts-ignore: decorator
@inline
export const CODE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;

/** Number of row blocks for `rows` rows. */
// @ts-ignore: decorator
@inline
export function blocksOf(rows: i32, most: i32): i32 {
  return (rows + most - 1) / most;
}

/** First row of block `index` of `count`: blocks as even as they can be. */
// @ts-ignore: decorator
@inline
export function blockStart(rows: i32, count: i32, index: i32): i32 {
  return <i32>((<i64>rows * index) / count);
}

/** Bytes of a panel. */
// @ts-ignore: decorator
@inline
export function panelBytes(type: i32, inputs: i32): usize {
  if (type == F32) return <usize>inputs << 5;
  if (type == BF16) return <usize>inputs << 4;
  return <usize>((inputs + 31) >> 5) * Q8_PANEL_BLOCK;
}

/** A pointer moved on, where there is one. */
// @ts-ignore: decorator
@inline
function shifted(pointer: usize, bytes: usize): usize {
  return select(pointer + bytes, pointer, pointer != 0);
}

export function matmulChunk(chunk: i32): void {
  const perChunk = <i32>word(6);
  const last = min(<i32>word(7), (chunk + 1) * perChunk);
  let unit = chunk * perChunk;
  let matrix: usize = 8;
  let first = 0;
  while (unit < last) {
    const end = <i32>word(matrix + 5);
    if (unit >= end) {
      first = end;
      matrix += 8;
    } else {
      const to = min(last, end);
      matmulUnits(matrix, unit - first, to - first);
      unit = to;
    }
  }
}

function matmulUnits(matrix: usize, from: i32, to: i32): void {
  const rows = <i32>word(0);
  const inputs = <i32>word(1);
  const type = <i32>word(matrix + 1);
  const outputs = <i32>word(matrix + 2);
  const panel = panelBytes(type, inputs);
  const weight = <usize>word(matrix);
  const out = <usize>word(matrix + 3);
  const residual = <usize>word(matrix + 4);
  for (let unit = from; unit < to; unit++) {
    const column = unit * UNIT;
    const w = weight + panel * <usize>(unit << 2);
    const at = <usize>column << 2;
    const added = shifted(residual, at);
    const valid = outputs - column;
    const next = column + UNIT < outputs ? w + panel * 4 : w;
    if (type == Q8) unitQ8(rows, inputs, w, panel, out + at, added, outputs, valid, next);
    else if (type == F32) unitF32(rows, inputs, w, panel, out + at, added, outputs, valid, next);
    else unitBf16(rows, inputs, w, panel, out + at, added, outputs, valid, next);
  }
}

/** Bytes a stream is asked for at a time when `count` row blocks share the asking; none where arithmetic rules. */
// @ts-ignore: decorator
@inline
function paceOf(bytes: i32, count: i32): usize {
  return count > 8 ? 0 : <usize>(bytes / count);
}

// @ts-ignore: decorator
@inline
function unitFloat(
  type: i32, rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  const x = <usize>word(2);
  const stride = <usize>outputs << 2;
  if (rows == 1) {
    tileOne(type, w, panel, x, inputs, out, residual, valid, next);
  } else if (rows == 2) {
    for (let column = 0; column < UNIT && column < valid; column += PANEL * 2) {
      tileTwo(type, w, panel, x, inputs, out, residual, stride, valid - column, next);
      next += panel >> 1;
      w += panel * 2;
      out += 64;
      residual = shifted(residual, 64);
    }
  } else {
    const count = blocksOf(rows, FLOAT_ROWS);
    const pace = paceOf(64, count);
    for (let column = 0; column < UNIT && column < valid; column += PANEL) {
      for (let block = 0; block < count; block++) {
        const start = blockStart(rows, count, block);
        const at = <usize>start * stride;
        const xs = x + ((<usize>start * <usize>inputs) << 2);
        const many = blockStart(rows, count, block + 1) - start;
        blockFloat(type, many, w, xs, inputs, out + at, shifted(residual, at), stride, valid - column, next, panel, pace);
        next += (panel >> 2) / <usize>count;
      }
      w += panel;
      out += 32;
      residual = shifted(residual, 32);
    }
  }
}

// @ts-ignore: decorator
@inline
function blockFloat(
  type: i32, rows: i32, w: usize, x: usize, inputs: i32, out: usize, residual: usize, stride: usize, valid: i32,
  ahead: usize, panel: usize, pace: usize,
): void {
  if (rows == 6) tile(type, 6, w, x, inputs, out, residual, stride, valid, ahead, panel, pace);
  else if (rows == 5) tile(type, 5, w, x, inputs, out, residual, stride, valid, ahead, panel, pace);
  else if (rows == 4) tile(type, 4, w, x, inputs, out, residual, stride, valid, ahead, panel, pace);
  else tile(type, 3, w, x, inputs, out, residual, stride, valid, ahead, panel, pace);
}

function unitF32(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  unitFloat(F32, rows, inputs, w, panel, out, residual, outputs, valid, next);
}

function unitBf16(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  unitFloat(BF16, rows, inputs, w, panel, out, residual, outputs, valid, next);
}

function unitQ8(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  const blocks = (inputs + 31) >> 5;
  const stride = <usize>outputs << 2;
  if (ASC_FEATURE_RELAXED_SIMD && rows == 1) {
    tileQ8One(w, panel, <usize>word(3), <usize>word(4), blocks, out, residual, valid, next);
    return;
  }
  const count = blocksOf(rows, CODE_ROWS);
  const pace = paceOf(76, count);
  for (let column = 0; column < UNIT && column < valid; column += PANEL) {
    for (let block = 0; block < count; block++) {
      const start = blockStart(rows, count, block);
      const at = <usize>start * stride;
      const before = <usize>start * <usize>blocks;
      const x = <usize>word(3) + before * (CODE_BYTES << 3);
      const steps = <usize>word(4) + (before << 3);
      blockQ8(blockStart(rows, count, block + 1) - start, w, x, steps, blocks, out + at, shifted(residual, at), stride, valid - column, next, panel, pace);
      next += (panel >> 2) / <usize>count;
    }
    w += panel;
    out += 32;
    residual = shifted(residual, 32);
  }
}

function blockQ8(
  rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  ahead: usize, panel: usize, pace: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (rows == 1) tileQ8(1, w, x, steps, blocks, out, residual, stride, valid, ahead, panel, pace);
    else if (rows == 2) tileQ8(2, w, x, steps, blocks, out, residual, stride, valid, ahead, panel, pace);
    else if (rows == 3) tileQ8(3, w, x, steps, blocks, out, residual, stride, valid, ahead, panel, pace);
    else tileQ8(4, w, x, steps, blocks, out, residual, stride, valid, ahead, panel, pace);
  } else {
    if (rows == 1) tileQ8Strict(1, w, x, steps, blocks, out, residual, stride, valid, ahead, panel, pace);
    else tileQ8Strict(2, w, x, steps, blocks, out, residual, stride, valid, ahead, panel, pace);
  }
}
