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
import { expFalling } from './exp';
import { madd, sumLanes, sumLanes4 } from './level';

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

// @ts-ignore: decorator
@inline
function slotOf(list: usize, ordinal: i32): usize {
  return <usize>load<i32>(list + (<usize>ordinal << 2));
}

/** Asks memory early for what a key's ordinal leads to in another part of the cache (see `touch` in `tile.ts`). */
// @ts-ignore: decorator
@inline
function touchSlot(address: usize, width: usize): void {
  for (const end = address + width; address < end; address += 64) atomic.load<u8>(address);
}

/** Scores of keys from … to − 1 for one row, four keys at a time (the last ones repeated where fewer are left). */
function scoreOne(
  list: usize, keys: usize, from: i32, to: i32, query: usize, scores: usize, width: usize, ahead: usize,
): void {
  const last = to - 1;
  const end = query + width;
  for (let j = from; j < to; j += 4) {
    let k0 = keys + slotOf(list, j) * width;
    let k1 = keys + slotOf(list, min(j + 1, last)) * width;
    let k2 = keys + slotOf(list, min(j + 2, last)) * width;
    let k3 = keys + slotOf(list, min(j + 3, last)) * width;
    if (ahead != 0) {
      touchSlot(k0 + ahead, width);
      touchSlot(k1 + ahead, width);
      touchSlot(k2 + ahead, width);
      touchSlot(k3 + ahead, width);
    }
    let a0 = f32x4.splat(0);
    let a1 = a0, a2 = a0, a3 = a0;
    for (let q = query; q < end; q += 16) {
      const v = v128.load(q);
      a0 = madd(v, v128.load(k0), a0);
      a1 = madd(v, v128.load(k1), a1);
      a2 = madd(v, v128.load(k2), a2);
      a3 = madd(v, v128.load(k3), a3);
      k0 += 16;
      k1 += 16;
      k2 += 16;
      k3 += 16;
    }
    const four = sumLanes4(a0, a1, a2, a3);
    const at = scores + (<usize>j << 2);
    if (j + 2 < last) {
      v128.store(at, four);
    } else {
      store<f32>(at, f32x4.extract_lane(four, 0));
      if (j < last) store<f32>(at, f32x4.extract_lane(four, 1), 4);
      if (j + 1 < last) store<f32>(at, f32x4.extract_lane(four, 2), 8);
    }
  }
}

/** Scores of the first `to` (even) keys for four rows, two keys at a time. */
function scoreFour(
  list: usize, keys: usize, to: i32, queries: usize, scores: usize, stride: usize, width: usize, ahead: usize,
): void {
  const end = queries + width;
  for (let j = 0; j < to; j += 2) {
    let k0 = keys + slotOf(list, j) * width;
    let k1 = keys + slotOf(list, j + 1) * width;
    touchSlot(k0 + ahead, width);
    touchSlot(k1 + ahead, width);
    let a0 = f32x4.splat(0);
    let a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (let q = queries; q < end; q += 16) {
      const v = v128.load(k0);
      const w = v128.load(k1);
      const q0 = v128.load(q);
      a0 = madd(q0, v, a0);
      b0 = madd(q0, w, b0);
      const q1 = v128.load(q + width);
      a1 = madd(q1, v, a1);
      b1 = madd(q1, w, b1);
      const q2 = v128.load(q + width * 2);
      a2 = madd(q2, v, a2);
      b2 = madd(q2, w, b2);
      const q3 = v128.load(q + width * 3);
      a3 = madd(q3, v, a3);
      b3 = madd(q3, w, b3);
      k0 += 16;
      k1 += 16;
    }
    const first = sumLanes4(a0, a1, a2, a3);
    const second = sumLanes4(b0, b1, b2, b3);
    const low = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
    const high = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
    v128.store64_lane(scores, low, 0);
    v128.store64_lane(scores + stride, low, 1);
    v128.store64_lane(scores + stride * 2, high, 0);
    v128.store64_lane(scores + stride * 3, high, 1);
    scores += 8;
  }
}

/** Adds the bias, replaces scores by exp(score − largest); returns their total. */
function softmax(scores: usize, row: i32, head: i32, count: i32): f32 {
  if (word(14) != 0) addBias(scores, row, head, count);
  const end = scores + (<usize>count << 2);
  for (let at = end; (at - scores) & 12; at += 4) store<f32>(at, -Infinity);
  let most = f32x4.splat(-Infinity);
  for (let at = scores; at < end; at += 16) most = f32x4.max(most, v128.load(at));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  let total = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    const e = expFalling(f32x4.sub(v128.load(at), most));
    v128.store(at, e);
    total = f32x4.add(total, e);
  }
  return sumLanes(total);
}

