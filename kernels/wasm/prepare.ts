/** Prepares rows for a product: they are normed, scaled, and packed as the types of the weights need them. */
import type { OpenedNorm } from '../shared/calls';
import { q8Blocks } from '../shared/q8';
import type { WasmBoxes, WasmTensor } from './boxes';
import type { WasmInstance } from './instance';
import { Operation, PrepareParameter } from './layout';

/** What is done with x before a product. */
export interface Preparation {
  readonly x: WasmTensor;
  readonly norm: OpenedNorm<WasmBoxes> | null;
  readonly scale: number;
  /** Whether inputs that are zero are left out (`assembly/kept.ts`). Then there is neither norm nor scale, and float rows or one row of codes. */
  readonly leavesOut?: boolean;
}

/** x without a norm and a scale. */
export function unchanged(x: WasmTensor): Preparation {
  return { x, norm: null, scale: 1 };
}

/** Addresses of packed rows. An address is 0 when no weight of the product needs that form. */
export interface PackedRows {
  readonly floats: number;
  /** Lists of the inputs of the floats or of the codes, or 0 where all are taken. */
  readonly kept: number;
  readonly codes: number;
  /** Step and least value of each row and block of codes, and then what their sums with q4 weights start from. */
  readonly steps: number;
}

const NOTHING_PACKED: PackedRows = { floats: 0, kept: 0, codes: 0, steps: 0 };

/** Bytes of packed rows, with a little room at the end for loads of whole vectors. */
export function packedSizes(
  { blocks: { floatRows, codeBytes }, wide }: WasmInstance,
  rows: number,
  cols: number,
): PackedRows {
  const blocks = q8Blocks(cols);
  const evenCols = wide ? Math.ceil(cols / 2) * 2 : cols; // `evenInputs` in assembly/blocks.ts
  return {
    floats: rows * evenCols * 4 + 64,
    kept: Math.ceil(rows / floatRows) * (cols + 1) * 4 + 128, // `listOf` in assembly/kept.ts, `keepCodes` in assembly/keptCodes.ts
    codes: rows * blocks * 32 * codeBytes + 64,
    steps: rows * blocks * 16,
  };
}

/** Prepares rows and packs them into the work areas of an instance. */
export function packRows(
  instance: WasmInstance,
  preparation: Preparation,
  needs: { readonly floats: boolean; readonly codes: boolean },
): PackedRows {
  const { rows, cols } = preparation.x;
  instance.scratch(cols * 4 + 256);
  const sizes = packedSizes(instance, rows, cols);
  const packed = {
    floats: needs.floats ? instance.area('rows', sizes.floats) : 0,
    kept: preparation.leavesOut ? instance.area('kept', sizes.kept) : 0,
    codes: needs.codes ? instance.area('codes', sizes.codes) : 0,
    steps: needs.codes ? instance.area('steps', sizes.steps) : 0,
  };
  prepare(instance, preparation, packed, 0);
  return packed;
}

/** out = scale · norm(x), unpacked. */
export function normRows(instance: WasmInstance, preparation: Preparation, out: WasmTensor): void {
  const { x, norm, scale } = preparation;
  if (norm === null && scale === 1) {
    instance.memory.u8.copyWithin(out.at, x.at, x.at + x.rows * x.cols * 4);
    return;
  }
  prepare(instance, preparation, NOTHING_PACKED, out.at);
}

function prepare(instance: WasmInstance, { x, norm, scale }: Preparation, packed: PackedRows, plainRows: number): void {
  const { rows, cols } = x;
  const { floatRows, codeRows } = instance.blocks;
  const { i32, f32, f64 } = instance.memory.parameters;
  i32[PrepareParameter.rows] = rows;
  i32[PrepareParameter.inputs] = cols;
  i32[PrepareParameter.floatRows] = packed.floats;
  i32[PrepareParameter.codeRows] = packed.codes;
  i32[PrepareParameter.codeSteps] = packed.steps;
  i32[PrepareParameter.x] = x.at;
  i32[PrepareParameter.gain] = norm?.gain.at ?? 0;
  i32[PrepareParameter.plainRows] = plainRows;
  f32[PrepareParameter.scale] = scale;
  f64[PrepareParameter.epsilon >> 1] = norm?.epsilon ?? 0;
  i32[PrepareParameter.floatBlocks] = Math.ceil(rows / floatRows);
  i32[PrepareParameter.codeBlocks] = Math.ceil(rows / codeRows);
  i32[PrepareParameter.paddingOffset] = cols * 4;
  i32[PrepareParameter.kept] = packed.kept;
  const work = rows > 16 ? rows * cols * 4 : 0;
  if (packed.kept === 0) instance.run(Operation.prepare, rows, work);
  else if (packed.codes !== 0) instance.run(Operation.keepCodes, 1, 0);
  else instance.run(Operation.keep, Math.ceil(rows / floatRows), work);
}

/** The values that the codes of a packed row stand for: exactly least + step · code (`quantizeRow` in assembly/prepare.ts). */
export function decodedRow(
  { blocks: { codeRows, codeBytes }, memory: { u8, f32 } }: WasmInstance,
  { codes, steps }: PackedRows,
  { rows, cols }: WasmTensor,
  row: number,
): Float64Array {
  const count = Math.ceil(rows / codeRows);
  const startOf = (block: number) => Math.floor((rows * block) / count);
  let block = Math.floor((row * count) / rows);
  if (startOf(block + 1) <= row) block++;
  const start = startOf(block);
  const blockRows = startOf(block + 1) - start;
  const blocksBefore = start * q8Blocks(cols);
  const fourCodes = 4 * codeBytes;
  const values = new Float64Array(cols);
  const firstStep = (steps >>> 2) + 2 * (blocksBefore + row - start);
  const firstCode = codes + blocksBefore * 8 * fourCodes + (row - start) * fourCodes;
  for (let i = 0; i < cols; i++) {
    const step = firstStep + 2 * blockRows * (i >> 5);
    // A code is 0 … 127, so its low byte is all of it, also where it is 16 bits wide.
    const code = u8[firstCode + (i >> 2) * fourCodes * blockRows + (i & 3) * codeBytes];
    values[i] = f32[step + 1] + f32[step] * code;
  }
  return values;
}
