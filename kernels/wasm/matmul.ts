/** Products of prepared rows with weights, wherever the weights are. */
import type { Dtype } from '../contract';
import type { Banks } from './banks';
import { type WasmTensor, type WasmWeight, WEIGHT_CODES } from './boxes';
import type { AreaName, WasmInstance } from './instance';
import { MatmulParameter, MatrixParameter, Operation, Size } from './layout';
import { type PackedRows, type Preparation, packedSizes, packRows } from './prepare';

/** One product of several that share x. */
export interface Product {
  /** A weight, or some units of one. */
  readonly weight: Pick<WasmWeight, 'at' | 'bank' | 'rows' | 'type'>;
  /** Address of the result, [x.rows, weight.rows]. */
  readonly out: number;
  /** Address of values to add, [x.rows, weight.rows], or 0. */
  readonly residual: number;
}

/** Matrices that the parameters of one job have room for. */
const MOST_PRODUCTS = 16;

/** Chunks for each thread: so many that a thread which was interrupted delays only a small part of the job. */
const CHUNKS_PER_THREAD = 16;

/** Whether products with weights of a type take activations as codes. */
export function takesCodes(type: Dtype): boolean {
  return type === 'q8' || type === 'q4';
}

/**
 * out = prepared(x) · weightᵀ (+ residual) for each product. Each memory that has some of the weights runs one job.
 *
 * @returns the rows as they were packed, in the first memory
 */
export function multiply(banks: Banks, preparation: Preparation, products: readonly Product[]): PackedRows {
  const { x } = preparation;
  const codes = products.some(({ weight }) => takesCodes(weight.type));
  const floats = products.some(({ weight }) => !takesCodes(weight.type));
  const packed = packRows(banks.first, preparation, { floats, codes });
  for (let bank = 0; bank < banks.count; bank++) {
    const here = products.filter(({ weight }) => weight.bank === bank);
    if (bank > 0 && here.length > 0) multiplyElsewhere(banks, bank, x, packed, here);
    else runProducts(banks.first, x, packed, here);
  }
  return packed;
}

/** Products of weights in another memory. Packed rows and residuals are copied there, and results are copied back. */
function multiplyElsewhere(
  banks: Banks,
  bank: number,
  x: WasmTensor,
  packed: PackedRows,
  products: readonly Product[],
): void {
  const [first, other] = [banks.first, banks.instance(bank)];
  const sizes = packedSizes(first, x.rows, x.cols);
  const copy = (name: keyof PackedRows, area: AreaName): number => {
    if (packed[name] === 0) return 0;
    const at = other.area(area, sizes[name]);
    other.memory.u8.set(first.memory.u8.subarray(packed[name], packed[name] + sizes[name]), at);
    return at;
  };
  const copied = {
    floats: copy('floats', 'rows'),
    kept: 0,
    codes: copy('codes', 'codes'),
    steps: copy('steps', 'steps'),
  };
  const bytesOf = ({ weight }: Product): number => x.rows * weight.rows * 4;
  const total = products.reduce((sum, product) => sum + bytesOf(product), 0);
  let at = other.area('results', total * 2); // results, then residuals
  const there = products.map((product) => {
    const bytes = bytesOf(product);
    const [out, residual] = [at, product.residual === 0 ? 0 : at + total];
    if (residual !== 0) {
      other.memory.u8.set(first.memory.u8.subarray(product.residual, product.residual + bytes), residual);
    }
    at += bytes;
    return { weight: product.weight, out, residual };
  });
  runProducts(other, x, copied, there);
  products.forEach((product, i) => {
    const { out } = there[i];
    first.memory.u8.set(other.memory.u8.subarray(out, out + bytesOf(product)), product.out);
  });
}

function runProducts(instance: WasmInstance, x: WasmTensor, packed: PackedRows, products: readonly Product[]): void {
  for (let first = 0; first < products.length; first += MOST_PRODUCTS) {
    runJob(instance, x, packed, products.slice(first, first + MOST_PRODUCTS));
  }
}

function runJob(instance: WasmInstance, x: WasmTensor, packed: PackedRows, products: readonly Product[]): void {
  const { i32 } = instance.memory.parameters;
  const { rows, cols } = x;
  let units = 0;
  let matrix: number = MatmulParameter.firstMatrix;
  for (const { weight, out, residual } of products) {
    units += Math.ceil(weight.rows / Size.unitOutputs);
    i32[matrix + MatrixParameter.weight] = weight.at;
    i32[matrix + MatrixParameter.type] = WEIGHT_CODES[weight.type];
    i32[matrix + MatrixParameter.outputs] = weight.rows;
    i32[matrix + MatrixParameter.out] = out;
    i32[matrix + MatrixParameter.residual] = residual;
    i32[matrix + MatrixParameter.endUnit] = units;
    matrix += Size.matrixWords;
  }
  const unitsPerChunk = Math.max(1, Math.floor(units / (instance.threads * CHUNKS_PER_THREAD)));
  i32[MatmulParameter.rows] = rows;
  i32[MatmulParameter.inputs] = cols;
  i32[MatmulParameter.floatRows] = packed.floats;
  i32[MatmulParameter.kept] = packed.kept;
  i32[MatmulParameter.codeRows] = packed.codes;
  i32[MatmulParameter.codeSteps] = packed.steps;
  i32[MatmulParameter.unitsPerChunk] = unitsPerChunk;
  i32[MatmulParameter.units] = units;
  instance.run(Operation.matmul, Math.ceil(units / unitsPerChunk), rows * cols * units * Size.unitOutputs);
}
