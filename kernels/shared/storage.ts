import type { Dtype, PlanSpec, Storage, StoredType } from '../contract';
import { KernelError } from '../errors';
import { type BoxOf, type BoxStorage, type BoxTypes, type OwnedWeight, open } from './boxes';
import { expectCount, expectIndices, expectShape, FILL_ROWS, fillRows, planSlots } from './checks';

/** Whole rows of a weight, as a checkpoint stores them. */
export interface StoredRows {
  /** Number of the first row in the weight: a multiple of 64. */
  readonly firstRow: number;
  readonly rows: number;
  /** `rows · cols` values, little-endian, row-major. */
  readonly bytes: Uint8Array;
  readonly stored: StoredType;
}

/** Keys and values, each [slots, heads · dKv]. */
export interface CacheRows {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/**
 * How one backend stores its boxes. Arguments are checked before these functions are called, and boxes are opened; what does
 * not fit is refused by the functions themselves, which then leave the box as it was.
 */
export interface StorageParts<B extends BoxTypes> extends BoxStorage<B> {
  createWeight(rows: number, cols: number, type: Dtype): B['weight'];
  fillWeight(weight: B['weight'], rows: StoredRows): void;
  createVector(values: Float32Array): B['vector'];
  /** `table` is [heads, table.length / heads]. */
  createBias(heads: number, offset: number, table: Float32Array): B['bias'];
  createTensor(): B['tensor'];
  createLogits(): B['logits'];
  createPlan(): B['plan'];
  /** A cache without slots. */
  createCache(heads: number, dKv: number): B['cache'];
  /** Gives a cache more slots than it has, and keeps its content. */
  growCache(cache: B['cache'], slots: number): void;
  /** Stores the lists of a plan. */
  storeLists(plan: B['plan'], spec: PlanSpec): void;
  /** Writes a tensor that has the shape of the values. */
  writeTensor(tensor: B['tensor'], values: Float32Array): void;
  readTensor(tensor: B['tensor']): Promise<Float32Array>;
  readSlots(cache: B['cache'], slots: Int32Array): Promise<CacheRows>;
  /** Frees the content of a box. */
  release(box: BoxOf<B>): void;
  dispose(): Promise<void>;
}

/** The weight types there are. */
export const WEIGHT_TYPES: readonly Dtype[] = ['f32', 'bf16', 'q8', 'q4'];

/** The storage of a backend: opens boxes and checks arguments around the backend's own parts. `types` are its weight types. */
export function createStorage<B extends BoxTypes>(parts: StorageParts<B>, types = WEIGHT_TYPES): Storage {
  return { ...creationOver(parts, types), ...accessOver(parts), dispose: () => parts.dispose() };
}

/** The calls that create boxes. */
function creationOver<B extends BoxTypes>(parts: StorageParts<B>, types: readonly Dtype[]) {
  return {
    weight(rows, cols, type) {
      checkNewWeight(rows, cols, type, types);
      return parts.createWeight(rows, cols, type);
    },
    vector(values) {
      expectCount('vector', 'length', values.length);
      return parts.createVector(values);
    },
    bias(heads, offset, table) {
      expectCount('bias', 'heads', heads);
      expectCount('bias', 'span (table.length / heads)', table.length / heads);
      return parts.createBias(heads, offset, table);
    },
    tensor: () => parts.createTensor(),
    logits: () => parts.createLogits(),
    plan: () => parts.createPlan(),
    cache(heads, dKv, slots) {
      for (const [name, count] of Object.entries({ heads, dKv, slots })) expectCount('cache', name, count);
      const cache = parts.createCache(heads, dKv);
      parts.growCache(cache, slots);
      return cache;
    },
  } satisfies Partial<Storage>;
}

/** The calls that write, read and free boxes. */
function accessOver<B extends BoxTypes>(parts: StorageParts<B>) {
  return {
    fill(box, firstRow, bytes, stored) {
      const weight = open(parts, box, 'fill');
      const rows = fillRows(weight, firstRow, bytes, stored);
      parts.fillWeight(weight, { firstRow, rows, bytes, stored });
      markFilled(weight, firstRow, rows);
    },
    grow(box, slots) {
      const cache = open(parts, box, 'grow');
      expectCount('grow', 'slots', slots);
      if (slots > cache.slots) parts.growCache(cache, slots);
    },
    arrange(box, spec) {
      const plan = open(parts, box, 'arrange');
      const neededSlots = planSlots(spec);
      parts.storeLists(plan, spec);
      Object.assign(plan, { rows: spec.rows, written: spec.write.length, neededSlots });
    },
    write(box, rows, cols, values) {
      expectCount('write', 'rows', rows);
      expectCount('write', 'cols', cols);
      expectShape('write', 'values.length', rows * cols, values.length);
      const tensor = open(parts, box, 'write');
      parts.resize(tensor, rows, cols);
      parts.writeTensor(tensor, values);
    },
    read: async (box) => parts.readTensor(open(parts, box, 'read')),
    async readCache(box, slots) {
      const cache = open(parts, box, 'readCache');
      expectIndices('readCache', 'slots', slots, cache.slots);
      return parts.readSlots(cache, slots);
    },
    free(box) {
      const opened: BoxOf<B> = open(parts, box, 'free');
      parts.release(opened);
      parts.budget.charge(opened, 0, opened.kind);
      opened.owner = null;
    },
  } satisfies Partial<Storage>;
}

function checkNewWeight(rows: number, cols: number, type: Dtype, types: readonly Dtype[]): void {
  expectCount('weight', 'rows', rows);
  expectCount('weight', 'cols', cols);
  if (!types.includes(type)) {
    const known = `${types.slice(0, -1).join(', ')} or ${types.at(-1)}`;
    throw new KernelError('type-unsupported', `weight: expected type ${known}, found ${String(type)}`);
  }
}

/** The state of filling of a new weight: no step of 64 rows is filled. */
export function nothingFilled(rows: number): Pick<OwnedWeight, 'filled' | 'missing'> {
  const steps = Math.ceil(rows / FILL_ROWS);
  return { filled: new Uint8Array(steps), missing: steps };
}

function markFilled(weight: OwnedWeight, firstRow: number, rows: number): void {
  for (let step = firstRow / FILL_ROWS; step * FILL_ROWS < firstRow + rows; step++) {
    weight.missing -= weight.filled[step] === 1 ? 0 : 1;
    weight.filled[step] = 1;
  }
}
