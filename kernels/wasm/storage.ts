import type { Dtype, PlanSpec, Storage, StoredType } from '../contract';
import { KernelError } from '../errors';
import {
  expectArgument,
  expectCount,
  expectIndices,
  expectShape,
  FILL_ROWS,
  fillRows,
  planSlots,
} from '../shared/checks';
import { Memory } from '../shared/memory';
import type { Banks } from './banks';
import {
  open,
  TYPE_CODE,
  type WasmBias,
  type WasmBox,
  type WasmCache,
  type WasmLogits,
  type WasmPlan,
  type WasmTensor,
  type WasmVector,
  type WasmWeight,
  weightBytes,
} from './boxes';
import { type Machine, Operation, PARAMETER } from './machine';

/** Storage in linear memory, with what kernels need beyond the contract. */
export interface WasmStorage extends Storage {
  /** The first memory: everything but weights is here. */
  readonly machine: Machine;
  readonly banks: Banks;
  readonly ledger: Memory;
  /** Whether an arg-max may be found by a coarse copy of the vocabulary's matrix (`screen.ts`). */
  readonly certifiedHead: boolean;
  /** Gives a tensor a new shape; its content is undefined until written. */
  resize(tensor: WasmTensor, rows: number, cols: number): void;
  resizeLogits(logits: WasmLogits, rows: number, vocabulary: number): void;
}

/** Bytes of one tensor of a cache. */
export function cacheBytes(heads: number, dKv: number, slots: number): number {
  return heads * slots * Math.ceil(dKv / 4) * 16;
}

