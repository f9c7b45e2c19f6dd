/**
 * The matrix product: out[r][o] = Σ x[r][i] · weight[o][i] (+ residual[r][o]), for one or more matrices that share x.
 *
 * The parameters are `MatmulParameter` and, for each matrix, `MatrixParameter`. A chunk is some units of 32 outputs: four
 * panels, which lie one after the other in memory. Rows come in blocks that are as even as possible, packed
 * [inputs, rows of the block] by `prepare.ts`.
 */
import { Address, MatmulParameter, MatrixParameter, Size, WeightCode } from '../layout';
import { blocksOf, blockStart, panelBytes, prefetchBytes, shifted } from './blocks';
import { word } from './control';
import { FOUR_CODES } from './level';
import { unitBf16, unitF32 } from './unitFloat';
import { startsOf, tileQ4 } from './tileQ4';
import { tileQ8, tileQ8One, tileQ8Strict } from './tileQ8';

/** The most rows in a block of codes. */
// @ts-ignore: decorator
@inline
const CODE_BLOCK_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? Size.relaxedCodeBlockRows : Size.strictCodeBlockRows;

export function matmulChunk(chunk: i32): void {
  const perChunk = <i32>word(MatmulParameter.unitsPerChunk);
  const last = min(<i32>word(MatmulParameter.units), (chunk + 1) * perChunk);
  let unit = chunk * perChunk;
  let matrix: usize = MatmulParameter.firstMatrix;
  let first = 0;
  while (unit < last) {
    const end = <i32>word(matrix + MatrixParameter.endUnit);
    if (unit >= end) {
      first = end;
      matrix += Size.matrixWords;
    } else {
      const to = min(last, end);
      matmulUnits(matrix, unit - first, to - first);
      unit = to;
    }
  }
}

function matmulUnits(matrix: usize, from: i32, to: i32): void {
  const rows = <i32>word(MatmulParameter.rows);
  const inputs = <i32>word(MatmulParameter.inputs);
  const type = <i32>word(matrix + MatrixParameter.type);
  const outputs = <i32>word(matrix + MatrixParameter.outputs);
  const panel = panelBytes(type, inputs);
  const weight = <usize>word(matrix + MatrixParameter.weight);
  const out = <usize>word(matrix + MatrixParameter.out);
  const residual = <usize>word(matrix + MatrixParameter.residual);
  for (let unit = from; unit < to; unit++) {
    const column = unit * Size.unitOutputs;
    const w = weight + panel * <usize>(unit << 2);
    const at = <usize>column << 2;
    const added = shifted(residual, at);
    const valid = outputs - column;
    const next = column + Size.unitOutputs < outputs ? w + panel * 4 : w;
    if (type == WeightCode.q8) {
      unitQ8(rows, inputs, w, panel, out + at, added, outputs, valid, next);
    } else if (type == WeightCode.q4) {
      unitQ4(rows, inputs, w, panel, out + at, added, outputs, valid, next);
    } else if (type == WeightCode.f32) {
      unitF32(rows, inputs, w, panel, out + at, added, outputs, valid, next);
    } else {
      unitBf16(rows, inputs, w, panel, out + at, added, outputs, valid, next);
    }
  }
}

function unitQ8(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  const blocks = (inputs + 31) >> 5;
  const stride = <usize>outputs << 2;
  if (ASC_FEATURE_RELAXED_SIMD && rows == 1) {
    const x = <usize>word(MatmulParameter.codeRows);
    const steps = <usize>word(MatmulParameter.codeSteps);
    if (load<i32>(Address.dotInSteps)) tileQ8One(true, w, panel, x, steps, blocks, out, residual, valid, next);
    else tileQ8One(false, w, panel, x, steps, blocks, out, residual, valid, next);
    return;
  }
  const count = blocksOf(rows, CODE_BLOCK_ROWS);
  const bytes = prefetchBytes(76, count);
  for (let column = 0; column < Size.unitOutputs && column < valid; column += Size.panelOutputs) {
    for (let block = 0; block < count; block++) {
      const start = blockStart(rows, count, block);
      const at = <usize>start * stride;
      const before = <usize>start * <usize>blocks;
      const x = <usize>word(MatmulParameter.codeRows) + before * (FOUR_CODES << 3);
      const steps = <usize>word(MatmulParameter.codeSteps) + (before << 3);
      blockQ8(blockStart(rows, count, block + 1) - start, w, x, steps, blocks, out + at, shifted(residual, at), stride, valid - column, next, panel, bytes);
      next += (panel >> 2) / <usize>count;
    }
    w += panel;
    out += 32;
    residual = shifted(residual, 32);
  }
}

function blockQ8(
  rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (load<i32>(Address.dotInSteps)) relaxedQ8(true, rows, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
    else relaxedQ8(false, rows, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
  } else {
    if (rows == 1) tileQ8Strict(1, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
    else tileQ8Strict(2, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
  }
}

// @ts-ignore: decorator
@inline
function relaxedQ8(
  inSteps: bool, rows: i32, w: usize, x: usize, steps: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (rows == 2) tileQ8(inSteps, 2, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 3) tileQ8(inSteps, 3, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 4) tileQ8(inSteps, 4, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 5) tileQ8(inSteps, 5, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
  else tileQ8(inSteps, 6, w, x, steps, blocks, out, residual, stride, valid, next, panel, bytes);
}

/** Rows are computed one at a time: only the first pass over a unit waits for memory, and a draft seldom has more than two rows. */
function unitQ4(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  const blocks = (inputs + 31) >> 5;
  const steps = <usize>word(MatmulParameter.codeSteps);
  const starts = startsOf(steps, rows, inputs);
  const count = blocksOf(rows, CODE_BLOCK_ROWS);
  let row = 0;
  for (let block = 0; block < count; block++) {
    const first = row;
    const end = blockStart(rows, count, block + 1);
    for (; row < end; row++) {
      const before = <usize>first * <usize>blocks;
      const x = <usize>word(MatmulParameter.codeRows) + before * (FOUR_CODES << 3) + <usize>(row - first) * FOUR_CODES;
      const at = before + <usize>(row - first);
      tileQ4(end - first, w, panel, x, steps + (at << 3), starts + (at << 2), blocks, out, residual, valid, next);
      out += <usize>outputs << 2;
      residual = shifted(residual, <usize>outputs << 2);
    }
  }
}
