/**
 * Scores of attention: sums over lanes of query · key, over the dimensions of the head. There is one function for one row and
 * one for four rows that share a key list; they give the same bits.
 */
import { madd, sumLanes4 } from './level';

/** The slot of the key that is number `ordinal` in a list. */
// @ts-ignore: decorator
@inline
export function slotOf(list: usize, ordinal: i32): usize {
  return <usize>load<i32>(list + (<usize>ordinal << 2));
}

/** Prefetches one slot (see `prefetch` in `tile.ts`). */
// @ts-ignore: decorator
@inline
function prefetchSlot(address: usize, width: usize): void {
  for (const end = address + width; address < end; address += 64) atomic.load<u8>(address);
}

/**
 * Scores of keys from … to − 1 for one row, four keys at a time. Where fewer than four are left, the last key is computed
 * several times. Meanwhile the values of the same slots are prefetched, which lie `valuesOffset` bytes behind the keys; 0
 * prefetches nothing.
 */
export function scoreOne(
  list: usize, keys: usize, from: i32, to: i32, query: usize, scores: usize, width: usize, valuesOffset: usize,
): void {
  const last = to - 1;
  const end = query + width;
  for (let j = from; j < to; j += 4) {
    let k0 = keys + slotOf(list, j) * width;
    let k1 = keys + slotOf(list, min(j + 1, last)) * width;
    let k2 = keys + slotOf(list, min(j + 2, last)) * width;
    let k3 = keys + slotOf(list, min(j + 3, last)) * width;
    if (valuesOffset != 0) {
      prefetchSlot(k0 + valuesOffset, width);
      prefetchSlot(k1 + valuesOffset, width);
      prefetchSlot(k2 + valuesOffset, width);
      prefetchSlot(k3 + valuesOffset, width);
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

/** Scores of the first `to` keys for four rows, two keys at a time; `to` is even. Prefetches the values as `scoreOne` does. */
export function scoreFour(
  list: usize, keys: usize, to: i32, queries: usize, scores: usize, stride: usize, width: usize, valuesOffset: usize,
): void {
  const end = queries + width;
  for (let j = 0; j < to; j += 2) {
    let k0 = keys + slotOf(list, j) * width;
    let k1 = keys + slotOf(list, j + 1) * width;
    if (valuesOffset != 0) {
      prefetchSlot(k0 + valuesOffset, width);
      prefetchSlot(k1 + valuesOffset, width);
    }
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
