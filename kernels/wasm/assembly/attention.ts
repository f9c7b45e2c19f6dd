/**
 * Attention of rows over slots of a cache, and filing keys and values there.
 *
 * A cache is [heads, slots, width] each for keys and values, width = dKv rounded up to 4, padded with zeros. Scores are
 * lane sums over the head's dimensions; softmax and the weighted sum go by ordinal in the row's key list. Four rows that
 * share a list are computed together as far as all of them reach; nothing in a row's bits depends on that.
 *
 * Parameters: 0 query, 1 fresh keys or 0, 2 fresh values, 3 cache keys, 4 cache values, 5 slots, 6 heads, 7 dKv, 8 rows,
 * 9 write, 10 start, 11 count, 12 keys, 13 position, 14 bias or 0, 15 span, 16 offset, 17 out, 18 row groups, 19 scores a
 * row (a multiple of 4), 20 whether attending files the fresh rows. A chunk is one head of one group of rows.
 */
import { scratch, word } from './control';
import { scoreFour, scoreOne } from './scores';
import { softmax } from './softmax';
import { sumFour, sumOne } from './sums';

// @ts-ignore: decorator
@inline
function headWidth(): usize {
  return <usize>((word(7) + 3) & ~3);
}

/** A copy of a few floats: `memory.copy` leaves the compiled code, which costs more than a head. */
function copyFloats(to: usize, from: usize, many: usize): void {
  const end = to + (many << 2);
  for (; to + 16 <= end; to += 16) {
    v128.store(to, v128.load(from));
    from += 16;
  }
  for (; to < end; to += 4) {
    store<f32>(to, load<f32>(from));
    from += 4;
  }
}

/** Files one row's heads: a chunk of the append job. */
export function appendRow(row: i32): void {
  for (let head = 0; head < <i32>word(6); head++) fileRow(row, head);
}

function fileRow(row: i32, head: i32): void {
  const dKv = <usize>word(7);
  const slot = <usize>load<i32>(<usize>word(9) + (<usize>row << 2));
  const to = (<usize>head * <usize>word(5) + slot) * headWidth() << 2;
  const from = (<usize>row * <usize>word(6) + <usize>head) * dKv << 2;
  copyFloats(<usize>word(3) + to, <usize>word(1) + from, dKv);
  copyFloats(<usize>word(4) + to, <usize>word(2) + from, dKv);
  for (let i = dKv; i < headWidth(); i++) {
    store<f32>(<usize>word(3) + to + (i << 2), 0);
    store<f32>(<usize>word(4) + to + (i << 2), 0);
  }
}

export function attendChunk(chunk: i32): void {
  const groups = <i32>word(18);
  const rows = <i32>word(8);
  const head = chunk / groups;
  const group = chunk % groups;
  if (word(20) != 0) {
    for (let row = 0; row < rows; row++) fileRow(row, head);
  }
  const last = <i32>((<i64>rows * (group + 1)) / groups);
  let row = <i32>((<i64>rows * group) / groups);
  while (row < last) {
    if (row + 4 <= last && oneList(row)) {
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
  return load<i32>(<usize>word(10) + (<usize>row << 2));
}

// @ts-ignore: decorator
@inline
function countOf(row: i32): i32 {
  return load<i32>(<usize>word(11) + (<usize>row << 2));
}

/** Whether four rows' key lists start at the same place. */
function oneList(row: i32): bool {
  const start = startOf(row);
  return startOf(row + 1) == start && startOf(row + 2) == start && startOf(row + 3) == start;
}

// Scratch memory: scores [4, stride], then queries [4, width], then sums [4, width]; strides and widths in bytes.

/** Copies a row's query for one head, padded with zeros, and clears its sums. */
function takeQuery(query: usize, sums: usize, row: i32, head: i32): void {
  const dKv = <usize>word(7);
  const width = headWidth() << 2;
  const from = <usize>word(0) + ((<usize>row * <usize>word(6) + <usize>head) * dKv << 2);
  if (dKv & 3) memory.fill(query, 0, width);
  for (let i: usize = 0; i < width; i += 16) v128.store(sums + i, f32x4.splat(0));
  copyFloats(query, from, dKv);
}

/** Writes a row's sums, divided by the softmax's total. */
function giveOut(sums: usize, row: i32, head: i32, total: f32): void {
  const dKv = <usize>word(7);
  const out = <usize>word(17) + ((<usize>row * <usize>word(6) + <usize>head) * dKv << 2);
  const inverse = <f32>1 / total;
  const factor = f32x4.splat(inverse);
  let i: usize = 0;
  for (; i + 4 <= dKv; i += 4) v128.store(out + (i << 2), f32x4.mul(v128.load(sums + (i << 2)), factor));
  for (; i < dKv; i++) store<f32>(out + (i << 2), load<f32>(sums + (i << 2)) * inverse);
}

function attendOne(row: i32, head: i32): void {
  const list = <usize>word(12) + (<usize>startOf(row) << 2);
  const count = countOf(row);
  const width = headWidth() << 2;
  const base = <usize>head * <usize>word(5) * width;
  const scores = scratch();
  const query = scores + (<usize>word(19) << 4);
  const sums = query + width * 4;
  takeQuery(query, sums, row, head);
  scoreOne(list, base + <usize>word(3), 0, count, query, scores, width, <usize>word(4) - <usize>word(3));
  const total = softmax(scores, row, head, count);
  sumOne(list, base + <usize>word(4), 0, count, scores, sums, width);
  giveOut(sums, row, head, total);
}

function attendFour(row: i32, head: i32): void {
  const list = <usize>word(12) + (<usize>startOf(row) << 2);
  const width = headWidth() << 2;
  const base = <usize>head * <usize>word(5) * width;
  const keys = base + <usize>word(3);
  const values = base + <usize>word(4);
  const stride = <usize>word(19) << 2;
  const scores = scratch();
  const queries = scores + stride * 4;
  const sums = queries + width * 4;
  let common = countOf(row);
  for (let i: usize = 0; i < 4; i++) {
    takeQuery(queries + i * width, sums + i * width, row + <i32>i, head);
    common = min(common, countOf(row + <i32>i));
  }
  const even = common & ~1;
  scoreFour(list, keys, even, queries, scores, stride, width, values - keys);
  for (let i: usize = 0; i < 4; i++) {
    const at = scores + i * stride;
    const count = countOf(row + <i32>i);
    scoreOne(list, keys, even, count, queries + i * width, at, width, 0);
    // The total waits behind the query, which has served.
    store<f32>(queries + i * width, softmax(at, row + <i32>i, head, count));
  }
  sumFour(list, values, common, scores, stride, sums, width);
  for (let i: usize = 0; i < 4; i++) {
    sumOne(list, values, common, countOf(row + <i32>i), scores + i * stride, sums + i * width, width);
    giveOut(sums + i * width, row + <i32>i, head, load<f32>(queries + i * width));
  }
}
