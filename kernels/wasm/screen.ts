/**
 * The certified head: the arg-max over a vocabulary, exactly, for a fraction of the bytes.
 *
 * The vocabulary's matrix has a coarse copy in int8, with the distance of each row from its original. A product with that gives
 * every logit up to a bound; only units of 32 outputs that hold a logit which could still be the largest are then computed
 * with the weights themselves, in the same order of summation and so with the same bits. What comes out is the arg-max of the full
 * product, ties to the lowest id included, in every case: where a figure is not finite, or too many units are left, the full
 * product is computed.
 *
 * With x̂ and ŵ what codes stand for, u = 2⁻²⁴ and n inputs, Cauchy and Schwarz bound the distance of the coarse logit from the
 * exact one, rounding in both products included, by
 *
 *   |x| · |w − ŵ| + (|x − x̂| + ρ · |x|) · |ŵ|, with ρ = 2 (n + 8) u for the exact chain of n multiply-adds and
 *   20 (blocks + 16) u for the coarse sums: a block's two parts are at most 3 √32 · |x| · |ŵ| together before they cancel.
 */
import { KernelError } from '../errors';
import { q8Blocks } from '../shared/q8';
import type { Screen, WasmLogits, WasmTensor, WasmWeight } from './boxes';
import { TYPE_CODE, UNIT, weightBytes } from './boxes';
import { Operation, PARAMETER } from './machine';
import { decodedRow, multiply } from './rows';
import type { WasmStorage } from './storage';

/** Outputs from which screening pays: a smaller matrix lies in the cache, where its bytes cost little. */
const LEAST_OUTPUTS = 16384;
/** Rows up to which it does: with more of them arithmetic is the limit, and units are left for many. */
const MOST_ROWS = 17;
/** Share of the units that may be left before the full product is cheaper. */
const MOST_LEFT = 0.2;

const ROUNDING = 2 ** -24;
/** Float figures are kept and used in float32: each is raised by more than all of that can lose. */
const RAISED = 1 + 1e-5;

/** Whether a product's logits may wait until somebody asks for more than their arg-max. */
export function mayWait({ certifiedHead }: WasmStorage, weight: WasmWeight, rows: number): boolean {
  if (!certifiedHead) return false;
  const wide = weight.type !== 'q8' && weight.rows >= LEAST_OUTPUTS && rows <= MOST_ROWS;
  return wide && weight.screen !== null;
}

/** Computes logits that were waiting. */
export function settle(storage: WasmStorage, logits: WasmLogits): void {
  const { pending } = logits;
  if (pending === null) return;
  logits.pending = null;
  multiplyInto(storage, pending.input, pending.weight, logits.at);
}

function multiplyInto(storage: WasmStorage, input: WasmTensor, weight: WasmWeight, out: number): void {
  multiply(storage.banks, { x: input, gain: 0, epsilon: 0, scale: 1 }, [{ weight, out, residual: 0 }]);
}

/** Arg-max of every row of logits that are waiting; null where they had better be computed. */
export function screenedArgMax(storage: WasmStorage, logits: WasmLogits): Int32Array | null {
  const { pending } = logits;
  if (pending === null) return null;
  const screen = screenOf(storage, pending.weight);
  if (screen === null) return null;
  const units = unitsLeft(storage, logits, screen);
  if (units === null) return null;
  return largestOf(storage, logits, pending, units);
}

/** Units that hold a logit which could be the largest of its row; null when that cannot be said, or they are many. */
function unitsLeft({ machine, banks }: WasmStorage, logits: WasmLogits, screen: Screen): number[] | null {
  const { rows, vocabulary, pending } = logits;
  const { input } = pending as NonNullable<typeof pending>;
  const { coarse, errors, sizes, largest } = screen;
  const product = { weight: coarse, out: logits.at, residual: 0 };
  const packed = multiply(banks, { x: input, gain: 0, epsilon: 0, scale: 1 }, [product]);
  const count = Math.ceil(vocabulary / UNIT);
  const marks = machine.area('screened', count);
  const { u8 } = machine.memory;
  u8.fill(0, marks, marks + count);
  for (let row = 0; row < rows; row++) {
    const first = (input.at >>> 2) + row * input.cols;
    const x = machine.memory.f32.subarray(first, first + input.cols);
    const { norm, byError, bySize } = boundFactors(x, decodedRow(machine, packed, input, row));
    if (!(norm * largest < 1e37)) return null; // something could overflow: bounds hold for real numbers
    const at = logits.at + row * vocabulary * 4;
    const certain = machine.exports.screen(at, vocabulary, errors.at, sizes.at, byError, bySize, marks);
    if (certain === 0) return null;
  }
  const left: number[] = [];
  for (let unit = 0; unit < count; unit++) if (u8[marks + unit] === 1) left.push(unit);
  return left.length <= Math.max(8, count * MOST_LEFT) ? left : null;
}

/**
 * What bounds the coarse logits of a row x that was coded as x̂: |exact − coarse| ≤ byError · |w − ŵ| + bySize · |ŵ|; and |x|.
 */
