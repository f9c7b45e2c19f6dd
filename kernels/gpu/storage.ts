import type { Dtype, PlanSpec } from '../contract';
import { KernelError } from '../errors';
import { open } from '../shared/boxes';
import { expectCount, expectIndices, expectShape, FILL_ROWS, fillRows, planSlots } from '../shared/checks';
import type { HostStorage } from '../shared/hostStorage';
import type { Memory } from '../shared/memory';
import { fitCache, rowsBySlot } from './append';
import type { GpuBias, GpuCache, GpuLogits, GpuPlan, GpuTensor, GpuVector, GpuWeight, Piece } from './boxes';
import { decodeRows, packRows, panelRows, rowWords } from './pack';
import { type GpuQueue, held, holder } from './queue';

/** Storage on the device; the host keeps shapes and charges. */
export interface GpuStorage extends HostStorage {
  readonly queue: GpuQueue;
}

const EMPTY = new Float32Array(0);
const NO_SLOTS = new Int32Array(0);

/** Bytes of a weight matrix on the device. */
export function gpuWeightBytes(rows: number, cols: number, type: Dtype): number {
  const { words, scales } = rowWords(cols, type);
  return panelRows(rows) * (words + scales) * 4;
}

export function createGpuStorage(queue: GpuQueue, memory: Memory): GpuStorage {
  const limit = (values: number, what: string): void => {
    const { maxValues } = queue.device;
    if (values > maxValues) {
      throw new KernelError('out-of-memory', `gpu: ${what}: expected at most ${maxValues} values, found ${values}`);
    }
  };
  const fresh = () => ({ owner: memory as object | null, bytes: 0, ...holder() });
  const resize = (box: GpuTensor | GpuLogits, values: number): void => {
    const what = `a ${box.kind} of ${values} values`;
    limit(values, what);
    memory.charge(box, values * 4, what);
  };
  return {
    memory,
    queue,
    resize(tensor, rows, cols) {
      resize(tensor as GpuTensor, rows * cols);
      Object.assign(tensor, { rows, cols });
    },
    resizeLogits(logits, rows, vocabulary) {
      resize(logits as GpuLogits, rows * vocabulary);
      Object.assign(logits, { rows, vocabulary, fetched: null });
    },
    weight: (rows, cols, type) => makeWeight(queue, memory, rows, cols, type),
    fill(box, firstRow, bytes, stored) {
      const weight = open(memory, box, 'fill') as GpuWeight;
      const rows = fillRows(weight, firstRow, bytes, stored);
      fillPieces(queue, weight, firstRow, decodeRows(bytes, stored, weight.type));
      for (let step = firstRow / FILL_ROWS; step * FILL_ROWS < firstRow + rows; step++) {
        weight.missing -= weight.filled[step] === 1 ? 0 : 1;
        weight.filled[step] = 1;
      }
    },
    vector(values): GpuVector {
      expectCount('vector', 'length', values.length);
      const box: GpuVector = { kind: 'vector', length: values.length, ...fresh(), data: EMPTY };
      memory.charge(box, values.byteLength, `a vector of ${values.length}`);
      queue.upload(box, values.slice());
      return box;
    },
    bias(heads, offset, table): GpuBias {
      expectCount('bias', 'heads', heads);
      const span = table.length / heads;
      expectCount('bias', 'span (table.length / heads)', span);
      const box: GpuBias = { kind: 'bias', heads, span, offset, ...fresh(), table: EMPTY };
      memory.charge(box, table.byteLength, `a bias of ${heads} × ${span}`);
      queue.upload(box, table.slice());
      return box;
    },
    tensor: (): GpuTensor => ({ kind: 'tensor', rows: 0, cols: 0, ...fresh(), data: EMPTY }),
    logits: (): GpuLogits => ({ kind: 'logits', rows: 0, vocabulary: 0, ...fresh(), data: EMPTY, fetched: null }),
    plan: (): GpuPlan => emptyPlan(memory),
    cache(heads, dKv, slots): GpuCache {
      expectCount('cache', 'heads', heads);
      expectCount('cache', 'dKv', dKv);
      expectCount('cache', 'slots', slots);
      const empty = { slots: 0, resident: 0, keys: EMPTY, values: EMPTY };
      const box: GpuCache = { kind: 'cache', heads, dKv, ...fresh(), ...empty };
      growCache(box, slots, memory, limit);
      return box;
    },
    grow(cache, slots) {
      const box = open(memory, cache, 'grow') as GpuCache;
      expectCount('grow', 'slots', slots);
      if (slots > box.slots) growCache(box, slots, memory, limit);
    },
    arrange(plan, spec) {
      arrangePlan(queue, open(memory, plan, 'arrange') as GpuPlan, spec);
    },
    write(tensor, rows, cols, values) {
      expectCount('write', 'rows', rows);
      expectCount('write', 'cols', cols);
      expectShape('write', 'values.length', rows * cols, values.length);
      const box = open(memory, tensor, 'write') as GpuTensor;
      this.resize(box, rows, cols);
      queue.upload(box, values.slice());
    },
    async read(tensor) {
      const box = open(memory, tensor, 'read') as GpuTensor;
      return box.rows === 0 ? new Float32Array(0) : queue.read(box);
    },
    readCache: async (cache, slots) => readSlots(queue, open(memory, cache, 'readCache') as GpuCache, slots),
    free(box) {
      const kept = open(memory, box, 'free') as GpuTensor | GpuWeight | GpuPlan;
      memory.charge(kept, 0, kept.kind);
      kept.owner = null;
      if (kept.kind === 'plan') queue.drop(kept.rowOfSlot);
      if (kept.kind === 'weight')
        for (const { words, scales } of kept.pieces) [words, scales].map((part) => queue.drop(part));
      else queue.drop(kept);
    },
    async dispose() {
      await queue.settled();
      await queue.device.dispose();
    },
  };
}

