/** Rows on their way into a product: normed, scaled and packed as the weights' types want them. */
import type { Norm } from '../contract';
import { expectArgument, expectFilled, expectShape } from '../shared/checks';
import { q8Blocks } from '../shared/q8';
import type { Banks } from './banks';
import { open, TYPE_CODE, UNIT, type WasmTensor, type WasmWeight } from './boxes';
import { type AreaName, type Machine, Operation, PARAMETER } from './machine';
import type { WasmStorage } from './storage';

/** Address of a norm's gain, checked against x. */
export function openGain(storage: WasmStorage, where: string, x: WasmTensor, norm: Norm): number {
  const gain = open(storage.ledger, norm.gain, where);
  expectFilled(where, 'x', x);
  expectShape(where, 'gain.length', x.cols, gain.length);
  expectArgument(norm.epsilon >= 0, where, 'an epsilon from 0 up', norm.epsilon);
  return gain.at;
}

/** What becomes of x before the product. */
export interface Preparation {
  readonly x: WasmTensor;
  /** Address of the norm's gain, or 0. */
  readonly gain: number;
  readonly epsilon: number;
  readonly scale: number;
}

/** Addresses of packed rows: floats, and codes with their steps. 0 where no weight asks for them. */
export interface Packed {
  readonly floats: number;
  readonly codes: number;
  readonly steps: number;
}

const NONE: Packed = { floats: 0, codes: 0, steps: 0 };

/** Parameter words 2 and following of `assembly/prepare.ts`. */
function prepare(machine: Machine, from: Preparation, packed: Packed, plain: number): void {
  const { rows, cols } = from.x;
  const { i32, f32, f64 } = machine.memory;
  const { floatRows, codeRows } = machine.blocks;
  i32.set([rows, cols, packed.floats, packed.codes, packed.steps, from.x.at, from.gain, plain], PARAMETER);
  f32[PARAMETER + 8] = from.scale;
  f64[(PARAMETER + 10) >> 1] = from.epsilon;
  i32[PARAMETER + 12] = Math.ceil(rows / floatRows);
  i32[PARAMETER + 13] = Math.ceil(rows / codeRows);
  i32[PARAMETER + 14] = cols * 4;
  machine.run(Operation.prepare, rows, rows > 16 ? rows * cols * 4 : 0);
}

/** out = scale · norm(x) as it is, for `rmsNorm`; x is copied where neither changes it. */
export function normRows(machine: Machine, from: Preparation, out: WasmTensor): void {
  if (from.gain === 0 && from.scale === 1) {
    const { u8 } = machine.memory;
    u8.copyWithin(out.at, from.x.at, from.x.at + from.x.rows * from.x.cols * 4);
    return;
  }
  prepare(machine, from, NONE, out.at);
}

/** One product of several that share x. */
export interface Product {
  readonly weight: Pick<WasmWeight, 'at' | 'bank' | 'rows' | 'type'>;
  /** Address of [x.rows, weight.rows] values. */
  readonly out: number;
  /** Address of as many values to add, or 0. */
  readonly residual: number;
}

/** At most so many matrices fit one job's parameters. */
const MOST_PRODUCTS = 16;

/** out = prepared(x) · weightᵀ (+ residual) for each product: one job for each memory that their weights are in. Gives the rows as they were packed. */
export function multiply(banks: Banks, from: Preparation, products: readonly Product[]): Packed {
  const machine = banks.machine(0);
  const { rows, cols } = from.x;
  machine.scratch(cols * 4 + 256);
  const coded = products.some(({ weight }) => weight.type === 'q8');
  const floats = products.some(({ weight }) => weight.type !== 'q8');
  const sizes = packedSizes(machine, rows, cols);
  const packed = {
    floats: floats ? machine.area('rows', sizes.floats) : 0,
    codes: coded ? machine.area('codes', sizes.codes) : 0,
    steps: coded ? machine.area('steps', sizes.steps) : 0,
  };
  prepare(machine, from, packed, 0);
  for (let bank = 0; bank < banks.count; bank++) {
    const here = products.filter(({ weight }) => weight.bank === bank);
    if (bank > 0 && here.length > 0) multiplyAway(banks, bank, from.x, packed, here);
    else dispatchAll(machine, from.x, packed, here);
  }
  return packed;
}