export function createWasmStorage(banks: Banks, capacityBytes: number, certifiedHead: boolean): WasmStorage {
  const machine = banks.machine(0);
  const ledger = new Memory('wasm', capacityBytes);
  const { memory } = machine;
  const held = () => ({ owner: ledger as object | null, bytes: 0, at: 0 });
  /** Gives a box an address with room for `bytes`; what it held is lost unless the room was there. */
  const room = (box: { bytes: number; at: number }, bytes: number, what: string): void => {
    if (box.bytes >= bytes) return;
    const before = box.bytes;
    ledger.charge(box, bytes, what);
    try {
      const at = memory.allocate(bytes, what);
      memory.free(box.at);
      box.at = at;
    } catch (error) {
      ledger.charge(box, before, what);
      throw error;
    }
  };
  const put = <Box extends { bytes: number; at: number }>(box: Box, values: Float32Array, what: string): Box => {
    room(box, values.byteLength, what);
    memory.f32.set(values, box.at >>> 2);
    return box;
  };
  const resize = (tensor: WasmTensor, rows: number, cols: number): void => {
    room(tensor, rows * cols * 4, `a tensor of ${rows} × ${cols}`);
    tensor.rows = rows;
    tensor.cols = cols;
  };
  const release = (box: WasmBox): void => {
    if (box.kind === 'weight') banks.release(box.bank, box.at, box.bytes);
    else memory.free(box.at);
    ledger.charge(box, 0, box.kind);
    box.owner = null;
    box.at = 0;
  };
  const forgetScreen = (weight: WasmWeight): void => {
    const { screen } = weight;
    weight.screen = undefined;
    if (screen) for (const box of [screen.coarse, screen.errors, screen.sizes]) release(box);
  };
  return {
    machine,
    banks,
    ledger,
    certifiedHead,
    resize,
    resizeLogits(logits, rows, vocabulary) {
      room(logits, rows * vocabulary * 4, `logits of ${rows} × ${vocabulary}`);
      logits.rows = rows;
      logits.vocabulary = vocabulary;
      logits.pending = null;
    },
    weight(rows, cols, type) {
      checkWeight(rows, cols, type);
      const steps = Math.ceil(rows / FILL_ROWS);
      const filled = new Uint8Array(steps);
      const box: WasmWeight = { kind: 'weight', rows, cols, type, filled, missing: steps, bank: 0, ...held() };
      const [bytes, what] = [weightBytes(rows, cols, type), `a ${rows} × ${cols} ${type} weight`];
      ledger.charge(box, bytes, what);
      try {
        return Object.assign(box, banks.place(bytes, what));
      } catch (error) {
        ledger.charge(box, 0, what);
        throw error;
      }
    },
    fill(box, firstRow, bytes, stored) {
      const weight = open(ledger, box, 'fill');
      forgetScreen(weight);
      fillWeight(banks.machine(weight.bank), weight, firstRow, bytes, stored);
    },
    vector(values): WasmVector {
      expectCount('vector', 'length', values.length);
      return put({ kind: 'vector', length: values.length, ...held() }, values, `a vector of ${values.length}`);
    },
    bias(heads, offset, table): WasmBias {
      expectCount('bias', 'heads', heads);
      const span = table.length / heads;
      expectCount('bias', 'span (table.length / heads)', span);
      return put({ kind: 'bias', heads, span, offset, ...held() }, table, `a bias of ${heads} × ${span}`);
    },
    tensor: (): WasmTensor => ({ kind: 'tensor', rows: 0, cols: 0, ...held() }),
    logits: (): WasmLogits => {
      const input: WasmTensor = { kind: 'tensor', rows: 0, cols: 0, ...held() };
      return { kind: 'logits', rows: 0, vocabulary: 0, pending: null, input, ...held() };
    },
    plan: (): WasmPlan => ({ ...EMPTY_PLAN, ...held() }),
    cache(heads, dKv, slots) {
      expectCount('cache', 'heads', heads);
      expectCount('cache', 'dKv', dKv);
      expectCount('cache', 'slots', slots);
      const box: WasmCache = { kind: 'cache', heads, dKv, slots: 0, ...held() };
      growCache(machine, ledger, box, slots);
      return box;
    },
    grow(cache, slots) {
      const box = open(ledger, cache, 'grow');
      expectCount('grow', 'slots', slots);
      if (slots > box.slots) growCache(machine, ledger, box, slots);
    },
    arrange(plan, spec) {
      const box = open(ledger, plan, 'arrange');
      const needs = planSlots(spec);
      room(box, (spec.rows * 4 + spec.keys.length) * 4, `a plan of ${spec.rows} rows`);
      arrangePlan(memory.i32, box, spec, needs);
    },
    write(tensor, rows, cols, values) {
      expectCount('write', 'rows', rows);
      expectCount('write', 'cols', cols);
      expectShape('write', 'values.length', rows * cols, values.length);
      const box = open(ledger, tensor, 'write');
      resize(box, rows, cols);
      memory.f32.set(values, box.at >>> 2);
    },
    async read(tensor) {
      const box = open(ledger, tensor, 'read');
      return memory.f32.slice(box.at >>> 2, (box.at >>> 2) + box.rows * box.cols);
    },
    readCache: async (cache, slots) => readSlots(memory.f32, open(ledger, cache, 'readCache'), slots),
    free(box) {
      const opened = open(ledger, box, 'free') as WasmBox;
      if (opened.kind === 'weight') forgetScreen(opened);
      if (opened.kind === 'logits') release(opened.input);
      release(opened);
    },
    async dispose() {},
  };
}

const EMPTY_PLAN = {
  kind: 'plan' as const,
  rows: 0,
  write: 0,
  start: 0,
  count: 0,
  position: 0,
  keys: 0,
  written: 0,
  needs: 0,
  longest: 0,
  total: 0,
};

function checkWeight(rows: number, cols: number, type: Dtype): void {
  expectCount('weight', 'rows', rows);
  expectCount('weight', 'cols', cols);
  if (!(type in TYPE_CODE)) {
    throw new KernelError('type-unsupported', `weight: expected type f32, bf16 or q8, found ${String(type)}`);
  }
}

const STORED_CODE: Readonly<Record<StoredType, number>> = { f32: 0, bf16: 1, f16: 2, i8: 3 };

