import type { Dtype, KvCache, PlanSpec, Storage, StoredType } from '../contract';
import { KernelError } from '../errors';
import {
  type HostBias,
  type HostBox,
  type HostCache,
  type HostLogits,
  type HostPlan,
  type HostTensor,
  type HostVector,
  type HostWeight,
  hostWeightBytes,
  open,
} from './boxes';
import { expectArgument, expectCount, expectIndices, expectShape, FILL_ROWS, fillRows, planSlots } from './checks';
import { decodeStored, f32ToBf16, words16 } from './float';
import { Memory } from './memory';
import { q8Blocks, quantizeRows } from './q8';

/** Storage in ordinary typed arrays, with what kernels need beyond the contract. */
export interface HostStorage extends Storage {
  readonly memory: Memory;
  /** Gives a tensor a new shape; its content is undefined until written. */
  resize(tensor: HostTensor, rows: number, cols: number): void;
  resizeLogits(logits: HostLogits, rows: number, vocabulary: number): void;
}

const EMPTY = new Float32Array(0);
const NO_SLOTS = new Int32Array(0);

/** Storage over typed arrays: what the reference and cpu backends share. */
export function createHostStorage(backend: string, capacityBytes: number): HostStorage {
  const memory = new Memory(backend, capacityBytes);
  const floats = (box: HostTensor | HostLogits, length: number): void => {
    if (box.data.length >= length) return;
    const what = `a ${box.kind} of ${length} values`;
    box.data = memory.allocate(box, length * 4, what, () => new Float32Array(length));
  };
  const resize = (tensor: HostTensor, rows: number, cols: number): void => {
    floats(tensor, rows * cols);
    tensor.rows = rows;
    tensor.cols = cols;
  };
  const storage: HostStorage = {
    memory,
    resize,
    resizeLogits(logits, rows, vocabulary) {
      floats(logits, rows * vocabulary);
      logits.rows = rows;
      logits.vocabulary = vocabulary;
    },
    weight: (rows, cols, type) => makeWeight(memory, rows, cols, type),
    fill(box, firstRow, bytes, stored) {
      fillWeight(open(memory, box, 'fill'), firstRow, bytes, stored);
    },
    vector(values): HostVector {
      expectCount('vector', 'length', values.length);
      const box = { kind: 'vector' as const, length: values.length, owner: memory, bytes: 0, data: EMPTY };
      memory.charge(box, values.byteLength, `a vector of ${values.length}`);
      return Object.assign(box, { data: values.slice() });
    },
    bias(heads, offset, table): HostBias {
      expectCount('bias', 'heads', heads);
      const span = table.length / heads;
      expectCount('bias', 'span (table.length / heads)', span);
      const box = { kind: 'bias' as const, heads, span, offset, owner: memory, bytes: 0, table: EMPTY };
      memory.charge(box, table.byteLength, `a bias of ${heads} × ${span}`);
      return Object.assign(box, { table: table.slice() });
    },
    tensor: (): HostTensor => ({ kind: 'tensor', rows: 0, cols: 0, owner: memory, bytes: 0, data: EMPTY }),
    logits: (): HostLogits => ({ kind: 'logits', rows: 0, vocabulary: 0, owner: memory, bytes: 0, data: EMPTY }),
    plan: (): HostPlan => ({ ...emptyPlan, owner: memory }),
    cache(heads, dKv, slots) {
      expectCount('cache', 'heads', heads);
      expectCount('cache', 'dKv', dKv);
      expectCount('cache', 'slots', slots);
      const box: HostCache = {
        kind: 'cache',
        heads,
        dKv,
        slots: 0,
        owner: memory,
        bytes: 0,
        keys: EMPTY,
        values: EMPTY,
      };
      growCache(memory, box, slots);
      return box;
    },
    grow(cache, slots) {
      const box = open(memory, cache, 'grow');
      expectCount('grow', 'slots', slots);
      if (slots > box.slots) growCache(memory, box, slots);
    },
    arrange(plan, spec) {
      arrangePlan(open(memory, plan, 'arrange'), spec);
    },
    write(tensor, rows, cols, values) {
      expectCount('write', 'rows', rows);
      expectCount('write', 'cols', cols);
      expectShape('write', 'values.length', rows * cols, values.length);
      const box = open(memory, tensor, 'write');
      resize(box, rows, cols);
      box.data.set(values);
    },
    async read(tensor) {
      const box = open(memory, tensor, 'read');
      return box.data.slice(0, box.rows * box.cols);
    },
    readCache: async (cache, slots) => readSlots(open(memory, cache, 'readCache'), slots),
    free(box) {
      const held = open(memory, box, 'free') as HostBox;
      memory.charge(held, 0, box.kind);
      held.owner = null;
      if ('data' in held) (held as { data: unknown }).data = EMPTY;
      if (held.kind === 'cache') held.keys = held.values = EMPTY;
    },
    async dispose() {},
  };
  return storage;
}

