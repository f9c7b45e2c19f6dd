import type { Dtype, PlanSpec, Storage, StoredType } from '../contract';
import { KernelError } from '../errors';
import { type BoxStorage, open } from '../shared/boxes';
import { FILL_ROWS, fillRows, planSlots } from '../shared/checks';
import type { MemoryBudget } from '../shared/memoryBudget';
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
import type { GpuBias, GpuBoxes, GpuCache, GpuLogits, GpuPlan, GpuTensor, GpuVector, GpuWeight, Piece } from './boxes';
import { decodeRows, packRows, panelRows, rowWords } from './pack';
import { contentOf, createHolder, type GpuQueue } from './queue';
import { fitSlab, rowsBySlot } from './slab';

/** Storage on the device. The host keeps the shapes and the charges. */
export interface GpuStorage extends Storage, BoxStorage<GpuBoxes> {
  readonly queue: GpuQueue;
}

/** Bytes of a weight matrix on the device. */
export function gpuWeightBytes(rows: number, cols: number, type: Dtype): number {
  const { words, scales } = rowWords(cols, type);
  return panelRows(rows) * (words + scales) * 4;
}

export function createGpuStorage(queue: GpuQueue, budget: MemoryBudget): GpuStorage {
  const { maxValues } = queue.device;
  const owned = () => ({ owner: budget, bytes: 0, ...createHolder() });
  const reserve = (box: GpuTensor | GpuLogits, values: number): void => {
    const what = `a ${box.kind} of ${values} values`;
    expectBuffer(maxValues, values, what);
    budget.charge(box, values * 4, what);
  };
  const storage: GpuStorage = {
    budget,
    queue,
    resize(tensor, rows, cols) {
      reserve(tensor, rows * cols);
      Object.assign(tensor, { rows, cols });
    },
    resizeLogits(logits, rows, vocabulary) {
      reserve(logits, rows * vocabulary);
      Object.assign(logits, { rows, vocabulary, fetched: null });
    },
    weight: (rows, cols, type) => createWeight(maxValues, budget, rows, cols, type),
    fill(box, firstRow, bytes, stored) {
      fillWeight(queue, open(storage, box, 'fill'), firstRow, bytes, stored);
    },
    vector(values): GpuVector {
      const what = checkNewVector(values);
      const box: GpuVector = { kind: 'vector', length: values.length, ...owned() };
      budget.charge(box, values.byteLength, what);
      queue.upload(box, values.slice());
      return box;
    },
    bias(heads, offset, table): GpuBias {
      const { span, what } = checkNewBias(heads, table);
      const box: GpuBias = { kind: 'bias', heads, span, offset, ...owned() };
      budget.charge(box, table.byteLength, what);
      queue.upload(box, table.slice());
      return box;
    },
    tensor: (): GpuTensor => ({ kind: 'tensor', rows: 0, cols: 0, ...owned() }),
    logits: (): GpuLogits => ({ kind: 'logits', rows: 0, vocabulary: 0, fetched: null, ...owned() }),
    plan: (): GpuPlan => {
      const shape = { rows: 0, written: 0, neededSlots: 0, longest: 0 };
      return { kind: 'plan', ...shape, rowOfSlot: createHolder(), rowOfSlotLength: 0, ...owned() };
    },
    cache(heads, dKv, slots): GpuCache {
      checkNewCache(heads, dKv, slots);
      const box: GpuCache = { kind: 'cache', heads, dKv, slots: 0, slabSlots: 0, ...owned() };
      growCache(maxValues, budget, box, slots);
      return box;
    },
    grow(cache, slots) {
      const box = openGrow(storage, cache, slots);
      if (box !== null) growCache(maxValues, budget, box, slots);
    },
    arrange(plan, spec) {
      arrangePlan(queue, open(storage, plan, 'arrange'), spec);
    },
    write(tensor, rows, cols, values) {
      queue.upload(openWrite(storage, tensor, rows, cols, values), values.slice());
    },
    async read(tensor) {
      const box = open(storage, tensor, 'read');
      return box.rows === 0 ? new Float32Array(0) : queue.read(box);
    },
    readCache: async (cache, slots) => readSlots(queue, openReadCache(storage, cache, slots), slots),
    free(box) {
      const opened: GpuBoxes[keyof GpuBoxes] = open(storage, box, 'free');
      budget.charge(opened, 0, opened.kind);
      opened.owner = null;
      if (opened.kind === 'plan') queue.drop(opened.rowOfSlot);
      if (opened.kind !== 'weight') queue.drop(opened);
      else for (const { words, scales } of opened.pieces) for (const part of [words, scales]) queue.drop(part);
    },
    async dispose() {
      await queue.drained();
      await queue.device.dispose();
    },
  };
  return storage;
}

/** Refuses more values than one buffer of the device holds. */
function expectBuffer(maxValues: number, values: number, what: string): void {
  if (values > maxValues) {
    throw new KernelError('out-of-memory', `gpu: ${what}: expected at most ${maxValues} values, found ${values}`);
  }
}

function createWeight(maxValues: number, budget: MemoryBudget, rows: number, cols: number, type: Dtype): GpuWeight {
  const { what, ...filling } = openNewWeight(rows, cols, type);
  const box = { kind: 'weight' as const, rows, cols, type, owner: budget, bytes: 0, ...filling };
  budget.charge(box, gpuWeightBytes(rows, cols, type), what);
  return Object.assign(box, { pieces: cutPieces(rows, rowWords(cols, type).words, maxValues) });
}