/** Copies the rows' bytes into linear memory and packs them from there, panel by panel on all threads. */
function fillWeight(
  machine: Machine,
  weight: WasmWeight,
  firstRow: number,
  bytes: Uint8Array,
  stored: StoredType,
): void {
  const rows = fillRows(weight, firstRow, bytes, stored);
  const { memory } = machine;
  const staging = machine.area('staging', bytes.byteLength);
  machine.scratch(weight.cols * 32 + 256);
  memory.u8.set(bytes, staging);
  const type = TYPE_CODE[weight.type];
  memory.i32.set([staging, STORED_CODE[stored], rows, weight.cols, weight.at, type, firstRow], PARAMETER);
  machine.run(Operation.pack, Math.ceil(rows / 8), rows * weight.cols);
  for (let step = firstRow / FILL_ROWS; step * FILL_ROWS < firstRow + rows; step++) {
    weight.missing -= weight.filled[step] === 1 ? 0 : 1;
    weight.filled[step] = 1;
  }
  if (weight.missing === 0) machine.release('staging');
}

/** Moves a cache to a larger place: each head's slots lie together. */
function growCache(machine: Machine, ledger: Memory, box: WasmCache, slots: number): void {
  const { memory } = machine;
  const { heads, dKv } = box;
  const what = `a cache of ${slots} slots`;
  const one = cacheBytes(heads, dKv, slots);
  const before = box.bytes;
  ledger.charge(box, one * 2, what);
  let at: number;
  try {
    at = memory.allocate(one * 2, what);
  } catch (error) {
    ledger.charge(box, before, what);
    throw error;
  }
  const [from, to] = [cacheBytes(1, dKv, box.slots), cacheBytes(1, dKv, slots)];
  for (let i = 0; i < heads * 2 && from > 0; i++) {
    memory.u8.copyWithin(at + i * to, box.at + i * from, box.at + (i + 1) * from);
    memory.u8.fill(0, at + i * to + from, at + (i + 1) * to);
  }
  if (from === 0) memory.u8.fill(0, at, at + one * 2);
  memory.free(box.at);
  box.at = at;
  box.slots = slots;
}

function arrangePlan(i32: Int32Array, plan: WasmPlan, spec: PlanSpec, needs: number): void {
  const { rows } = spec;
  const width = rows * 4;
  plan.rows = rows;
  plan.needs = needs;
  plan.written = spec.write.length;
  plan.write = plan.at;
  plan.start = plan.at + width;
  plan.count = plan.at + width * 2;
  plan.position = plan.at + width * 3;
  plan.keys = plan.at + width * 4;
  i32.set(spec.write, plan.write >>> 2);
  i32.set(spec.start, plan.start >>> 2);
  i32.set(spec.count, plan.count >>> 2);
  i32.set(spec.position, plan.position >>> 2);
  i32.set(spec.keys, plan.keys >>> 2);
  plan.longest = 0;
  plan.total = 0;
  for (let row = 0; row < rows; row++) {
    plan.longest = Math.max(plan.longest, spec.count[row]);
    plan.total += spec.count[row];
  }
}

function readSlots(f32: Float32Array, cache: WasmCache, slots: Int32Array) {
  expectIndices('readCache', 'slots', slots, cache.slots);
  const { heads, dKv } = cache;
  const padded = Math.ceil(dKv / 4) * 4;
  const pick = (base: number): Float32Array => {
    const out = new Float32Array(slots.length * heads * dKv);
    slots.forEach((slot, i) => {
      for (let head = 0; head < heads; head++) {
        const from = (base >>> 2) + (head * cache.slots + slot) * padded;
        out.set(f32.subarray(from, from + dKv), (i * heads + head) * dKv);
      }
    });
    return out;
  };
  return { keys: pick(cache.at), values: pick(cache.at + cacheBytes(heads, dKv, cache.slots)) };
}

/** Opens a cache for a plan: it must have every slot that the plan names. */
export function openCache(
  owner: object,
  cache: Parameters<Storage['grow']>[0],
  needs: number,
  where: string,
): WasmCache {
  const box = open(owner, cache, where);
  expectArgument(needs <= box.slots, where, `a cache of at least ${needs} slots`, box.slots);
  return box;
}
