import type { Dtype, PlanSpec, Storage, StoredType } from '../contract';
import { type BoxOf, type BoxStorage, open } from '../shared/boxes';
import { fillRows, planSlots } from '../shared/checks';
import { MemoryBudget } from '../shared/memoryBudget';
import {
  checkNewBias,
  checkNewCache,
  checkNewVector,
  markFilled,
  openGrow,
  openNewWeight,
  openReadCache,
  openWrite,
} from '../shared/storageCalls';
import type { Banks } from './banks';
import {
  cacheBytes,
  type Located,
  type WasmBias,
  type WasmBoxes,
  type WasmCache,
  type WasmLogits,
  type WasmPlan,
  type WasmTensor,
  type WasmVector,
  type WasmWeight,
  WEIGHT_CODES,
  weightBytes,
} from './boxes';
import type { WasmInstance } from './instance';
import { Operation, PackParameter, Size, StoredCode } from './layout';
import type { LinearMemory } from './linearMemory';

/** Storage in linear memory. */
export interface WasmStorage extends Storage, BoxStorage<WasmBoxes> {
  weight(rows: number, cols: number, type: Dtype): WasmWeight;
  vector(values: Float32Array): WasmVector;
  tensor(): WasmTensor;
  readonly banks: Banks;
  /** Whether an arg-max may be found by a coarse copy of the vocabulary's matrix (`screen.ts`). */
  readonly certifiedHead: boolean;
}

type Charged = Located & { bytes: number };

const STORED_CODES: Readonly<Record<StoredType, number>> = {
  f32: StoredCode.f32,
  bf16: StoredCode.bf16,
  f16: StoredCode.f16,
  i8: StoredCode.i8,
};

const NO_LISTS = { write: 0, start: 0, count: 0, position: 0, keys: 0, longest: 0, total: 0 };

export function createWasmStorage(banks: Banks, capacityBytes: number, certifiedHead: boolean): WasmStorage {
  const { memory } = banks.first;
  const budget = new MemoryBudget('wasm', capacityBytes);
  const owned = () => ({ owner: budget, bytes: 0, at: 0 });
  const reserve = (box: Charged, bytes: number, what: string) => reserveIn(memory, budget, box, bytes, what);
  const store = <Box extends Charged>(box: Box, values: Float32Array, what: string): Box => {
    reserve(box, values.byteLength, what);
    memory.f32.set(values, box.at >>> 2);
    return box;
  };
  const release = (box: BoxOf<WasmBoxes>): void => {
    if (box.kind === 'weight') banks.free(box.bank, box.at, box.bytes);
    else memory.free(box.at);
    budget.charge(box, 0, box.kind);
    box.owner = null;
    box.at = 0;
  };
  /** Frees the coarse copy of a weight. It is created anew when it is asked for again. */
  const releaseScreen = (weight: WasmWeight): void => {
    const { screen } = weight;
    weight.screen = undefined;
    if (screen) for (const box of [screen.coarse, screen.errors, screen.sizes]) release(box);
  };
  const storage: WasmStorage = {
    banks,
    budget,
    certifiedHead,
    resize(tensor, rows, cols) {
      reserve(tensor, rows * cols * 4, `a tensor of ${rows} × ${cols}`);
      Object.assign(tensor, { rows, cols });
    },
    resizeLogits(logits, rows, vocabulary) {
      reserve(logits, rows * vocabulary * 4, `logits of ${rows} × ${vocabulary}`);
      Object.assign(logits, { rows, vocabulary, pending: null });
    },
    weight(rows, cols, type): WasmWeight {
      const { what, ...filling } = openNewWeight(rows, cols, type);
      const box: WasmWeight = { kind: 'weight', rows, cols, type, bank: 0, ...filling, ...owned() };
      const bytes = weightBytes(rows, cols, type);
      return Object.assign(
        box,
        budget.allocate(box, bytes, what, () => banks.allocate(bytes, what)),
      );
    },
    fill(box, firstRow, bytes, stored) {
      const weight = open(storage, box, 'fill');
      releaseScreen(weight);
      fillWeight(banks.instance(weight.bank), weight, firstRow, bytes, stored);
    },
    vector(values): WasmVector {
      const what = checkNewVector(values);
      return store({ kind: 'vector', length: values.length, ...owned() }, values, what);
    },
    bias(heads, offset, table): WasmBias {
      const { span, what } = checkNewBias(heads, table);
      return store({ kind: 'bias', heads, span, offset, ...owned() }, table, what);
    },
    tensor: (): WasmTensor => ({ kind: 'tensor', rows: 0, cols: 0, ...owned() }),
    logits: (): WasmLogits => {
      const input: WasmTensor = { kind: 'tensor', rows: 0, cols: 0, ...owned() };
      return { kind: 'logits', rows: 0, vocabulary: 0, pending: null, input, ...owned() };
    },
    plan: (): WasmPlan => ({ kind: 'plan', rows: 0, written: 0, neededSlots: 0, ...NO_LISTS, ...owned() }),
    cache(heads, dKv, slots): WasmCache {
      checkNewCache(heads, dKv, slots);
      const box: WasmCache = { kind: 'cache', heads, dKv, slots: 0, ...owned() };
      growCache(memory, budget, box, slots);
      return box;
    },
    grow(cache, slots) {
      const box = openGrow(storage, cache, slots);
      if (box !== null) growCache(memory, budget, box, slots);
    },
    arrange(plan, spec) {
      const box = open(storage, plan, 'arrange');
      const neededSlots = planSlots(spec);
      reserve(box, (spec.rows * 4 + spec.keys.length) * 4, `a plan of ${spec.rows} rows`);
      arrangePlan(memory.i32, box, spec, neededSlots);
    },
    write(tensor, rows, cols, values) {
      const box = openWrite(storage, tensor, rows, cols, values);
      memory.f32.set(values, box.at >>> 2);
    },
    async read(tensor) {
      const box = open(storage, tensor, 'read');
      return memory.f32.slice(box.at >>> 2, (box.at >>> 2) + box.rows * box.cols);
    },
    readCache: async (cache, slots) => readSlots(memory.f32, openReadCache(storage, cache, slots), slots),
    free(box) {
      const opened: BoxOf<WasmBoxes> = open(storage, box, 'free');
      if (opened.kind === 'weight') releaseScreen(opened);
      if (opened.kind === 'logits') release(opened.input);
      release(opened);
    },
    async dispose() {},
  };
  return storage;
}