const emptyPlan: HostPlan = {
  kind: 'plan',
  rows: 0,
  owner: null,
  bytes: 0,
  write: NO_SLOTS,
  start: NO_SLOTS,
  count: NO_SLOTS,
  keys: NO_SLOTS,
  position: NO_SLOTS,
  needs: 0,
};

function makeWeight(memory: Memory, rows: number, cols: number, type: Dtype): HostWeight {
  expectCount('weight', 'rows', rows);
  expectCount('weight', 'cols', cols);
  if (type !== 'f32' && type !== 'bf16' && type !== 'q8') {
    throw new KernelError('type-unsupported', `weight: expected type f32, bf16 or q8, found ${String(type)}`);
  }
  const what = `a ${rows} × ${cols} ${type} weight`;
  const held = { owner: memory as object | null, bytes: 0 };
  const steps = Math.ceil(rows / FILL_ROWS);
  const Values = { f32: Float32Array, bf16: Uint16Array, q8: Int8Array }[type];
  const arrays = memory.allocate(held, hostWeightBytes(rows, cols, type), what, () => ({
    data: new Values(rows * cols),
    scales: new Float32Array(type === 'q8' ? rows * q8Blocks(cols) : 0),
    filled: new Uint8Array(steps),
  }));
  return Object.assign(held, { kind: 'weight' as const, rows, cols, type, ...arrays, missing: steps });
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
  for (let step = firstRow / FILL_ROWS; step * FILL_ROWS < firstRow + rows; step++) {
    weight.missing -= weight.filled[step] === 1 ? 0 : 1;
    weight.filled[step] = 1;
  }
}

function growCache(memory: Memory, box: HostCache, slots: number): void {
  const length = slots * box.heads * box.dKv;
  const what = `a cache of ${slots} slots`;
  const [keys, values] = memory.allocate(box, length * 8, what, () => [
    new Float32Array(length),
    new Float32Array(length),
  ]);
  keys.set(box.keys);
  values.set(box.values);
  Object.assign(box, { keys, values, slots });
}

function arrangePlan(plan: HostPlan, spec: PlanSpec): void {
  const needs = planSlots(spec);
  plan.rows = spec.rows;
  plan.needs = needs;
  plan.write = spec.write.slice();
  plan.start = spec.start.slice();
  plan.count = spec.count.slice();
  plan.keys = spec.keys.slice();
  plan.position = spec.position.slice();
}

function readSlots(cache: HostCache, slots: Int32Array): { keys: Float32Array; values: Float32Array } {
  expectIndices('readCache', 'slots', slots, cache.slots);
  const width = cache.heads * cache.dKv;
  const pick = (from: Float32Array): Float32Array => {
    const out = new Float32Array(slots.length * width);
    slots.forEach((slot, i) => {
      out.set(from.subarray(slot * width, (slot + 1) * width), i * width);
    });
    return out;
  };
  return { keys: pick(cache.keys), values: pick(cache.values) };
}

/** Opens a cache for a plan: it must have every slot that the plan names. */
export function openCache(owner: object, cache: KvCache, needs: number, where: string): HostCache {
  const box = open(owner, cache, where);
  expectArgument(needs <= box.slots, where, `a cache of at least ${needs} slots`, box.slots);
  return box;
}
