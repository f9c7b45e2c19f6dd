import type { PlanSpec, StoredType, Tensor, Weight } from '../contract';
import { KernelError } from '../errors';
import { storedRowBytes } from './float';

/** Throws `shape-mismatch`, unless `found` is what was expected. */
export function expectShape(where: string, what: string, expected: number | string, found: number): void {
  if (expected !== found) {
    throw new KernelError('shape-mismatch', `${where}: expected ${what} to be ${expected}, found ${found}`);
  }
}

/** Throws `argument-invalid`, unless `holds`. */
export function expectArgument(holds: boolean, where: string, expected: string, found: unknown): void {
  if (!holds) throw new KernelError('argument-invalid', `${where}: expected ${expected}, found ${String(found)}`);
}

/** A matrix to compute with was written: it has rows, and then it has columns. */
export function expectFilled(where: string, what: string, x: { readonly rows: number; readonly cols: number }): void {
  if (x.rows < 1) {
    throw new KernelError('shape-mismatch', `${where}: expected ${what} to hold rows, found ${x.rows} × ${x.cols}`);
  }
}

/** A number of rows, columns or slots is a whole number from 1 up. */
export function expectCount(where: string, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new KernelError(
      'shape-mismatch',
      `${where}: expected ${what} to be a whole number from 1 up, found ${value}`,
    );
  }
}

/** An output is neither an input nor another output of the same call. */
export function expectApart(where: string, out: object, others: readonly (object | null)[]): void {
  if (others.includes(out)) {
    throw new KernelError('argument-invalid', `${where}: expected the output to be a box of its own, found an input`);
  }
}

/** Every number in `values` is in 0 … limit − 1. */
export function expectIndices(where: string, what: string, values: Int32Array, limit: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < 0 || value >= limit) {
      throw new KernelError('argument-invalid', `${where}: expected ${what}[${i}] in 0…${limit - 1}, found ${value}`);
    }
  }
}

/** No two rows are written to the same slot. */
export function expectDistinct(where: string, slots: Int32Array): void {
  expectArgument(new Set(slots).size === slots.length, where, 'a slot of its own for every row', 'one slot twice');
}

/** Rows of one fill step. A fill starts on a multiple of it, so that a backend may pack panels of rows. */
export const FILL_ROWS = 64;

/** Checks a fill, and gives the number of whole rows in `bytes`. */
export function fillRows(weight: Weight, firstRow: number, bytes: Uint8Array, stored: StoredType): number {
  const where = `fill(${weight.rows} × ${weight.cols} ${weight.type})`;
  const width = storedRowBytes(stored, weight.cols);
  if (width === undefined) {
    throw new KernelError(
      'type-unsupported',
      `${where}: expected stored type f32, f16, bf16, i8, q8 or q4, found ${stored}`,
    );
  }
  const rows = bytes.byteLength / width;
  if (!Number.isInteger(rows) || rows < 1) {
    const found = `${bytes.byteLength} bytes`;
    throw new KernelError('shape-mismatch', `${where}: expected whole rows of ${width} bytes, found ${found}`);
  }
  const last = firstRow + rows === weight.rows;
  if (!Number.isInteger(firstRow) || firstRow < 0 || firstRow % FILL_ROWS !== 0 || (rows % FILL_ROWS !== 0 && !last)) {
    const found = `rows ${firstRow}…${firstRow + rows - 1}`;
    throw new KernelError('shape-mismatch', `${where}: expected steps of ${FILL_ROWS} rows, found ${found}`);
  }
  if (firstRow + rows > weight.rows) {
    throw new KernelError('shape-mismatch', `${where}: expected rows below ${weight.rows}, found ${firstRow + rows}`);
  }
  return rows;
}

/** Checks a plan, and gives the number of slots that a cache must have to serve it. */
export function planSlots(spec: PlanSpec): number {
  const { rows, write, start, count, keys, position } = spec;
  const where = 'arrange';
  expectCount(where, 'rows', rows);
  expectShape(where, 'start.length', rows, start.length);
  expectShape(where, 'count.length', rows, count.length);
  expectShape(where, 'position.length', rows, position.length);
  if (spec.places) expectShape(where, 'places.length', keys.length, spec.places.length);
  if (write.length !== 0) expectShape(where, 'write.length', rows, write.length);
  for (let row = 0; row < rows; row++) {
    const inside = start[row] >= 0 && count[row] >= 1 && start[row] + count[row] <= keys.length;
    const found = `${start[row]} + ${count[row]}`;
    expectArgument(inside, where, `row ${row}'s list of at least one key inside ${keys.length} keys`, found);
  }
  expectDistinct(where, write);
  return Math.max(slotsNamed(keys, 'keys'), slotsNamed(write, 'write'));
}

/** One more than the largest slot in a list of a plan. */
function slotsNamed(list: Int32Array, name: string): number {
  let slots = 0;
  for (const slot of list) {
    expectArgument(slot >= 0, 'arrange', `slots from 0 up in ${name}`, slot);
    if (slot >= slots) slots = slot + 1;
  }
  return slots;
}

/** Checks the operands of x · weightᵀ (+ residual). */
export function expectProduct(where: string, x: Tensor, weight: Weight, residual: Tensor | null): void {
  expectFilled(where, 'x', x);
  expectShape(where, 'weight.cols (input features)', x.cols, weight.cols);
  if (residual !== null) {
    expectShape(where, 'residual.rows', x.rows, residual.rows);
    expectShape(where, 'residual.cols', weight.rows, residual.cols);
  }
}
