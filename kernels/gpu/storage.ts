import type { Dtype, PlanSpec } from '../contract';
import { KernelError } from '../errors';
import type { BoxOf } from '../shared/boxes';
import { FILL_ROWS } from '../shared/checks';
import { MemoryBudget } from '../shared/memoryBudget';
import { type CacheRows, nothingFilled, type StorageParts, type StoredRows } from '../shared/storage';
import type { GpuBias, GpuBoxes, GpuCache, GpuLogits, GpuPlan, GpuTensor, GpuVector, GpuWeight, Piece } from './boxes';
import { packRows, panelRows, rowWords, weightValues } from './pack';
import { contentOf, createHolder, type GpuQueue } from './queue';
import { fitSlab, rowsBySlot } from './slab';

/** Bytes of a weight matrix on the device. */
export function gpuWeightBytes(rows: number, cols: number, type: Dtype): number {
  const { words, scales } = rowWords(cols, type);
  return panelRows(rows) * (words + scales) * 4;
}

/** Storage on the device. The host keeps the shapes and the charges. */
export class GpuStorage implements StorageParts<GpuBoxes> {
  declare readonly boxTypes?: GpuBoxes;
  readonly budget: MemoryBudget;

  constructor(
    readonly queue: GpuQueue,
    capacityBytes: number,
  ) {
    this.budget = new MemoryBudget('gpu', capacityBytes);
  }

  resize(tensor: GpuTensor, rows: number, cols: number): void {
    this.#reserve(tensor, rows * cols);
    Object.assign(tensor, { rows, cols });
  }

  resizeLogits(logits: GpuLogits, rows: number, vocabulary: number): void {
    this.#reserve(logits, rows * vocabulary);
    Object.assign(logits, { rows, vocabulary, fetched: null });
  }

