/**
 * Attention of rows over slots of a cache, and writing of keys and values to the cache.
 *
 * A cache is [heads, slots, width] each for keys and values; width is dKv rounded up to 4, and the rest is zeros. A score is a
 * sum over lanes, over the dimensions of the head. Softmax and the weighted sum go in the order of the row's key list. Four
 * rows that share a list are computed together as far as the shortest of their lists; the bits of a row do not depend on that. A
 * tile is up to `tileRows` rows with the same list, which is read once for all of them, in short pieces that stay in the cache.
 *
 * The parameters are `AttentionParameter`. A chunk of `attend` is one head of one group of rows; a chunk of `append` is a row.
 */
import { AttentionParameter, Size } from '../layout';
import { scratch, word } from './control';
import { scoreFour, scoreOne } from './scores';
import { addBias, exponentials, largest, largestLane, softmax } from './softmax';
import { sumLanes } from './level';
import { sumFour, sumOne } from './sums';

// @ts-ignore: decorator
@inline
function headWidth(): usize {
  return <usize>((word(AttentionParameter.dKv) + 3) & ~3);
}

/** Copies a few floats. `memory.copy` is a call out of the compiled code, which costs more than one head. */
function copyFloats(to: usize, from: usize, count: usize): void {
  const end = to + (count << 2);
  for (; to + 16 <= end; to += 16) {
    v128.store(to, v128.load(from));
    from += 16;
  }
  for (; to < end; to += 4) {
    store<f32>(to, load<f32>(from));
    from += 4;
  }
}

/** Writes all heads of one row to the cache. */
export function appendRow(row: i32): void {
  for (let head = 0; head < <i32>word(AttentionParameter.heads); head++) appendHead(row, head);
}

function appendHead(row: i32, head: i32): void {
  const dKv = <usize>word(AttentionParameter.dKv);
  const slot = <usize>load<i32>(<usize>word(AttentionParameter.write) + (<usize>row << 2));
  const to = (<usize>head * <usize>word(AttentionParameter.slots) + slot) * headWidth() << 2;
  const from = (<usize>row * <usize>word(AttentionParameter.heads) + <usize>head) * dKv << 2;
  copyFloats(<usize>word(AttentionParameter.cacheKeys) + to, <usize>word(AttentionParameter.freshKeys) + from, dKv);
  copyFloats(<usize>word(AttentionParameter.cacheValues) + to, <usize>word(AttentionParameter.freshValues) + from, dKv);
  for (let i = dKv; i < headWidth(); i++) {
    store<f32>(<usize>word(AttentionParameter.cacheKeys) + to + (i << 2), 0);
    store<f32>(<usize>word(AttentionParameter.cacheValues) + to + (i << 2), 0);
  }
}

export function attendChunk(chunk: i32): void {
  const groups = <i32>word(AttentionParameter.rowGroups);
  const firstRow = <i32>word(AttentionParameter.firstRow);
  const rows = <i32>word(AttentionParameter.rows) - firstRow;
  const tileRows = <i32>word(AttentionParameter.tileRows);
  const head = <i32>word(AttentionParameter.firstHead) + chunk / groups;
  const group = chunk % groups;
  if (word(AttentionParameter.appends) != 0) {
    for (let row = 0; row < rows; row++) appendHead(row, head);
  }
  const last = firstRow + <i32>((<i64>rows * (group + 1)) / groups);
  let row = firstRow + <i32>((<i64>rows * group) / groups);
  while (row < last) {
    const tile = rowsWithSameList(row, min(tileRows, last - row));
    if (tile > 0) {
      attendTile(row, tile, head);
      row += tile;
    } else if (row + 4 <= last && shareList(row)) {
      attendFour(row, head);
      row += 4;
    } else {
      attendOne(row, head);
      row++;
    }
  }
}

// @ts-ignore: decorator
@inline
function startOf(row: i32): i32 {
  return load<i32>(<usize>word(AttentionParameter.start) + (<usize>row << 2));
}

// @ts-ignore: decorator
@inline
function countOf(row: i32): i32 {
  return load<i32>(<usize>word(AttentionParameter.count) + (<usize>row << 2));
}

/** Whether the key lists of four rows start at the same place. */
function shareList(row: i32): bool {
  const start = startOf(row);
  return startOf(row + 1) == start && startOf(row + 2) == start && startOf(row + 3) == start;
}

// The scratch memory holds scores [4, stride], then queries [4, width], then sums [4, width]; strides and widths are in bytes.

/** Copies the query of a row and head, padded with zeros, and clears its sums. */
function startRow(query: usize, sums: usize, row: i32, head: i32): void {
  const dKv = <usize>word(AttentionParameter.dKv);
  const width = headWidth() << 2;
  const from = <usize>word(AttentionParameter.query) + ((<usize>row * <usize>word(AttentionParameter.heads) + <usize>head) * dKv << 2);
  if (dKv & 3) memory.fill(query, 0, width);
  for (let i: usize = 0; i < width; i += 16) v128.store(sums + i, f32x4.splat(0));
  copyFloats(query, from, dKv);
}

/** Writes the sums of a row, divided by the total of its softmax. */
function finishRow(sums: usize, row: i32, head: i32, total: f32): void {
  const dKv = <usize>word(AttentionParameter.dKv);
  const out = <usize>word(AttentionParameter.out) + ((<usize>row * <usize>word(AttentionParameter.heads) + <usize>head) * dKv << 2);
  const inverse = <f32>1 / total;
  const factor = f32x4.splat(inverse);
  let i: usize = 0;
  for (; i + 4 <= dKv; i += 4) v128.store(out + (i << 2), f32x4.mul(v128.load(sums + (i << 2)), factor));
  for (; i < dKv; i++) store<f32>(out + (i << 2), load<f32>(sums + (i << 2)) * inverse);
}

