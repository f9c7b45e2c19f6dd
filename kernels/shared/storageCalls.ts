/**
 * What every backend's storage does before it allocates or writes: open the boxes and check the arguments. The storage of a
 * backend says only where the bytes are.
 */
import type { Dtype, KvCache, Tensor } from '../contract';
import { KernelError } from '../errors';
import { type BoxStorage, type BoxTypes, type OwnedWeight, open } from './boxes';
import { expectCount, expectIndices, expectShape, FILL_ROWS } from './checks';

/** Checks a new weight, and gives its state of filling: no step is filled yet. */
export function openNewWeight(
  rows: number,
  cols: number,
  type: Dtype,
): Pick<OwnedWeight, 'filled' | 'missing'> & { readonly what: string } {
  expectCount('weight', 'rows', rows);
  expectCount('weight', 'cols', cols);
  if (type !== 'f32' && type !== 'bf16' && type !== 'q8') {
    throw new KernelError('type-unsupported', `weight: expected type f32, bf16 or q8, found ${String(type)}`);
  }
  const steps = Math.ceil(rows / FILL_ROWS);
  return { filled: new Uint8Array(steps), missing: steps, what: `a ${rows} × ${cols} ${type} weight` };
}

/** Notes that rows `firstRow … firstRow + rows − 1` of a weight were filled. */
export function markFilled(weight: OwnedWeight, firstRow: number, rows: number): void {
  for (let step = firstRow / FILL_ROWS; step * FILL_ROWS < firstRow + rows; step++) {
    weight.missing -= weight.filled[step] === 1 ? 0 : 1;
    weight.filled[step] = 1;
  }
}

export function checkNewVector(values: Float32Array): string {
  expectCount('vector', 'length', values.length);
  return `a vector of ${values.length}`;
}

/** Checks a new bias table, [heads, span], and gives its span. */
export function checkNewBias(heads: number, table: Float32Array): { readonly span: number; readonly what: string } {
  expectCount('bias', 'heads', heads);
  const span = table.length / heads;
  expectCount('bias', 'span (table.length / heads)', span);
  return { span, what: `a bias of ${heads} × ${span}` };
}

export function checkNewCache(heads: number, dKv: number, slots: number): void {
  expectCount('cache', 'heads', heads);
  expectCount('cache', 'dKv', dKv);
  expectCount('cache', 'slots', slots);
}

/** Opens a cache that is to grow to `slots`; null when it has as many already. */
export function openGrow<B extends BoxTypes>(storage: BoxStorage<B>, cache: KvCache, slots: number): B['cache'] | null {
  const opened = open(storage, cache, 'grow');
  expectCount('grow', 'slots', slots);
  return slots > opened.slots ? opened : null;
}

/** Opens a cache whose slots are to be read. */
export function openReadCache<B extends BoxTypes>(
  storage: BoxStorage<B>,
  cache: KvCache,
  slots: Int32Array,
): B['cache'] {
  const opened = open(storage, cache, 'readCache');
  expectIndices('readCache', 'slots', slots, opened.slots);
  return opened;
}

/** Opens a tensor that is to be written, and gives it its new shape. */
export function openWrite<B extends BoxTypes>(
  storage: BoxStorage<B>,
  tensor: Tensor,
  rows: number,
  cols: number,
  values: Float32Array,
): B['tensor'] {
  expectCount('write', 'rows', rows);
  expectCount('write', 'cols', cols);
  expectShape('write', 'values.length', rows * cols, values.length);
  const opened = open(storage, tensor, 'write');
  storage.resize(opened, rows, cols);
  return opened;
}