  #reserve(box: GpuTensor | GpuLogits, values: number): void {
    const what = `a ${box.kind} of ${values} values`;
    this.#expectBuffer(values, what);
    this.budget.charge(box, values * 4, what);
  }

  /** Refuses more values than one buffer of the device holds. */
  #expectBuffer(values: number, what: string): void {
    const { maxValues } = this.queue.device;
    if (values > maxValues) {
      throw new KernelError('out-of-memory', `gpu: ${what}: expected at most ${maxValues} values, found ${values}`);
    }
  }

  #owned() {
    return { owner: this.budget, bytes: 0 };
  }

  createWeight(rows: number, cols: number, type: Dtype): GpuWeight {
    const box = { kind: 'weight' as const, rows, cols, type, ...nothingFilled(rows), ...this.#owned() };
    this.budget.charge(box, gpuWeightBytes(rows, cols, type), `a ${rows} × ${cols} ${type} weight`);
    const pieces = cutPieces(rows, rowWords(cols, type).words, this.queue.device.maxValues);
    return Object.assign(box, { pieces });
  }

  /** Packs rows on the host. A piece is uploaded once, when its last row was filled. */
  fillWeight(weight: GpuWeight, { firstRow, rows: count, bytes, stored }: StoredRows): void {
    const values = weightValues(bytes, stored, weight); // [count, cols]
    const { cols } = weight;
    for (const piece of weight.pieces) {
      const from = Math.max(firstRow, piece.from);
      const to = Math.min(firstRow + count, piece.to);
      if (from >= to) continue;
      const rows = values.subarray((from - firstRow) * cols, (to - firstRow) * cols);
      if (piece.missing === 0) refill(this.queue, weight, piece, from, rows.slice());
      else fillPiece(this.queue, weight, piece, from, rows);
    }
  }

  createVector(values: Float32Array): GpuVector {
    const box: GpuVector = { kind: 'vector', length: values.length, ...createHolder(), ...this.#owned() };
    this.budget.charge(box, values.byteLength, `a vector of ${values.length}`);
    this.queue.upload(box, values.slice());
    return box;
  }

  createBias(heads: number, offset: number, table: Float32Array): GpuBias {
    const span = table.length / heads;
    const box: GpuBias = { kind: 'bias', heads, span, offset, ...createHolder(), ...this.#owned() };
    this.budget.charge(box, table.byteLength, `a bias of ${heads} × ${span}`);
    this.queue.upload(box, table.slice());
    return box;
  }

  createTensor(): GpuTensor {
    return { kind: 'tensor', rows: 0, cols: 0, ...createHolder(), ...this.#owned() };
  }

  createLogits(): GpuLogits {
    return { kind: 'logits', rows: 0, vocabulary: 0, fetched: null, ...createHolder(), ...this.#owned() };
  }

  createPlan(): GpuPlan {
    const shape = { rows: 0, written: 0, neededSlots: 0, longest: 0, places: 0 };
    const rowOfSlot = createHolder();
    return { kind: 'plan', ...shape, rowOfSlot, rowOfSlotLength: 0, ...createHolder(), ...this.#owned() };
  }

  /** Uploads the lists of a plan as one array, and the rows by slot when rows are written. */
  storeLists(plan: GpuPlan, { rows, write, start, count, position, keys, places }: PlanSpec): void {
    const lists = new Float32Array(3 * rows + keys.length + (places?.length ?? 0));
    lists.set(start, 0);
    lists.set(count, rows);
    lists.set(position, 2 * rows);
    lists.set(keys, 3 * rows);
    plan.places = places ? 3 * rows + keys.length : 0;
    if (places) lists.set(places, plan.places);
    plan.longest = count.reduce((most, n) => Math.max(most, n), 0);
    this.queue.upload(plan, lists);
    const rowOfSlot = rowsBySlot(write);
    plan.rowOfSlotLength = rowOfSlot.length;
    if (rowOfSlot.length > 0) this.queue.upload(plan.rowOfSlot, rowOfSlot);
  }

  createCache(heads: number, dKv: number): GpuCache {
    return { kind: 'cache', heads, dKv, slots: 0, slabSlots: 0, ...createHolder(), ...this.#owned() };
  }

  /**
   * Charges a cache for its new length. The longer slab is made when it is first needed (`fitSlab`, `appendRows`). The charge
   * covers two slabs, because a new slab is made from the old one.
   */
  growCache(cache: GpuCache, slots: number): void {
    const values = slots * cache.heads * cache.dKv * 2;
    const what = `a cache of ${slots} slots`;
    this.#expectBuffer(values, what);
    this.budget.charge(cache, values * 8, what);
    cache.slots = slots;
  }

  async readSlots(cache: GpuCache, slots: Int32Array): Promise<CacheRows> {
    const width = cache.heads * cache.dKv;
    fitSlab(this.queue, cache);
    const slab = await this.queue.read(cache); // [slots, 2, width]
    const rowsOf = (part: number): Float32Array => {
      const out = new Float32Array(slots.length * width);
      slots.forEach((slot, i) => {
        out.set(slab.subarray((slot * 2 + part) * width, (slot * 2 + part + 1) * width), i * width);
      });
      return out;
    };
    return { keys: rowsOf(0), values: rowsOf(1) };
  }

  writeTensor(tensor: GpuTensor, values: Float32Array): void {
    this.queue.upload(tensor, values.slice());
  }

  async readTensor(tensor: GpuTensor): Promise<Float32Array> {
    return tensor.rows === 0 ? new Float32Array(0) : this.queue.read(tensor);
  }

  release(box: BoxOf<GpuBoxes>): void {
    if (box.kind === 'plan') this.queue.drop(box.rowOfSlot);
    if (box.kind !== 'weight') this.queue.drop(box);
    else for (const { words, scales } of box.pieces) for (const part of [words, scales]) this.queue.drop(part);
  }

  async dispose(): Promise<void> {
    await this.queue.drained();
    await this.queue.device.dispose();
  }
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