/** Cuts a weight into pieces that fit one buffer each: whole steps of 64 rows, at least one. */
function cutPieces(rows: number, wordsPerRow: number, maxValues: number): Piece[] {
  const step = Math.max(FILL_ROWS, Math.floor(maxValues / wordsPerRow / FILL_ROWS) * FILL_ROWS);
  const pieces: Piece[] = [];
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    pieces.push({ from, to, words: createHolder(), scales: createHolder(), staged: null, missing: to - from });
  }
  return pieces;
}

/** Packs rows on the host. A piece is uploaded once, when its last row was filled. */
function fillWeight(queue: GpuQueue, weight: GpuWeight, firstRow: number, bytes: Uint8Array, stored: StoredType): void {
  const count = fillRows(weight, firstRow, bytes, stored);
  const values = decodeRows(bytes, stored, weight.type); // [count, cols]
  const { cols } = weight;
  for (const piece of weight.pieces) {
    const from = Math.max(firstRow, piece.from);
    const to = Math.min(firstRow + count, piece.to);
    if (from >= to) continue;
    const rows = values.subarray((from - firstRow) * cols, (to - firstRow) * cols);
    if (piece.missing === 0) refill(queue, weight, piece, from, rows.slice());
    else fillPiece(queue, weight, piece, from, rows);
  }
  markFilled(weight, firstRow, count);
}

function fillPiece(queue: GpuQueue, weight: GpuWeight, piece: Piece, from: number, rows: Float32Array): void {
  piece.staged ??= createStaged(weight, piece);
  packRows(weight, piece, from, rows);
  const to = from + rows.length / weight.cols;
  for (let row = from; row < to; row += FILL_ROWS) {
    if (weight.filled[row / FILL_ROWS] === 0) piece.missing -= Math.min(FILL_ROWS, to - row);
  }
  if (piece.missing > 0) return;
  const { words, scales } = piece.staged;
  piece.staged = null;
  queue.upload(piece.words, words);
  if (scales.length > 0) queue.upload(piece.scales, scales);
}

function createStaged(weight: GpuWeight, piece: Piece): NonNullable<Piece['staged']> {
  const { words, scales } = rowWords(weight.cols, weight.type);
  const width = panelRows(piece.to - piece.from);
  return { words: new Float32Array(words * width), scales: new Float32Array(scales * width) };
}

/** Replaces rows of a piece that was uploaded before: the piece is read back, changed and uploaded again. */
function refill(queue: GpuQueue, weight: GpuWeight, piece: Piece, first: number, values: Float32Array): void {
  const { device } = queue;
  const staged = createStaged(weight, piece);
  queue.produce(
    piece.words,
    async () => {
      staged.words.set(await device.read(contentOf(piece.words)));
      if (staged.scales.length > 0) staged.scales.set(await device.read(contentOf(piece.scales)));
      packRows(weight, { ...piece, staged }, first, values);
      return device.upload(staged.words);
    },
    'old',
  );
  if (staged.scales.length > 0) queue.produce(piece.scales, () => device.upload(staged.scales));
}

/**
 * Charges a cache for its new length. The longer slab is made when it is first needed (`fitSlab`, `appendRows`). The charge
 * covers two slabs, because a new slab is made from the old one.
 */
function growCache(maxValues: number, budget: MemoryBudget, box: GpuCache, slots: number): void {
  const values = slots * box.heads * box.dKv * 2;
  const what = `a cache of ${slots} slots`;
  budget.allocate(box, values * 8, what, () => expectBuffer(maxValues, values, what));
  box.slots = slots;
}

/** Uploads the lists of a plan as one array, and the rows by slot when rows are written. */
function arrangePlan(queue: GpuQueue, plan: GpuPlan, spec: PlanSpec): void {
  const neededSlots = planSlots(spec);
  const { rows, write, start, count, position, keys } = spec;
  const lists = new Float32Array(3 * rows + keys.length);
  lists.set(start, 0);
  lists.set(count, rows);
  lists.set(position, 2 * rows);
  lists.set(keys, 3 * rows);
  const longest = count.reduce((most, n) => Math.max(most, n), 0);
  Object.assign(plan, { rows, written: write.length, neededSlots, longest });
  queue.upload(plan, lists);
  const rowOfSlot = rowsBySlot(write);
  plan.rowOfSlotLength = rowOfSlot.length;
  if (rowOfSlot.length > 0) queue.upload(plan.rowOfSlot, rowOfSlot);
}

async function readSlots(queue: GpuQueue, cache: GpuCache, slots: Int32Array) {
  const width = cache.heads * cache.dKv;
  fitSlab(queue, cache);
  const slab = await queue.read(cache); // [slots, 2, width]
  const rowsOf = (part: number): Float32Array => {
    const out = new Float32Array(slots.length * width);
    slots.forEach((slot, i) => {
      out.set(slab.subarray((slot * 2 + part) * width, (slot * 2 + part + 1) * width), i * width);
    });
    return out;
  };
  return { keys: rowsOf(0), values: rowsOf(1) };
}