function emptyPlan(memory: Memory): GpuPlan {
  const lists = { write: NO_SLOTS, start: NO_SLOTS, count: NO_SLOTS, keys: NO_SLOTS, position: NO_SLOTS };
  const shape = { rows: 0, needs: 0, rowOfSlotLength: 0, longest: 0 };
  return { kind: 'plan', owner: memory, bytes: 0, ...holder(), ...lists, ...shape, rowOfSlot: holder() };
}

function makeWeight(queue: GpuQueue, memory: Memory, rows: number, cols: number, type: Dtype): GpuWeight {
  expectCount('weight', 'rows', rows);
  expectCount('weight', 'cols', cols);
  if (type !== 'f32' && type !== 'bf16' && type !== 'q8') {
    throw new KernelError('type-unsupported', `weight: expected type f32, bf16 or q8, found ${String(type)}`);
  }
  const steps = Math.ceil(rows / FILL_ROWS);
  const box: GpuWeight = {
    kind: 'weight',
    rows,
    cols,
    type,
    owner: memory,
    bytes: 0,
    data: EMPTY,
    scales: EMPTY,
    filled: new Uint8Array(steps),
    missing: steps,
    pieces: [],
  };
  const bytes = gpuWeightBytes(rows, cols, type);
  const make = (): Piece[] => cutPieces(rows, rowWords(cols, type), queue.device.maxValues);
  const pieces = memory.allocate(box, bytes, `a ${rows} × ${cols} ${type} weight`, make);
  return Object.assign(box, { pieces });
}

/** Cuts a weight where a device's buffers end: whole steps of 64 rows a piece, at least one. */
function cutPieces(rows: number, row: { words: number; scales: number }, maxValues: number): Piece[] {
  const step = Math.max(FILL_ROWS, Math.floor(maxValues / row.words / FILL_ROWS) * FILL_ROWS);
  const pieces: Piece[] = [];
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    pieces.push({ from, to, words: holder(), scales: holder(), staged: null, missing: to - from });
  }
  return pieces;
}

