import type { Dtype, PlanSpec, Storage, StoredType } from '../contract';
import { type BoxOf, type BoxStorage, open } from './boxes';
import { fillRows, planSlots } from './checks';
import { decodeStored, f32ToBf16, words16 } from './float';
import {
  type HostBias,
  type HostBoxes,
  type HostCache,
  type HostLogits,
  type HostPlan,
  type HostTensor,
  type HostVector,
  type HostWeight,
  hostWeightBytes,
} from './hostBoxes';
import { MemoryBudget } from './memoryBudget';
import { q8Blocks, quantizeRows } from './q8';
import {
  checkNewBias,
  checkNewCache,
  checkNewVector,
  markFilled,
  openGrow,
  openNewWeight,
  openReadCache,
  openWrite,
} from './storageCalls';

/** Storage in typed arrays. */
export interface HostStorage extends Storage, BoxStorage<HostBoxes> {}

const EMPTY = new Float32Array(0);
const NO_SLOTS = new Int32Array(0);
const NO_LISTS = { write: NO_SLOTS, start: NO_SLOTS, count: NO_SLOTS, keys: NO_SLOTS, position: NO_SLOTS };

/** Storage in typed arrays: the reference and the cpu backend share it. */
export function createHostStorage(backend: string, capacityBytes: number): HostStorage {
  const budget = new MemoryBudget(backend, capacityBytes);
  const owned = () => ({ owner: budget, bytes: 0 });
  const ensureLength = (box: HostTensor | HostLogits, length: number): void => {
    if (box.data.length >= length) return;
    const what = `a ${box.kind} of ${length} values`;
    box.data = budget.allocate(box, length * 4, what, () => new Float32Array(length));
  };
  const storage: HostStorage = {
    budget,
    resize(tensor, rows, cols) {
      ensureLength(tensor, rows * cols);
      Object.assign(tensor, { rows, cols });
    },
    resizeLogits(logits, rows, vocabulary) {
      ensureLength(logits, rows * vocabulary);
      Object.assign(logits, { rows, vocabulary });
    },
    weight: (rows, cols, type) => createWeight(budget, rows, cols, type),
    fill(box, firstRow, bytes, stored) {
      fillWeight(open(storage, box, 'fill'), firstRow, bytes, stored);
    },
    vector(values): HostVector {
      const what = checkNewVector(values);
      const box = { kind: 'vector' as const, length: values.length, ...owned() };
      return Object.assign(box, { data: budget.allocate(box, values.byteLength, what, () => values.slice()) });
    },
    bias(heads, offset, table): HostBias {
      const { span, what } = checkNewBias(heads, table);
      const box = { kind: 'bias' as const, heads, span, offset, ...owned() };
      return Object.assign(box, { table: budget.allocate(box, table.byteLength, what, () => table.slice()) });
    },
    tensor: (): HostTensor => ({ kind: 'tensor', rows: 0, cols: 0, data: EMPTY, ...owned() }),
    logits: (): HostLogits => ({ kind: 'logits', rows: 0, vocabulary: 0, data: EMPTY, ...owned() }),
    plan: (): HostPlan => ({ kind: 'plan', rows: 0, written: 0, neededSlots: 0, ...NO_LISTS, ...owned() }),
    cache(heads, dKv, slots): HostCache {
      checkNewCache(heads, dKv, slots);
      const box: HostCache = { kind: 'cache', heads, dKv, slots: 0, keys: EMPTY, values: EMPTY, ...owned() };
      growCache(budget, box, slots);
      return box;
    },
    grow(cache, slots) {
      const box = openGrow(storage, cache, slots);
      if (box !== null) growCache(budget, box, slots);
    },
    arrange(plan, spec) {
      arrangePlan(open(storage, plan, 'arrange'), spec);
    },
    write(tensor, rows, cols, values) {
      openWrite(storage, tensor, rows, cols, values).data.set(values);
    },
    async read(tensor) {
      const box = open(storage, tensor, 'read');
      return box.data.slice(0, box.rows * box.cols);
    },
    readCache: async (cache, slots) => readSlots(openReadCache(storage, cache, slots), slots),
    free(box) {
      const opened = open(storage, box, 'free');
      budget.charge(opened, 0, opened.kind);
      opened.owner = null;
      dropArrays(opened);
    },
    async dispose() {},
  };
  return storage;
}

/** Lets go of the arrays of a freed box, even if the caller keeps the box itself. */
function dropArrays(box: BoxOf<HostBoxes>): void {
  if ('data' in box) Object.assign(box, { data: EMPTY });
  if (box.kind === 'cache') box.keys = box.values = EMPTY;
}

function createWeight(budget: MemoryBudget, rows: number, cols: number, type: Dtype): HostWeight {
  const { what, ...filling } = openNewWeight(rows, cols, type);
  const box = { kind: 'weight' as const, rows, cols, type, owner: budget, bytes: 0, ...filling };
  const Values = { f32: Float32Array, bf16: Uint16Array, q8: Int8Array }[type];
  const arrays = budget.allocate(box, hostWeightBytes(rows, cols, type), what, () => ({
    data: new Values(rows * cols),
    scales: new Float32Array(type === 'q8' ? rows * q8Blocks(cols) : 0),
  }));
  return Object.assign(box, arrays);
}

function fillWeight(weight: HostWeight, firstRow: number, bytes: Uint8Array, stored: StoredType): void {
  const rows = fillRows(weight, firstRow, bytes, stored);
  const { cols, data } = weight;
  const from = firstRow * cols;
  if (weight.type === 'bf16' && stored === 'bf16') {
    (data as Uint16Array).set(words16(bytes), from);
  } else {
    const values = decodeStored(bytes, stored); // [rows, cols]
    if (weight.type === 'f32') (data as Float32Array).set(values, from);
    else if (weight.type === 'bf16') for (let i = 0; i < values.length; i++) data[from + i] = f32ToBf16(values[i]);
    else {
      const codes = (data as Int8Array).subarray(from, from + rows * cols);
      quantizeRows(values, cols, codes, weight.scales.subarray(firstRow * q8Blocks(cols)));
    }
  }
  markFilled(weight, firstRow, rows);
}

function growCache(budget: MemoryBudget, box: HostCache, slots: number): void {
  const length = slots * box.heads * box.dKv;
  const what = `a cache of ${slots} slots`;
  const [keys, values] = budget.allocate(box, length * 8, what, () => [
    new Float32Array(length),
    new Float32Array(length),
  ]);
  keys.set(box.keys);
  values.set(box.values);
  Object.assign(box, { keys, values, slots });
}

function arrangePlan(plan: HostPlan, spec: PlanSpec): void {
  plan.neededSlots = planSlots(spec);
  plan.rows = spec.rows;
  plan.written = spec.write.length;
  for (const name of ['write', 'start', 'count', 'keys', 'position'] as const) plan[name] = spec[name].slice();
}

function readSlots(cache: HostCache, slots: Int32Array): { keys: Float32Array; values: Float32Array } {
  const width = cache.heads * cache.dKv;
  const rowsOf = (values: Float32Array): Float32Array => {
    const out = new Float32Array(slots.length * width);
    slots.forEach((slot, i) => {
      out.set(values.subarray(slot * width, (slot + 1) * width), i * width);
    });
    return out;
  };
  return { keys: rowsOf(cache.keys), values: rowsOf(cache.values) };
}
