import type { Dtype, PlanSpec, StoredType } from '../contract';
import type { BoxOf } from '../shared/boxes';
import { MemoryBudget } from '../shared/memoryBudget';
import { type CacheRows, nothingFilled, type StorageParts, type StoredRows } from '../shared/storage';
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
import { Operation, PackParameter, Size, StoredCode } from './layout';
import type { LinearMemory } from './linearMemory';

type Charged = Located & { bytes: number };

const STORED_CODES: Readonly<Record<StoredType, number>> = {
  f32: StoredCode.f32,
  bf16: StoredCode.bf16,
  f16: StoredCode.f16,
  i8: StoredCode.i8,
  q8: StoredCode.q8,
  q4: StoredCode.q4,
};

const NO_LISTS = { write: 0, start: 0, count: 0, position: 0, keys: 0, longest: 0, total: 0, places: 0 };

export interface WasmStorageOptions {
  readonly capacityBytes: number;
  /** Whether an arg-max may be found by a coarse copy of the vocabulary's matrix (`screen.ts`). */
  readonly certifiedHead: boolean;
  /** Ends the helping threads. */
  readonly endThreads: () => Promise<void>;
}

/** Storage in linear memory. Weights are in any of the memories, everything else is in the first. */
export class WasmStorage implements StorageParts<WasmBoxes> {
  declare readonly boxTypes?: WasmBoxes;
  readonly budget: MemoryBudget;
  readonly certifiedHead: boolean;
  readonly #memory: LinearMemory;
  readonly #endThreads: () => Promise<void>;

  constructor(
    readonly banks: Banks,
    { capacityBytes, certifiedHead, endThreads }: WasmStorageOptions,
  ) {
    this.budget = new MemoryBudget('wasm', capacityBytes);
    this.certifiedHead = certifiedHead;
    this.#memory = banks.first.memory;
    this.#endThreads = endThreads;
  }

  resize(tensor: WasmTensor, rows: number, cols: number): void {
    this.#reserve(tensor, rows * cols * 4, `a tensor of ${rows} × ${cols}`);
    Object.assign(tensor, { rows, cols, mayBeZero: false });
  }

  resizeLogits(logits: WasmLogits, rows: number, vocabulary: number): void {
    this.#reserve(logits, rows * vocabulary * 4, `logits of ${rows} × ${vocabulary}`);
    Object.assign(logits, { rows, vocabulary, pending: null });
  }

  /** Gives a box an address with at least `bytes` bytes. The content is lost, unless the box had as many before. */
  #reserve(box: Charged, bytes: number, what: string): void {
    if (box.bytes >= bytes) return;
    const at = this.budget.allocate(box, bytes, what, () => this.#memory.allocate(bytes, what));
    this.#memory.free(box.at);
    box.at = at;
  }