function attendOne(row: i32, head: i32): void {
  const list = <usize>word(AttentionParameter.keys) + (<usize>startOf(row) << 2);
  const count = countOf(row);
  const width = headWidth() << 2;
  const base = <usize>head * <usize>word(AttentionParameter.slots) * width;
  const scores = scratch();
  const query = scores + (<usize>word(AttentionParameter.scoreStride) << 4);
  const sums = query + width * 4;
  startRow(query, sums, row, head);
  scoreOne(list, base + <usize>word(AttentionParameter.cacheKeys), 0, count, query, scores, width, <usize>word(AttentionParameter.cacheValues) - <usize>word(AttentionParameter.cacheKeys));
  const total = softmax(scores, row, head, count);
  sumOne(list, base + <usize>word(AttentionParameter.cacheValues), 0, count, scores, sums, width);
  finishRow(sums, row, head, total);
}

function attendFour(row: i32, head: i32): void {
  const list = <usize>word(AttentionParameter.keys) + (<usize>startOf(row) << 2);
  const width = headWidth() << 2;
  const base = <usize>head * <usize>word(AttentionParameter.slots) * width;
  const keys = base + <usize>word(AttentionParameter.cacheKeys);
  const values = base + <usize>word(AttentionParameter.cacheValues);
  const stride = <usize>word(AttentionParameter.scoreStride) << 2;
  const scores = scratch();
  const queries = scores + stride * 4;
  const sums = queries + width * 4;
  let common = countOf(row);
  for (let i: usize = 0; i < 4; i++) {
    startRow(queries + i * width, sums + i * width, row + <i32>i, head);
    common = min(common, countOf(row + <i32>i));
  }
  const even = common & ~1;
  scoreFour(list, keys, even, queries, scores, stride, width, values - keys);
  for (let i: usize = 0; i < 4; i++) {
    const at = scores + i * stride;
    const count = countOf(row + <i32>i);
    scoreOne(list, keys, even, count, queries + i * width, at, width, 0);
    // The query is not needed any more, so its place keeps the total.
    store<f32>(queries + i * width, softmax(at, row + <i32>i, head, count));
  }
  sumFour(list, values, 0, common, scores, stride, sums, width);
  for (let i: usize = 0; i < 4; i++) {
    sumOne(list, values, common, countOf(row + <i32>i), scores + i * stride, sums + i * width, width);
    finishRow(sums + i * width, row + <i32>i, head, load<f32>(queries + i * width));
  }
}

/** How many rows from `row` on, up to `most`, have one list: a multiple of 4. */
function rowsWithSameList(row: i32, most: i32): i32 {
  let rows = most > 0 ? 1 : 0;
  const start = startOf(row);
  const count = countOf(row);
  while (rows < most && startOf(row + rows) == start && countOf(row + rows) == count) rows++;
  return rows & ~3;
}

// The scratch memory of a tile holds scores [rows, stride], then queries [rows, width], then sums [rows, width], then two vectors for
// each row: the largest scores so far and the total so far, lane by lane.

/**
 * The rows of a tile, four at a time for each piece of the list. The scores of a row are kept until its largest one is known; so
 * nothing is computed twice, and the scores have the length of the list and no more.
 */
function attendTile(row: i32, rows: i32, head: i32): void {
  const list = <usize>word(AttentionParameter.keys) + (<usize>startOf(row) << 2);
  const count = countOf(row);
  const width = headWidth() << 2;
  const base = <usize>head * <usize>word(AttentionParameter.slots) * width;
  const keys = base + <usize>word(AttentionParameter.cacheKeys);
  const values = base + <usize>word(AttentionParameter.cacheValues);
  const stride = <usize>word(AttentionParameter.scoreStride) << 2;
  const scores = scratch();
  const queries = scores + stride * <usize>rows;
  const sums = queries + width * <usize>rows;
  const states = sums + width * <usize>rows;
  for (let i: usize = 0; i < <usize>rows; i++) {
    startRow(queries + i * width, sums + i * width, row + <i32>i, head);
    v128.store(states + (i << 5), f32x4.splat(-Infinity));
    v128.store(states + (i << 5), f32x4.splat(0), 16);
  }
  for (let from = 0; from < count; from += Size.tileKeys) {
    const to = min(from + Size.tileKeys, count);
    const even = (to - from) & ~1;
    const piece = list + (<usize>from << 2);
    for (let i: usize = 0; i < <usize>rows; i += 4) {
      scoreFour(piece, keys, even, queries + i * width, scores + i * stride + (<usize>from << 2), stride, width, 0);
      for (let k = i; k < i + 4; k++) {
        const at = scores + k * stride;
        scoreOne(list, keys, from + even, to, queries + k * width, at, width, 0);
        addBias(at, row + <i32>k, head, from, to);
        v128.store(states + (k << 5), largest(at, from, to, v128.load(states + (k << 5))));
      }
    }
  }
  for (let i: usize = 0; i < <usize>rows; i++) v128.store(states + (i << 5), largestLane(v128.load(states + (i << 5))));
  for (let from = 0; from < count; from += Size.tileKeys) {
    const to = min(from + Size.tileKeys, count);
    for (let i: usize = 0; i < <usize>rows; i += 4) {
      for (let k = i; k < i + 4; k++) {
        const state = states + (k << 5);
        const total = exponentials(scores + k * stride, from, to, v128.load(state), v128.load(state, 16));
        v128.store(state, total, 16);
      }
      sumFour(list, values, from, to, scores + i * stride, stride, sums + i * width, width);
    }
  }
  for (let i: usize = 0; i < <usize>rows; i++) {
    finishRow(sums + i * width, row + <i32>i, head, sumLanes(v128.load(states + (i << 5), 16)));
  }
}
