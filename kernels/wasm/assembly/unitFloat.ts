/** One unit of 32 outputs with float32 or bfloat16 weights. */
import { MatmulParameter, Size, WeightCode } from '../layout';
import { blocksOf, blockStart, evenInputs, prefetchBytes, shifted } from './blocks';
import { word } from './control';
import { keptBlock, keptOne, leavesOut, listOf } from './kept';
import { SMALL, WIDE } from './level';
import { tile, tileOne, tileTwo } from './tile';
import { blockWide, rowOfBf16 } from './wide';

/** Panels that a block of rows takes at a time. */
// @ts-ignore: decorator
@inline
const PANELS: i32 = WIDE ? 2 : 1;

// @ts-ignore: decorator
@inline
function unitFloat(
  type: i32, rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  const x = <usize>word(MatmulParameter.floatRows);
  const stride = <usize>outputs << 2;
  const isPairs = WIDE && type == WeightCode.bf16;
  const ahead = next - w; // to the unit that follows, or 0 for the last
  const lists: usize = SMALL || type != WeightCode.f32 ? 0 : <usize>word(MatmulParameter.kept);
  if (isPairs && rows == 1) {
    rowOfBf16(w, panel, out, residual, valid, next);
  } else if (rows == 1) {
    if (leavesOut(lists)) keptOne(w, panel, x, lists, out, residual, valid);
    else tileOne(type, w, panel, x, out, residual, valid, next);
  } else if (!isPairs && rows == 2) {
    for (let column = 0; column < Size.unitOutputs && column < valid; column += Size.panelOutputs * 2) {
      if (leavesOut(lists)) keptBlock(2, w, panel, x, lists, out, residual, stride, valid - column, ahead);
      else tileTwo(type, w, panel, x, out, residual, stride, valid - column, next);
      next += panel >> 1;
      w += panel * 2;
      out += 64;
      residual = shifted(residual, 64);
    }
  } else {
    const count = blocksOf(rows, Size.floatBlockRows);
    const bytes = prefetchBytes(64, count);
    for (let column = 0; column < Size.unitOutputs && column < valid; column += Size.panelOutputs * PANELS) {
      for (let block = 0; block < count; block++) {
        const start = blockStart(rows, count, block);
        const at = <usize>start * stride;
        const xs = x + ((<usize>start * evenInputs(inputs)) << 2);
        const blockRows = blockStart(rows, count, block + 1) - start;
        const list = listOf(lists, inputs, block);
        if (leavesOut(list)) keptBlock(blockRows, w, panel, xs, list, out + at, shifted(residual, at), stride, valid - column, ahead);
        else blockFloat(type, blockRows, w, xs, out + at, shifted(residual, at), stride, valid - column, next, panel, bytes);
        next += ((panel * PANELS) >> 2) / <usize>count;
      }
      w += panel * PANELS;
      out += 32 * PANELS;
      residual = shifted(residual, 32 * PANELS);
    }
  }
}

// @ts-ignore: decorator
@inline
function blockFloat(
  type: i32, rows: i32, w: usize, x: usize, out: usize, residual: usize, stride: usize, valid: i32,
  next: usize, panel: usize, bytes: usize,
): void {
  if (WIDE) blockWide(type, rows, w, x, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 6) tile(type, 6, w, x, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 5) tile(type, 5, w, x, out, residual, stride, valid, next, panel, bytes);
  else if (rows == 4) tile(type, 4, w, x, out, residual, stride, valid, next, panel, bytes);
  else tile(type, 3, w, x, out, residual, stride, valid, next, panel, bytes);
}

export function unitF32(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  unitFloat(WeightCode.f32, rows, inputs, w, panel, out, residual, outputs, valid, next);
}

export function unitBf16(
  rows: i32, inputs: i32, w: usize, panel: usize, out: usize, residual: usize, outputs: i32, valid: i32,
  next: usize,
): void {
  unitFloat(WeightCode.bf16, rows, inputs, w, panel, out, residual, outputs, valid, next);
}