/** scores[j] += table[head][clamp(j − position + offset, 0, span − 1)]: clamped below, then a run, then clamped above. */
function addBias(scores: usize, row: i32, head: i32, count: i32): void {
  const span = <i32>word(15);
  const table = <usize>word(14) + (<usize>head * <usize>span << 2);
  const shift = <i32>word(16) - load<i32>(<usize>word(13) + (<usize>row << 2));
  const runFrom = max(0, min(count, -shift));
  const runTo = max(runFrom, min(count, span - shift));
  addConstant(scores, 0, runFrom, load<f32>(table));
  let j = runFrom;
  for (; j + 4 <= runTo; j += 4) {
    const at = scores + (<usize>j << 2);
    v128.store(at, f32x4.add(v128.load(at), v128.load(table + (<usize>(j + shift) << 2))));
  }
  for (; j < runTo; j++) {
    const at = scores + (<usize>j << 2);
    store<f32>(at, load<f32>(at) + load<f32>(table + (<usize>(j + shift) << 2)));
  }
  addConstant(scores, runTo, count, load<f32>(table + (<usize>(span - 1) << 2)));
}

function addConstant(scores: usize, from: i32, to: i32, value: f32): void {
  const bias = f32x4.splat(value);
  let j = from;
  for (; j + 4 <= to; j += 4) {
    const at = scores + (<usize>j << 2);
    v128.store(at, f32x4.add(v128.load(at), bias));
  }
  for (; j < to; j++) {
    const at = scores + (<usize>j << 2);
    store<f32>(at, load<f32>(at) + value);
  }
}

/** sums += Σ weight · value over keys from … to − 1. */
function sumOne(list: usize, values: usize, from: i32, to: i32, weights: usize, sums: usize, width: usize): void {
  if (from >= to) return;
  let column: usize = 0;
  for (; column + 128 <= width; column += 128) {
    sumEightVectors(list, values + column, from, to, weights, sums + column, width);
  }
  for (; column < width; column += 16) sumVector(list, values + column, from, to, weights, sums + column, width);
}

function sumEightVectors(
  list: usize, values: usize, from: i32, to: i32, weights: usize, sums: usize, width: usize,
): void {
  let a0 = v128.load(sums), a1 = v128.load(sums, 16), a2 = v128.load(sums, 32), a3 = v128.load(sums, 48);
  let a4 = v128.load(sums, 64), a5 = v128.load(sums, 80), a6 = v128.load(sums, 96), a7 = v128.load(sums, 112);
  for (let j = from; j < to; j++) {
    const w = v128.load_splat<f32>(weights + (<usize>j << 2));
    const v = values + slotOf(list, j) * width;
    a0 = madd(w, v128.load(v), a0);
    a1 = madd(w, v128.load(v, 16), a1);
    a2 = madd(w, v128.load(v, 32), a2);
    a3 = madd(w, v128.load(v, 48), a3);
    a4 = madd(w, v128.load(v, 64), a4);
    a5 = madd(w, v128.load(v, 80), a5);
    a6 = madd(w, v128.load(v, 96), a6);
    a7 = madd(w, v128.load(v, 112), a7);
  }
  v128.store(sums, a0);
  v128.store(sums, a1, 16);
  v128.store(sums, a2, 32);
  v128.store(sums, a3, 48);
  v128.store(sums, a4, 64);
  v128.store(sums, a5, 80);
  v128.store(sums, a6, 96);
  v128.store(sums, a7, 112);
}

function sumVector(list: usize, values: usize, from: i32, to: i32, weights: usize, sums: usize, width: usize): void {
  let a = v128.load(sums);
  for (let j = from; j < to; j++) {
    const v = v128.load(values + slotOf(list, j) * width);
    a = madd(v128.load_splat<f32>(weights + (<usize>j << 2)), v, a);
  }
  v128.store(sums, a);
}

/** Sums of four rows over the first `to` keys, two vectors at a time. */
function sumFour(list: usize, values: usize, to: i32, scores: usize, stride: usize, sums: usize, width: usize): void {
  let column: usize = 0;
  for (; column + 32 <= width; column += 32) {
    let a0 = f32x4.splat(0);
    let a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    let w = scores;
    for (let j = 0; j < to; j++) {
      const at = values + slotOf(list, j) * width + column;
      const v = v128.load(at);
      const u = v128.load(at, 16);
      const w0 = v128.load_splat<f32>(w);
      a0 = madd(w0, v, a0);
      b0 = madd(w0, u, b0);
      const w1 = v128.load_splat<f32>(w + stride);
      a1 = madd(w1, v, a1);
      b1 = madd(w1, u, b1);
      const w2 = v128.load_splat<f32>(w + stride * 2);
      a2 = madd(w2, v, a2);
      b2 = madd(w2, u, b2);
      const w3 = v128.load_splat<f32>(w + stride * 3);
      a3 = madd(w3, v, a3);
      b3 = madd(w3, u, b3);
      w += 4;
    }
    storePair(sums + column, a0, b0);
    storePair(sums + column + width, a1, b1);
    storePair(sums + column + width * 2, a2, b2);
    storePair(sums + column + width * 3, a3, b3);
  }
  if (column < width) {
    for (let i: usize = 0; i < 4; i++) {
      sumVector(list, values + column, 0, to, scores + i * stride, sums + i * width + column, width);
    }
  }
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, a: v128, b: v128): void {
  v128.store(at, a);
  v128.store(at, b, 16);
}