/** Packs rows on the host; a piece goes to the device, once, when its last row is there. */
function fillPieces(queue: GpuQueue, weight: GpuWeight, firstRow: number, values: Float32Array): void {
  const { cols } = weight;
  const lastRow = firstRow + values.length / cols;
  for (const piece of weight.pieces) {
    const from = Math.max(firstRow, piece.from);
    const to = Math.min(lastRow, piece.to);
    if (from >= to) continue;
    const rows = values.subarray((from - firstRow) * cols, (to - firstRow) * cols);
    if (piece.missing === 0) refill(queue, weight, piece, from, rows.slice());
    else {
      piece.staged ??= stage(weight, piece);
      packRows(weight, piece, from, rows);
      for (let row = from; row < to; row += FILL_ROWS) {
        if (weight.filled[row / FILL_ROWS] === 0) piece.missing -= Math.min(FILL_ROWS, to - row);
      }
      if (piece.missing === 0) send(queue, piece);
    }
  }
}

function stage(weight: GpuWeight, piece: Piece): NonNullable<Piece['staged']> {
  const { words, scales } = rowWords(weight.cols, weight.type);
  const width = panelRows(piece.to - piece.from);
  return { words: new Float32Array(words * width), scales: new Float32Array(scales * width) };
}

function send(queue: GpuQueue, piece: Piece): void {
  const { words, scales } = piece.staged!;
  piece.staged = null;
  queue.upload(piece.words, words);
  if (scales.length > 0) queue.upload(piece.scales, scales);
}

/** Rows given a second time: the piece is fetched, changed and sent again. Rare, so plain. */
function refill(queue: GpuQueue, weight: GpuWeight, piece: Piece, first: number, values: Float32Array): void {
  const { device } = queue;
  const staged = stage(weight, piece);
  queue.produce(
    piece.words,
    async () => {
      staged.words.set(await device.read(held(piece.words)));
      if (staged.scales.length > 0) staged.scales.set(await device.read(held(piece.scales)));
      packRows(weight, { ...piece, staged }, first, values);
      return device.upload(staged.words);
    },
    'old',
  );
  if (staged.scales.length > 0) queue.produce(piece.scales, () => device.upload(staged.scales));
}

type Limit = (values: number, what: string) => void;

/** A longer slab is made when it is first needed; until then only the count grows. Two slabs take turns. */
function growCache(box: GpuCache, slots: number, memory: Memory, limit: Limit): void {
  const values = slots * box.heads * box.dKv * 2;
  const what = `a cache of ${slots} slots`;
  memory.charge(box, values * 8, what);
  try {
    limit(values, what);
  } catch (error) {
    memory.charge(box, box.slots * box.heads * box.dKv * 16, what);
    throw error;
  }
  box.slots = slots;
}

/** One upload of [start | count | position | keys], one of the rows by slot where rows are written. */
function arrangePlan(queue: GpuQueue, plan: GpuPlan, spec: PlanSpec): void {
  const needs = planSlots(spec);
  const { rows, write, start, count, position, keys } = spec;
  const packed = new Float32Array(3 * rows + keys.length);
  packed.set(start, 0);
  packed.set(count, rows);
  packed.set(position, 2 * rows);
  packed.set(keys, 3 * rows);
  const longest = count.reduce((most, n) => Math.max(most, n), 0);
  Object.assign(plan, { rows, needs, longest, write: write.slice() });
  queue.upload(plan, packed);
  const rowOfSlot = rowsBySlot(write);
  plan.rowOfSlotLength = rowOfSlot.length;
  if (rowOfSlot.length > 0) queue.upload(plan.rowOfSlot, rowOfSlot);
}

async function readSlots(queue: GpuQueue, cache: GpuCache, slots: Int32Array) {
  expectIndices('readCache', 'slots', slots, cache.slots);
  const width = cache.heads * cache.dKv;
  fitCache(queue, cache);
  const slab = await queue.read(cache); // [slots, 2, width]
  const pick = (part: number): Float32Array => {
    const out = new Float32Array(slots.length * width);
    slots.forEach((slot, i) => {
      out.set(slab.subarray((slot * 2 + part) * width, (slot * 2 + part + 1) * width), i * width);
    });
    return out;
  };
  return { keys: pick(0), values: pick(1) };
}