/** What the codes of a packed row stand for, exactly: least + step · code in each block (`quantizeRow` in assembly/prepare.ts). */
export function decodedRow(
  machine: Machine,
  { codes, steps }: Packed,
  { rows, cols }: WasmTensor,
  row: number,
): Float64Array {
  const { codeRows, codeBytes } = machine.blocks;
  const { u8, f32 } = machine.memory;
  const count = Math.ceil(rows / codeRows);
  const startOf = (block: number) => Math.floor((rows * block) / count);
  let block = Math.floor((row * count) / rows);
  if (startOf(block + 1) <= row) block++;
  const start = startOf(block);
  const many = startOf(block + 1) - start;
  const before = start * q8Blocks(cols);
  const quad = 4 * codeBytes;
  const values = new Float64Array(cols);
  const firstStep = (steps >>> 2) + 2 * (before + row - start);
  const firstCode = codes + before * 8 * quad + (row - start) * quad;
  for (let i = 0; i < cols; i++) {
    const at = firstStep + 2 * many * (i >> 5);
    const code = u8[firstCode + (i >> 2) * quad * many + (i & 3) * codeBytes]; // 0 … 127, so its low byte is all of it
    values[i] = f32[at + 1] + f32[at] * code;
  }
  return values;
}

function packedSizes(machine: Machine, rows: number, cols: number): Packed {
  const blocks = q8Blocks(cols);
  return {
    floats: rows * cols * 4 + 64,
    codes: rows * blocks * 32 * machine.blocks.codeBytes + 64,
    steps: rows * blocks * 8,
  };
}

/** Products of weights in another memory: packed rows and residuals go there, results come back. */
function multiplyAway(banks: Banks, bank: number, x: WasmTensor, packed: Packed, products: readonly Product[]): void {
  const [home, away] = [banks.machine(0), banks.machine(bank)];
  const sizes = packedSizes(home, x.rows, x.cols);
  const copy = (name: 'floats' | 'codes' | 'steps', area: AreaName): number => {
    if (packed[name] === 0) return 0;
    const at = away.area(area, sizes[name]);
    away.memory.u8.set(home.memory.u8.subarray(packed[name], packed[name] + sizes[name]), at);
    return at;
  };
  const there = { floats: copy('floats', 'rows'), codes: copy('codes', 'codes'), steps: copy('steps', 'steps') };
  const size = ({ weight }: Product): number => x.rows * weight.rows * 4;
  const total = products.reduce((sum, product) => sum + size(product), 0);
  let at = away.area('results', total * 2);
  const moved = products.map((product) => {
    const bytes = size(product);
    const [out, residual] = [at, product.residual === 0 ? 0 : at + total];
    if (residual !== 0) {
      away.memory.u8.set(home.memory.u8.subarray(product.residual, product.residual + bytes), residual);
    }
    at += bytes;
    return { weight: product.weight, out, residual };
  });
  dispatchAll(away, x, there, moved);
  products.forEach((product, i) => {
    const { out } = moved[i];
    home.memory.u8.set(away.memory.u8.subarray(out, out + size(product)), product.out);
  });
}

function dispatchAll(machine: Machine, x: WasmTensor, packed: Packed, products: readonly Product[]): void {
  for (let first = 0; first < products.length; first += MOST_PRODUCTS) {
    dispatch(machine, x, packed, products.slice(first, first + MOST_PRODUCTS));
  }
}

/** Chunks a thread: enough that one which was interrupted holds up little of the rest. */
const CHUNKS = 16;

function dispatch(machine: Machine, x: WasmTensor, packed: Packed, products: readonly Product[]): void {
  const { i32 } = machine.memory;
  const { rows, cols } = x;
  let units = 0;
  let word = PARAMETER + 8;
  for (const { weight, out, residual } of products) {
    units += Math.ceil(weight.rows / UNIT);
    i32[word] = weight.at;
    i32[word + 1] = TYPE_CODE[weight.type];
    i32[word + 2] = weight.rows;
    i32[word + 3] = out;
    i32[word + 4] = residual;
    i32[word + 5] = units;
    word += 8;
  }
  const perChunk = Math.max(1, Math.floor(units / (machine.threads * CHUNKS)));
  i32[PARAMETER] = rows;
  i32[PARAMETER + 1] = cols;
  i32[PARAMETER + 2] = packed.floats;
  i32[PARAMETER + 3] = packed.codes;
  i32[PARAMETER + 4] = packed.steps;
  i32[PARAMETER + 5] = products.length;
  i32[PARAMETER + 6] = perChunk;
  i32[PARAMETER + 7] = units;
  machine.run(Operation.matmul, Math.ceil(units / perChunk), rows * cols * units * UNIT);
}
