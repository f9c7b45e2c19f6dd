/**
 * The certified head: finds the arg-max over a vocabulary exactly, and reads only a part of the matrix for it.
 *
 * The vocabulary's matrix has a coarse copy in int8, with the distance of each of its rows from the original. The product with
 * the copy gives every logit up to a bound. Then only those units of 32 outputs are computed with the original weights that
 * hold a logit which could still be the largest, in the order of summation of the full product, and so with its bits. The
 * answer is always the arg-max of the full product, with ties to the lowest id. When a number is not finite, or too many units
 * are left, the full product is computed.
 *
 * Let x̂ and ŵ be the values that codes stand for, u = 2⁻²⁴, and n the number of inputs. By the Cauchy–Schwarz inequality the
 * coarse logit differs from the exact one, with all rounding in both products, by at most
 *
 *   |x| · |w − ŵ| + (|x − x̂| + ρ · |x|) · |ŵ|
 *
 * where ρ = 2 (n + 8) u for the chain of n multiply-adds of the exact product, plus 20 (blocks + 16) u for the sums of the
 * coarse product: the two parts of a block are together at most 3 √32 · |x| · |ŵ| before they cancel.
 */
import { KernelError } from '../errors';
import { q8Blocks } from '../shared/q8';
import {
  type BoundFactors,
  type PendingProduct,
  type Screen,
  type WasmLogits,
  type WasmTensor,
  type WasmVector,
  type WasmWeight,
  weightBytes,
} from './boxes';
import { copyWeightRows } from './embed';
import type { WasmInstance } from './instance';
import { Size } from './layout';
import { multiply, type Product, takesCodes } from './matmul';
import { decodedRow, unchanged } from './prepare';
import type { WasmStorage } from './storage';

/** The fewest outputs with which screening is faster. A smaller matrix is in the processor's cache, where reading costs little. */
const LEAST_OUTPUTS = 16384;
/** The most rows with which screening is faster. With more rows arithmetic is the limit, and more units have candidates. */
const MOST_ROWS = 17;
/** The largest share of the units that may have candidates. With more the full product is faster. */
const MOST_CANDIDATES = 0.2;

const ROUNDING = 2 ** -24;
/** Above the rounding of the sum of a coarse logit and its bound. */
const TOP_ROUNDING = 2 ** -22;
/** Bounds are stored and used in float32. This factor makes each larger by more than the rounding can make it smaller. */
const ENLARGED = 1 + 1e-5;

/** Whether the product of a head may stay uncomputed until more than its arg-max is asked for. */
export function mayWait({ certifiedHead }: WasmStorage, weight: WasmWeight, rows: number): boolean {
  if (!certifiedHead) return false;
  const isWorth = !takesCodes(weight.type) && weight.rows >= LEAST_OUTPUTS && rows <= MOST_ROWS;
  return isWorth && weight.screen !== null;
}

/** Computes the product of logits if it is pending. */
export function computePending({ banks }: WasmStorage, logits: WasmLogits): void {
  const { pending } = logits;
  if (pending === null) return;
  logits.pending = null;
  multiply(banks, unchanged(pending.input), [{ weight: pending.weight, out: logits.at, residual: 0 }]);
}

/** The arg-max of every row of pending logits; null when they are not pending, or when the full product is to be computed. */
export function screenedArgMax(storage: WasmStorage, logits: WasmLogits): Int32Array | null {
  const coarse = openCoarse(storage, logits);
  if (coarse === null) return null;
  const units = unitsWithCandidates(storage, logits, coarse);
  if (units === null) return null;
  return argMaxAmong(storage, logits.rows, coarse.pending, units);
}

/**
 * Upper bounds of the logits of each unit of a row, [vocabulary / 32, rounded up]; null when they are not pending, and where there are no
 * bounds.
 */
export function screenedTops(storage: WasmStorage, logits: WasmLogits, row: number): Float32Array | null {
  const coarse = openCoarse(storage, logits);
  if (coarse === null) return null;
  const { first } = storage.banks;
  const { errors, sizes } = coarse.screen;
  const { byError, bySize } = coarse.factors[row];
  const count = Math.ceil(logits.vocabulary / Size.unitOutputs);
  const tops = first.area('screened', count * 4);
  const at = logits.at + row * logits.vocabulary * 4;
  if (first.exports.screenTops(at, logits.vocabulary, errors.at, sizes.at, byError, bySize, tops) === 0) return null;
  return first.memory.f32.slice(tops >>> 2, (tops >>> 2) + count).map((top) => top + Math.abs(top) * TOP_ROUNDING);
}