  #store<Box extends Charged>(box: Box, values: Float32Array, what: string): Box {
    this.#reserve(box, values.byteLength, what);
    this.#memory.f32.set(values, box.at >>> 2);
    return box;
  }

  #owned() {
    return { owner: this.budget, bytes: 0, at: 0 };
  }

  createWeight(rows: number, cols: number, type: Dtype): WasmWeight {
    const filling = nothingFilled(rows);
    const box: WasmWeight = { kind: 'weight', rows, cols, type, bank: 0, ...filling, ...this.#owned() };
    const bytes = weightBytes(rows, cols, type, this.banks.first);
    const what = `a ${rows} × ${cols} ${type} weight`;
    return Object.assign(
      box,
      this.budget.allocate(box, bytes, what, () => this.banks.allocate(bytes, what)),
    );
  }

  /** Copies the bytes into linear memory. From there all threads pack them, panel by panel. */
  fillWeight(weight: WasmWeight, { firstRow, rows, bytes, stored }: StoredRows): void {
    this.#releaseScreen(weight);
    weight.plain = undefined;
    const instance = this.banks.instance(weight.bank);
    const staging = instance.area('staging', bytes.byteLength);
    instance.scratch(weight.cols * 32 + 256);
    instance.memory.u8.set(bytes, staging);
    const { i32 } = instance.memory.parameters;
    i32[PackParameter.source] = staging;
    i32[PackParameter.stored] = STORED_CODES[stored];
    i32[PackParameter.rows] = rows;
    i32[PackParameter.cols] = weight.cols;
    i32[PackParameter.weight] = weight.at;
    i32[PackParameter.type] = WEIGHT_CODES[weight.type];
    i32[PackParameter.firstRow] = firstRow;
    instance.run(Operation.pack, Math.ceil(rows / Size.panelOutputs), rows * weight.cols);
    instance.release('staging');
  }

  createVector(values: Float32Array): WasmVector {
    const box: WasmVector = { kind: 'vector', length: values.length, ...this.#owned() };
    return this.#store(box, values, `a vector of ${values.length}`);
  }

  createBias(heads: number, offset: number, table: Float32Array): WasmBias {
    const span = table.length / heads;
    const box: WasmBias = { kind: 'bias', heads, span, offset, ...this.#owned() };
    return this.#store(box, table, `a bias of ${heads} × ${span}`);
  }

  createTensor(): WasmTensor {
    return { kind: 'tensor', rows: 0, cols: 0, mayBeZero: false, ...this.#owned() };
  }

  createLogits(): WasmLogits {
    const input = this.createTensor();
    return { kind: 'logits', rows: 0, vocabulary: 0, pending: null, input, ...this.#owned() };
  }

  createPlan(): WasmPlan {
    return { kind: 'plan', rows: 0, written: 0, neededSlots: 0, ...NO_LISTS, ...this.#owned() };
  }

  storeLists(plan: WasmPlan, spec: PlanSpec): void {
    const { rows, count, keys, places } = spec;
    this.#reserve(plan, (rows * 4 + keys.length + (places?.length ?? 0)) * 4, `a plan of ${rows} rows`);
    const width = rows * 4;
    plan.write = plan.at;
    plan.start = plan.at + width;
    plan.count = plan.at + width * 2;
    plan.position = plan.at + width * 3;
    plan.keys = plan.at + width * 4;
    const { i32 } = this.#memory;
    for (const name of ['write', 'start', 'count', 'position', 'keys'] as const) i32.set(spec[name], plan[name] >>> 2);
    plan.places = places ? plan.keys + keys.length * 4 : 0;
    if (places) i32.set(places, plan.places >>> 2);
    plan.longest = 0;
    plan.total = 0;
    for (let row = 0; row < rows; row++) {
      plan.longest = Math.max(plan.longest, count[row]);
      plan.total += count[row];
    }
  }

  createCache(heads: number, dKv: number): WasmCache {
    return { kind: 'cache', heads, dKv, slots: 0, ...this.#owned() };
  }

  /**
   * Moves a cache to a larger place. The slots of each head stay together. New slots are not cleared, which would take long: none is
   * read before it is written.
   */
  growCache(cache: WasmCache, slots: number): void {
    const { heads, dKv } = cache;
    const what = `a cache of ${slots} slots`;
    const bytes = cacheBytes(heads, dKv, slots) * 2;
    const at = this.budget.allocate(cache, bytes, what, () => this.#memory.allocate(bytes, what));
    const { u8 } = this.#memory; // the view after the memory has grown
    const [from, to] = [cacheBytes(1, dKv, cache.slots), cacheBytes(1, dKv, slots)];
    for (let i = 0; i < heads * 2 && from > 0; i++) {
      u8.copyWithin(at + i * to, cache.at + i * from, cache.at + (i + 1) * from);
    }
    this.#memory.free(cache.at);
    Object.assign(cache, { at, slots });
  }

  async readSlots(cache: WasmCache, slots: Int32Array): Promise<CacheRows> {
    const { heads, dKv } = cache;
    const { f32 } = this.#memory;
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

  writeTensor(tensor: WasmTensor, values: Float32Array): void {
    this.#memory.f32.set(values, tensor.at >>> 2);
  }

  async readTensor({ at, rows, cols }: WasmTensor): Promise<Float32Array> {
    return this.#memory.f32.slice(at >>> 2, (at >>> 2) + rows * cols);
  }

  release(box: BoxOf<WasmBoxes>): void {
    if (box.kind === 'weight') this.#releaseScreen(box);
    if (box.kind === 'logits') this.release(box.input);
    if (box.kind === 'weight') this.banks.free(box.bank, box.at, box.bytes);
    else this.#memory.free(box.at);
    this.budget.charge(box, 0, box.kind);
    box.owner = null;
    box.at = 0;
  }

  /** Frees the coarse copy of a weight. It is created anew when it is asked for again. */
  #releaseScreen(weight: WasmWeight): void {
    const { screen } = weight;
    weight.screen = undefined;
    if (screen) for (const box of [screen.coarse, screen.errors, screen.sizes]) this.release(box);
  }

  dispose(): Promise<void> {
    return this.#endThreads();
  }
}
