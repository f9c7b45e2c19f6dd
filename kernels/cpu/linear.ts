import type { Tensor, Weight } from '../contract';
import { openLinear } from '../shared/calls';
import type { HostWeight } from '../shared/hostBoxes';
import type { HostStorage } from '../shared/hostStorage';
import { PANEL_ROWS, type Scratch } from './scratch';
import { type Tile, tile1x1, tile1x4, tile4x2 } from './tile';

/** See reference/linear.ts: the same formula and the same bits. */
export function linear(
  storage: HostStorage,
  scratch: Scratch,
  out: Tensor,
  x: Tensor,
  weight: Weight,
  residual: Tensor | null,
): void {
  const call = openLinear(storage, out, x, weight, residual);
  const { rows, cols } = call.x;
  product(scratch, call.out.data, scratch.widen(call.x.data, rows * cols), rows, call.weight);
  if (call.residual !== null) addInto(call.out.data, call.residual.data, rows * call.out.cols);
}

function addInto(out: Float32Array, residual: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) out[i] += residual[i];
}

/**
 * out[r][o] = Σ_i x[r][i] · weight[o][i]; out [rows, outputs], x [rows, inputs].
 *
 * The outer loop goes over panels of weight rows. A panel is read from memory once in a call; for every further four rows of
 * x it comes from the L1 cache.
 */
export function product(scratch: Scratch, out: Float32Array, x: Float64Array, rows: number, weight: HostWeight): void {
  const { rows: outputs, cols: inputs } = weight;
  const fours = rows - (rows % 4);
  for (let first = 0; first < outputs; first += PANEL_ROWS) {
    const count = Math.min(PANEL_ROWS, outputs - first);
    const { data, offset } = scratch.panel(weight, first, count);
    const tile: Tile = { out, stride: outputs, x, inputs, w: data };
    for (let row = 0; row < fours; row += 4) fourRows(tile, row, first, offset, count);
    for (let row = fours; row < rows; row++) oneRow(tile, row, first, offset, count);
  }
}

function fourRows(tile: Tile, row: number, first: number, offset: number, count: number): void {
  let o = 0;
  for (; o + 2 <= count; o += 2) tile4x2(tile, row, first + o, offset + o * tile.inputs);
  if (o < count) for (let r = row; r < row + 4; r++) tile1x1(tile, r, first + o, offset + o * tile.inputs);
}

function oneRow(tile: Tile, row: number, first: number, offset: number, count: number): void {
  let o = 0;
  for (; o + 4 <= count; o += 4) tile1x4(tile, row, first + o, offset + o * tile.inputs);
  for (; o < count; o++) tile1x1(tile, row, first + o, offset + o * tile.inputs);
}