/** Gives a box an address with at least `bytes` bytes. The content is lost, unless the box had as many before. */
function reserveIn(memory: LinearMemory, budget: MemoryBudget, box: Charged, bytes: number, what: string): void {
  if (box.bytes >= bytes) return;
  const at = budget.allocate(box, bytes, what, () => memory.allocate(bytes, what));
  memory.free(box.at);
  box.at = at;
}

/** Copies the rows' bytes into linear memory. From there all threads pack them, panel by panel. */
function fillWeight(
  instance: WasmInstance,
  weight: WasmWeight,
  firstRow: number,
  bytes: Uint8Array,
  stored: StoredType,
): void {
  const rows = fillRows(weight, firstRow, bytes, stored);
  const { memory } = instance;
  const staging = instance.area('staging', bytes.byteLength);
  instance.scratch(weight.cols * 32 + 256);
  memory.u8.set(bytes, staging);
  const { i32 } = memory.parameters;
  i32[PackParameter.source] = staging;
  i32[PackParameter.stored] = STORED_CODES[stored];
  i32[PackParameter.rows] = rows;
  i32[PackParameter.cols] = weight.cols;
  i32[PackParameter.weight] = weight.at;
  i32[PackParameter.type] = WEIGHT_CODES[weight.type];
  i32[PackParameter.firstRow] = firstRow;
  instance.run(Operation.pack, Math.ceil(rows / Size.panelOutputs), rows * weight.cols);
  markFilled(weight, firstRow, rows);
  if (weight.missing === 0) instance.release('staging');
}

/** Moves a cache to a larger place. The slots of each head stay together. */
function growCache(memory: LinearMemory, budget: MemoryBudget, box: WasmCache, slots: number): void {
  const { heads, dKv } = box;
  const what = `a cache of ${slots} slots`;
  const bytes = cacheBytes(heads, dKv, slots) * 2;
  const at = budget.allocate(box, bytes, what, () => memory.allocate(bytes, what));
  const [from, to] = [cacheBytes(1, dKv, box.slots), cacheBytes(1, dKv, slots)];
  for (let i = 0; i < heads * 2 && from > 0; i++) {
    memory.u8.copyWithin(at + i * to, box.at + i * from, box.at + (i + 1) * from);
    memory.u8.fill(0, at + i * to + from, at + (i + 1) * to);
  }
  if (from === 0) memory.u8.fill(0, at, at + bytes);
  memory.free(box.at);
  box.at = at;
  box.slots = slots;
}

function arrangePlan(i32: Int32Array, plan: WasmPlan, spec: PlanSpec, neededSlots: number): void {
  const { rows } = spec;
  const width = rows * 4;
  plan.rows = rows;
  plan.neededSlots = neededSlots;
  plan.written = spec.write.length;
  plan.write = plan.at;
  plan.start = plan.at + width;
  plan.count = plan.at + width * 2;
  plan.position = plan.at + width * 3;
  plan.keys = plan.at + width * 4;
  for (const name of ['write', 'start', 'count', 'position', 'keys'] as const) i32.set(spec[name], plan[name] >>> 2);
  plan.longest = 0;
  plan.total = 0;
  for (let row = 0; row < rows; row++) {
    plan.longest = Math.max(plan.longest, spec.count[row]);
    plan.total += spec.count[row];
  }
}

function readSlots(f32: Float32Array, cache: WasmCache, slots: Int32Array) {
  const { heads, dKv } = cache;
  const padded = Math.ceil(dKv / 4) * 4;
  const rowsOf = (base: number): Float32Array => {
    const out = new Float32Array(slots.length * heads * dKv);
    slots.forEach((slot, i) => {
      for (let head = 0; head < heads; head++) {
        const from = (base >>> 2) + (head * cache.slots + slot) * padded;
        out.set(f32.subarray(from, from + dKv), (i * heads + head) * dKv);
      }
    });
    return out;
  };
  return { keys: rowsOf(cache.at), values: rowsOf(cache.at + cacheBytes(heads, dKv, cache.slots)) };
}
