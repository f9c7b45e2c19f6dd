import { unpackQ4, unpackQ8 } from '../../common';
import type { Dtype, PlanSpec } from '../contract';
import type { BoxOf } from './boxes';
import { decodeRows, f32ToBf16, words16 } from './float';
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
import { Q4_BYTES, quantizeRowsQ4 } from './q4';
import { q8Blocks, quantizeRows } from './q8';
import { type CacheRows, nothingFilled, type StorageParts, type StoredRows } from './storage';

const EMPTY = new Float32Array(0);
const NO_SLOTS = new Int32Array(0);
const NO_LISTS = { write: NO_SLOTS, start: NO_SLOTS, count: NO_SLOTS, keys: NO_SLOTS, position: NO_SLOTS };
const LISTS = ['write', 'start', 'count', 'keys', 'position'] as const;

/** Storage in typed arrays: that of the reference and of the cpu backend. */
export class HostStorage implements StorageParts<HostBoxes> {
  declare readonly boxTypes?: HostBoxes;
  readonly budget: MemoryBudget;

  constructor(backend: string, capacityBytes: number) {
    this.budget = new MemoryBudget(backend, capacityBytes);
  }

  resize(tensor: HostTensor, rows: number, cols: number): void {
    this.#ensureLength(tensor, rows * cols);
    Object.assign(tensor, { rows, cols });
  }

  resizeLogits(logits: HostLogits, rows: number, vocabulary: number): void {
    this.#ensureLength(logits, rows * vocabulary);
    Object.assign(logits, { rows, vocabulary });
  }

  #ensureLength(box: HostTensor | HostLogits, length: number): void {
    if (box.data.length >= length) return;
    const what = `a ${box.kind} of ${length} values`;
    box.data = this.budget.allocate(box, length * 4, what, () => new Float32Array(length));
  }

  #owned() {
    return { owner: this.budget, bytes: 0 };
  }

  createWeight(rows: number, cols: number, type: Dtype): HostWeight {
    const box = { kind: 'weight' as const, rows, cols, type, ...nothingFilled(rows), ...this.#owned() };
    const what = `a ${rows} × ${cols} ${type} weight`;
    const Values = { f32: Float32Array, bf16: Uint16Array, q8: Int8Array, q4: Uint8Array }[type];
    const [blocks, hasScales] = [rows * q8Blocks(cols), type === 'q8' || type === 'q4'];
    const arrays = this.budget.allocate(box, hostWeightBytes(rows, cols, type), what, () => ({
      data: new Values(type === 'q4' ? blocks * Q4_BYTES : rows * cols),
      scales: new Float32Array(hasScales ? blocks : 0),
    }));
    return Object.assign(box, arrays);
  }

  fillWeight(weight: HostWeight, { firstRow, bytes, stored }: StoredRows): void {
    const { cols, data } = weight;
    const from = firstRow * cols;
    if (weight.type === 'bf16' && stored === 'bf16') {
      (data as Uint16Array).set(words16(bytes), from);
      return;
    }
    if (weight.type === 'q8' && stored === 'q8') {
      const { codes, scales } = unpackQ8(bytes, cols);
      (data as Int8Array).set(codes, from);
      weight.scales.set(scales, firstRow * q8Blocks(cols));
      return;
    }
    if (weight.type === 'q4' && stored === 'q4') {
      const { codes, scales } = unpackQ4(bytes, cols);
      (data as Uint8Array).set(codes, firstRow * q8Blocks(cols) * Q4_BYTES);
      weight.scales.set(scales, firstRow * q8Blocks(cols));
      return;
    }
    const values = decodeRows(bytes, stored, cols); // [rows, cols]
    if (weight.type === 'f32') (data as Float32Array).set(values, from);
    else if (weight.type === 'bf16') for (let i = 0; i < values.length; i++) data[from + i] = f32ToBf16(values[i]);
    else {
      const block = firstRow * q8Blocks(cols);
      const scales = weight.scales.subarray(block);
      if (weight.type === 'q8') quantizeRows(values, cols, (data as Int8Array).subarray(from), scales);
      else quantizeRowsQ4(values, cols, (data as Uint8Array).subarray(block * Q4_BYTES), scales);
    }
  }

  createVector(values: Float32Array): HostVector {
    const box = { kind: 'vector' as const, length: values.length, ...this.#owned() };
    const what = `a vector of ${values.length}`;
    return Object.assign(box, { data: this.budget.allocate(box, values.byteLength, what, () => values.slice()) });
  }

  createBias(heads: number, offset: number, table: Float32Array): HostBias {
    const span = table.length / heads;
    const box = { kind: 'bias' as const, heads, span, offset, ...this.#owned() };
    const what = `a bias of ${heads} × ${span}`;
    return Object.assign(box, { table: this.budget.allocate(box, table.byteLength, what, () => table.slice()) });
  }

  createTensor(): HostTensor {
    return { kind: 'tensor', rows: 0, cols: 0, data: EMPTY, ...this.#owned() };
  }

  createLogits(): HostLogits {
    return { kind: 'logits', rows: 0, vocabulary: 0, data: EMPTY, ...this.#owned() };
  }

  createPlan(): HostPlan {
    return { kind: 'plan', rows: 0, written: 0, neededSlots: 0, ...NO_LISTS, places: null, ...this.#owned() };
  }

  storeLists(plan: HostPlan, spec: PlanSpec): void {
    for (const name of LISTS) plan[name] = spec[name].slice();
    plan.places = spec.places?.slice() ?? null;
  }

  createCache(heads: number, dKv: number): HostCache {
    return { kind: 'cache', heads, dKv, slots: 0, keys: EMPTY, values: EMPTY, ...this.#owned() };
  }

  growCache(cache: HostCache, slots: number): void {
    const length = slots * cache.heads * cache.dKv;
    const [keys, values] = this.budget.allocate(cache, length * 8, `a cache of ${slots} slots`, () => [
      new Float32Array(length),
      new Float32Array(length),
    ]);
    keys.set(cache.keys);
    values.set(cache.values);
    Object.assign(cache, { keys, values, slots });
  }

  async readSlots(cache: HostCache, slots: Int32Array): Promise<CacheRows> {
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

  writeTensor(tensor: HostTensor, values: Float32Array): void {
    tensor.data.set(values);
  }

  async readTensor({ data, rows, cols }: HostTensor): Promise<Float32Array> {
    return data.slice(0, rows * cols);
  }

  /** Lets go of the arrays, even if the caller keeps the box itself. */
  release(box: BoxOf<HostBoxes>): void {
    if ('data' in box) Object.assign(box, { data: EMPTY });
    if (box.kind === 'cache') box.keys = box.values = EMPTY;
  }

  async dispose(): Promise<void> {}
}
