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
import { leavesOut } from './kept';
import { keptOfCodes } from './keptCodes';
import { FOUR_CODES, SMALL } from './level';
import { unitBf16, unitF32 } from './unitFloat';
import { ROW_PANELS, rowsInSteps, rowsWhole } from './rowsQ4';
import { startsAfter, tileInSteps, tileQ4Strict, tileWhole } from './tileQ4';
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
    const list: usize = SMALL ? 0 : <usize>word(MatmulParameter.kept);
    if (leavesOut(list)) {
      if (load<i32>(Address.dotInSteps)) keptOfCodes(true, w, panel, list, out, residual, valid);
      else keptOfCodes(false, w, panel, list, out, residual, valid);
      return;
    }
    if (load<i32>(Address.dotInSteps)) tileQ8One(true, w, panel, x, steps, blocks, out, residual, valid, next);
    else tileQ8One(false, w, panel, x, steps, blocks, out, residual, valid, next);
    return;
  }
  const count = blocksOf(rows, CODE_BLOCK_ROWS);
  const bytes = prefetchBytes(76, count);
  const ahead = (panel >> 2) / <usize>count;
  for (let column = 0; column < Size.unitOutputs && column < valid; column += Size.panelOutputs) {
    let start = 0;
    for (let block = 1; block <= count; block++) {
      const end = block == count ? rows : blockStart(rows, count, block); // a division for each panel would show
      const at = <usize>start * stride;
      const before = <usize>start * <usize>blocks;
      const x = <usize>word(MatmulParameter.codeRows) + before * (FOUR_CODES << 3);
      const steps = <usize>word(MatmulParameter.codeSteps) + (before << 3);
      blockQ8(end - start, w, x, steps, blocks, out + at, shifted(residual, at), stride, valid - column, next, panel, bytes);
      next += ahead;
      start = end;
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

function unitQ4(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  const blocks = (inputs + 31) >> 5;
  const stride = <usize>outputs << 2;
  const count = blocksOf(rows, CODE_BLOCK_ROWS);
  const bytes: usize = SMALL ? 0 : prefetchBytes(40, count);
  const oneByOne = ASC_FEATURE_RELAXED_SIMD && (SMALL || rows == 1);
  const panels = oneByOne ? 4 : ASC_FEATURE_RELAXED_SIMD ? ROW_PANELS : 1;
  const ahead = (panel >> 2) / <usize>count * <usize>panels;
  const codes = <usize>word(MatmulParameter.codeRows);
  const allSteps = <usize>word(MatmulParameter.codeSteps);
  const starts = startsAfter(rows, inputs);
  for (let column = 0; column < Size.unitOutputs && column < valid; column += panels << 3) {
    let start = 0;
    for (let block = 1; block <= count; block++) {
      const end = block == count ? rows : blockStart(rows, count, block); // a division for each panel would show
      const blockRows = end - start;
      const at = <usize>start * stride;
      const before = <usize>start * <usize>blocks;
      const x = codes + before * (FOUR_CODES << 3);
      const steps = allSteps + (before << 3);
      if (oneByOne) rowsQ4(SMALL ? blockRows : 1, w, panel, x, steps, starts, blocks, out + at, shifted(residual, at), stride, valid, next);
      else blockQ4(blockRows, w, x, steps, starts, blocks, out + at, shifted(residual, at), stride, valid - column, next, panel, bytes);
      next += ahead;
      start = end;
    }
    w += panel * <usize>panels;
    out += <usize>panels << 5;
    residual = shifted(residual, <usize>panels << 5);
  }
}

/** Rows of a block, one after the other, by four panels. Only the first pass over the panels waits for memory. */
// @ts-ignore: decorator
@inline
function rowsQ4(
  rows: i32, w: usize, panel: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize,
): void {
  for (let row = 0; row < rows; row++) {
    if (SMALL || load<i32>(Address.dotInSteps)) tileInSteps(rows, w, panel, x, steps, starts, blocks, out, residual, valid, next);
    else tileWhole(rows, w, panel, x, steps, starts, blocks, out, residual, valid, next);
    x += FOUR_CODES;
    steps += 8;
    out += stride;
    residual = shifted(residual, stride);
  }
}

function blockQ4(
  rows: i32, w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (load<i32>(Address.dotInSteps)) rowsInSteps(rows, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
    else rowsWhole(rows, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  } else if (SMALL) {
    for (let row = 0; row < rows; row++) {
      tileQ4Strict(1, rows, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
      x += FOUR_CODES;
      steps += 8;
      out += stride;
      residual = shifted(residual, stride);
    }
  } else {
    if (rows == 1) oneStrict(w, x, steps, starts, blocks, out, residual, valid);
    else tileQ4Strict(2, 2, w, x, steps, starts, blocks, out, residual, stride, valid, next, panel, bytes);
  }
}

function oneStrict(w: usize, x: usize, steps: usize, starts: usize, blocks: i32, out: usize, residual: usize, valid: i32): void {
  tileQ4Strict(1, 1, w, x, steps, starts, blocks, out, residual, 0, valid, 0, 0, 0);
}