/** The exact logits of some units of a row of pending logits, [units.length, 32]; the last unit may have fewer, and then NaN. */
export function unitLogits(
  { banks }: WasmStorage,
  { input, weight }: PendingProduct,
  row: number,
  units: readonly number[],
): Float32Array {
  const { first } = banks;
  const one = { ...input, rows: 1, at: input.at + row * input.cols * 4 };
  const products = unitProducts(first, weight, 1, units);
  multiply(banks, unchanged(one), products);
  const found = new Float32Array(units.length * Size.unitOutputs).fill(Number.NaN);
  for (const [i, { out, weight: unit }] of products.entries()) {
    found.set(first.memory.f32.subarray(out >>> 2, (out >>> 2) + unit.rows), i * Size.unitOutputs);
  }
  return found;
}

/** A pending product whose coarse product stands in the place of the logits. */
interface Coarse {
  readonly pending: PendingProduct;
  readonly screen: Screen;
  readonly factors: readonly BoundFactors[];
}

/** Computes the coarse product, once; null when logits are not pending, and where there are no bounds. */
function openCoarse(storage: WasmStorage, logits: WasmLogits): Coarse | null {
  const { pending } = logits;
  if (pending === null) return null;
  const screen = screenOf(storage, pending.weight);
  if (screen === null) return null;
  if (pending.factors === undefined) pending.factors = multiplyCoarse(storage, logits, pending.input, screen);
  return pending.factors === null ? null : { pending, screen, factors: pending.factors };
}

function multiplyCoarse(
  { banks }: WasmStorage,
  logits: WasmLogits,
  input: WasmTensor,
  { coarse, largest }: Screen,
): BoundFactors[] | null {
  const { first } = banks;
  const packed = multiply(banks, unchanged(input), [{ weight: coarse, out: logits.at, residual: 0 }]);
  const { f32 } = first.memory;
  const factors: BoundFactors[] = [];
  for (let row = 0; row < logits.rows; row++) {
    const start = (input.at >>> 2) + row * input.cols;
    const x = f32.subarray(start, start + input.cols);
    const found = boundFactors(x, decodedRow(first, packed, input, row));
    if (!(found.norm * largest < 1e37)) return null; // a product could overflow, and the bounds hold for real numbers only
    factors.push(found);
  }
  return factors;
}

/** The units that hold a logit which could be the largest of its row; null when that is not sure, or when they are many. */
function unitsWithCandidates(
  { banks }: WasmStorage,
  logits: WasmLogits,
  { screen: { errors, sizes }, factors }: Coarse,
): number[] | null {
  const { rows, vocabulary } = logits;
  const { first } = banks;
  const count = Math.ceil(vocabulary / Size.unitOutputs);
  const marks = first.area('screened', count);
  const { u8 } = first.memory;
  u8.fill(0, marks, marks + count);
  for (let row = 0; row < rows; row++) {
    const { byError, bySize } = factors[row];
    const at = logits.at + row * vocabulary * 4;
    const isSure = first.exports.screen(at, vocabulary, errors.at, sizes.at, byError, bySize, marks);
    if (isSure === 0) return null;
  }
  const units: number[] = [];
  for (let unit = 0; unit < count; unit++) if (u8[marks + unit] === 1) units.push(unit);
  return units.length <= Math.max(8, count * MOST_CANDIDATES) ? units : null;
}

/**
 * The factors of the bound for a row x whose codes stand for `coded`: |exact − coarse| ≤ byError · |w − ŵ| + bySize · |ŵ|.
 * `norm` is |x|.
 */
export function boundFactors(x: Float32Array, coded: Float64Array): BoundFactors {
  let squares = 0;
  let distances = 0;
  x.forEach((value, i) => {
    squares += value * value;
    distances += (value - coded[i]) * (value - coded[i]);
  });
  const norm = Math.sqrt(squares);
  const rounding = (2 * (x.length + 8) + 20 * (q8Blocks(x.length) + 16)) * ROUNDING;
  return { norm, byError: norm * ENLARGED, bySize: (Math.sqrt(distances) + rounding * norm) * ENLARGED };
}

/** The products of some units of a weight, one after the other in the area of what screening computes. */
function unitProducts(instance: WasmInstance, weight: WasmWeight, rows: number, units: readonly number[]): Product[] {
  const unitBytes = weightBytes(Size.unitOutputs, weight.cols, weight.type, instance);
  let out = instance.area('screened', units.length * rows * Size.unitOutputs * 4);
  return units.map((unit) => {
    const outputs = Math.min(Size.unitOutputs, weight.rows - unit * Size.unitOutputs);
    const part = { at: weight.at + unit * unitBytes, bank: weight.bank, rows: outputs, type: weight.type };
    const product = { weight: part, out, residual: 0 };
    out += rows * outputs * 4;
    return product;
  });
}

