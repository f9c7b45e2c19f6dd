/**
 * Weighted sums of values, in the order of the key list. There is one function for one row and one for four rows that share
 * the list; they give the same bits.
 */
import { madd } from './level';
import { slotOf } from './scores';

/** Adds Σ weight · value over keys from … to − 1 to the sums. */
export function sumOne(list: usize, values: usize, from: i32, to: i32, weights: usize, sums: usize, width: usize): void {
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

/** As `sumOne` for four rows with the same list, two vectors at a time. */
export function sumFour(
  list: usize, values: usize, from: i32, to: i32, scores: usize, stride: usize, sums: usize, width: usize,
): void {
  let column: usize = 0;
  for (; column + 32 <= width; column += 32) {
    const s = sums + column;
    let a0 = v128.load(s), b0 = v128.load(s, 16);
    let a1 = v128.load(s + width), b1 = v128.load(s + width, 16);
    let a2 = v128.load(s + width * 2), b2 = v128.load(s + width * 2, 16);
    let a3 = v128.load(s + width * 3), b3 = v128.load(s + width * 3, 16);
    let w = scores + (<usize>from << 2);
    for (let j = from; j < to; j++) {
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
    storePair(s, a0, b0);
    storePair(s + width, a1, b1);
    storePair(s + width * 2, a2, b2);
    storePair(s + width * 3, a3, b3);
  }
  if (column < width) {
    for (let i: usize = 0; i < 4; i++) {
      sumVector(list, values + column, from, to, scores + i * stride, sums + i * width + column, width);
    }
  }
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, a: v128, b: v128): void {
  v128.store(at, a);
  v128.store(at, b, 16);
}