export function boundFactors(x: Float32Array, coded: Float64Array): { norm: number; byError: number; bySize: number } {
  let squares = 0;
  let distances = 0;
  x.forEach((value, i) => {
    squares += value * value;
    distances += (value - coded[i]) * (value - coded[i]);
  });
  const norm = Math.sqrt(squares);
  const rounding = (2 * (x.length + 8) + 20 * (q8Blocks(x.length) + 16)) * ROUNDING;
  return { norm, byError: norm * RAISED, bySize: (Math.sqrt(distances) + rounding * norm) * RAISED };
}

/** Exact logits of some units, and the largest of each row among them. */
function largestOf(
  { machine, banks }: WasmStorage,
  { rows }: WasmLogits,
  { input, weight }: NonNullable<WasmLogits['pending']>,
  units: readonly number[],
): Int32Array {
  const place = machine.area('screened', units.length * rows * UNIT * 4);
  const panels = weightBytes(UNIT, weight.cols, weight.type);
  let out = place;
  const products = units.map((unit) => {
    const many = Math.min(UNIT, weight.rows - unit * UNIT);
    const part = { at: weight.at + unit * panels, bank: weight.bank, rows: many, type: weight.type };
    const product = { weight: part, out, residual: 0 };
    out += rows * many * 4;
    return product;
  });
  multiply(banks, { x: input, gain: 0, epsilon: 0, scale: 1 }, products);
  const { f32 } = machine.memory;
  const answers = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = Number.NEGATIVE_INFINITY;
    for (const [i, unit] of units.entries()) {
      const many = products[i].weight.rows;
      const from = (products[i].out >>> 2) + row * many;
      for (let j = 0; j < many; j++) {
        if (f32[from + j] <= best) continue; // ties go to the lowest id
        best = f32[from + j];
        answers[row] = unit * UNIT + j;
      }
    }
  }
  return answers;
}

/** The coarse copy of a vocabulary's matrix, made when it is first asked for; null where it cannot be of use. */
function screenOf(storage: WasmStorage, weight: WasmWeight): Screen | null {
  if (weight.screen !== undefined) return weight.screen;
  try {
    weight.screen = made(storage, weight);
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'out-of-memory')) throw error;
    weight.screen = null; // no room: then without
  }
  return weight.screen;
}

/** Rows that are read at a time. */
const STRIP = 1024;

function made(storage: WasmStorage, weight: WasmWeight): Screen | null {
  const { rows, cols } = weight;
  const figures = { errors: new Float32Array(rows), sizes: new Float32Array(rows), largest: 0 };
  const coarse = storage.weight(rows, cols, 'q8') as WasmWeight;
  const strip = storage.tensor() as WasmTensor;
  const own = storage.tensor() as WasmTensor;
  let made = false;
  try {
    for (let first = 0; first < rows; first += STRIP) {
      const many = Math.min(STRIP, rows - first);
      gather(storage, weight, first, many, strip);
      const { u8 } = storage.machine.memory;
      storage.fill(coarse, first, u8.slice(strip.at, strip.at + many * cols * 4), 'f32');
      gather(storage, coarse, first, many, own);
      measure(storage.machine.memory.f32, strip, own, first, figures);
    }
    if (!(figures.largest < 1e30)) return null; // no bounds for what is not finite
    const [errors, sizes] = [storage.vector(figures.errors), storage.vector(figures.sizes)];
    made = true;
    return { coarse, errors, sizes, largest: figures.largest } as Screen;
  } finally {
    storage.free(strip);
    storage.free(own);
    if (!made) storage.free(coarse);
  }
}

/** Rows of a weight as float32, as `embed` has them. */
function gather(storage: WasmStorage, weight: WasmWeight, first: number, many: number, out: WasmTensor): void {
  const { banks, machine: home } = storage;
  storage.resize(out, many, weight.cols);
  const machine = banks.machine(weight.bank);
  const list = machine.area('small', many * 4);
  const bytes = many * weight.cols * 4;
  const place = machine === home ? out.at : machine.area('results', bytes);
  const { i32, u8 } = machine.memory;
  for (let i = 0; i < many; i++) i32[(list >>> 2) + i] = first + i;
  i32.set([list, weight.at, TYPE_CODE[weight.type], weight.cols, place], PARAMETER);
  machine.run(Operation.embed, many, many * weight.cols * 8);
  if (machine !== home) home.memory.u8.set(u8.subarray(place, place + bytes), out.at);
}

interface Figures {
  readonly errors: Float32Array;
  readonly sizes: Float32Array;
  largest: number;
}

/** Distances and sizes of a strip of rows, in float64, raised on their way to float32. */
function measure(f32: Float32Array, exact: WasmTensor, coarse: WasmTensor, first: number, figures: Figures): void {
  const { rows, cols } = exact;
  for (let row = 0; row < rows; row++) {
    const [a, b] = [(exact.at >>> 2) + row * cols, (coarse.at >>> 2) + row * cols];
    let [error, size, whole] = [0, 0, 0];
    for (let i = 0; i < cols; i++) {
      const [value, stand] = [f32[a + i], f32[b + i]];
      error += (value - stand) * (value - stand);
      size += stand * stand;
      whole += value * value;
    }
    figures.errors[first + row] = Math.sqrt(error) * RAISED;
    figures.sizes[first + row] = Math.sqrt(size) * RAISED;
    figures.largest = Math.max(figures.largest, Math.sqrt(whole), Math.sqrt(size)); // NaN stays
  }
}