/** Computes the exact logits of some units, and gives the arg-max of each row among them. */
function argMaxAmong(
  { banks }: WasmStorage,
  rows: number,
  { input, weight }: PendingProduct,
  units: readonly number[],
): Int32Array {
  const { first } = banks;
  const products = unitProducts(first, weight, rows, units);
  multiply(banks, unchanged(input), products);
  const { f32 } = first.memory;
  const answers = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = Number.NEGATIVE_INFINITY;
    for (const [i, unit] of units.entries()) {
      const outputs = products[i].weight.rows;
      const from = (products[i].out >>> 2) + row * outputs;
      for (let j = 0; j < outputs; j++) {
        if (f32[from + j] <= best) continue; // ties go to the lowest id
        best = f32[from + j];
        answers[row] = unit * Size.unitOutputs + j;
      }
    }
  }
  return answers;
}

/** The coarse copy of a vocabulary's matrix, created when it is first asked for; null where it cannot be used. */
function screenOf(storage: WasmStorage, weight: WasmWeight): Screen | null {
  if (weight.screen !== undefined) return weight.screen;
  try {
    weight.screen = createScreen(storage, weight);
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'out-of-memory')) throw error;
    weight.screen = null; // there is no room for the copy
  }
  return weight.screen;
}

/** Rows that are copied at a time. */
const STRIP_ROWS = 1024;

function createScreen(storage: WasmStorage, weight: WasmWeight): Screen | null {
  const { rows, cols } = weight;
  const distances = { errors: new Float32Array(rows), sizes: new Float32Array(rows), largest: 0 };
  const coarse = storage.createWeight(rows, cols, 'q8');
  const kept: (WasmWeight | WasmVector)[] = [coarse];
  const exactRows = storage.createTensor();
  const coarseRows = storage.createTensor();
  try {
    for (let first = 0; first < rows; first += STRIP_ROWS) {
      const count = Math.min(STRIP_ROWS, rows - first);
      readRows(storage, weight, first, count, exactRows);
      const { u8 } = storage.banks.first.memory;
      const bytes = u8.slice(exactRows.at, exactRows.at + count * cols * 4);
      storage.fillWeight(coarse, { firstRow: first, rows: count, bytes, stored: 'f32' });
      readRows(storage, coarse, first, count, coarseRows);
      measure(storage.banks.first.memory.f32, exactRows, coarseRows, first, distances);
    }
    if (!(distances.largest < 1e30)) return null; // there are no bounds for numbers that are not finite
    const [errors, sizes] = [distances.errors, distances.sizes].map((values) => {
      const vector = storage.createVector(values);
      kept.push(vector);
      return vector;
    });
    kept.length = 0; // the screen owns them now
    return { coarse, errors, sizes, largest: distances.largest };
  } finally {
    for (const box of [exactRows, coarseRows, ...kept]) storage.release(box);
  }
}

/** Copies rows `first … first + count − 1` of a weight, as float32. */
function readRows(storage: WasmStorage, weight: WasmWeight, first: number, count: number, out: WasmTensor): void {
  storage.resize(out, count, weight.cols);
  const ids = Int32Array.from({ length: count }, (_, i) => first + i);
  copyWeightRows(storage, weight, ids, out, count * weight.cols * 8);
}

interface Distances {
  readonly errors: Float32Array;
  readonly sizes: Float32Array;
  largest: number;
}

/** Notes errors and sizes of some rows: computed in float64, enlarged, and stored as float32. */
function measure(f32: Float32Array, exact: WasmTensor, coarse: WasmTensor, first: number, distances: Distances): void {
  const { rows, cols } = exact;
  for (let row = 0; row < rows; row++) {
    const [a, b] = [(exact.at >>> 2) + row * cols, (coarse.at >>> 2) + row * cols];
    let [error, coarseSquares, exactSquares] = [0, 0, 0];
    for (let i = 0; i < cols; i++) {
      const [value, approximation] = [f32[a + i], f32[b + i]];
      error += (value - approximation) * (value - approximation);
      coarseSquares += approximation * approximation;
      exactSquares += value * value;
    }
    distances.errors[first + row] = Math.sqrt(error) * ENLARGED;
    distances.sizes[first + row] = Math.sqrt(coarseSquares) * ENLARGED;
    distances.largest = Math.max(distances.largest, Math.sqrt(exactSquares), Math.sqrt(coarseSquares)); // keeps a NaN
  }
}
