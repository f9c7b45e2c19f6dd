/**
 * Queries over one row of logits, [vocabulary], in chunks of 4,096 entries whose partial answers are joined in order.
 *
 * Parameters: 0 row's address, 1 vocabulary, 2 partial answers (16 bytes a chunk), 4–5 largest (f64), 6–7 inverse
 * temperature (f64).
 */
import { word } from './control';
import { exp64 } from './exp';

// @ts-ignore: decorator
@inline
const CHUNK: i32 = 4096;

// @ts-ignore: decorator
@inline
const LARGEST: usize = 1032 + 16;
// @ts-ignore: decorator
@inline
const INVERSE: usize = 1032 + 24;

/** The largest value of a chunk, NaN if it holds one: partial [f32 largest, i32 NaN seen]. */
export function largestChunk(chunk: i32): void {
  const from = <usize>word(0) + (<usize>chunk << 14);
  const many = min(CHUNK, <i32>word(1) - chunk * CHUNK);
  let most = f32x4.splat(-Infinity);
  let broken = f32x4.splat(0);
  let at = from;
  const end = from + (<usize>many << 2);
  for (; at + 16 <= end; at += 16) {
    const v = v128.load(at);
    most = f32x4.pmax(most, v);
    broken = v128.or(broken, f32x4.ne(v, v));
  }
  for (; at < end; at += 4) {
    const v = v128.load_splat<f32>(at);
    most = f32x4.pmax(most, v);
    broken = v128.or(broken, f32x4.ne(v, v));
  }
  const first = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  const second = max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3));
  store<f32>(<usize>word(2) + (<usize>chunk << 4), v128.any_true(broken) ? NaN : max(first, second));
}

/** Σ exp((logit − largest) · inverse temperature) of a chunk, in float64: even and odd entries, then both. */
export function exponentialsChunk(chunk: i32): void {
  let at = <usize>word(0) + (<usize>chunk << 14);
  const many = min(CHUNK, <i32>word(1) - chunk * CHUNK);
  const end = at + (<usize>many << 2);
  const largest = v128.load_splat<f64>(LARGEST);
  const inverse = v128.load_splat<f64>(INVERSE);
  let first = f64x2.splat(0);
  let second = first;
  for (; at + 16 <= end; at += 16) {
    const v = v128.load(at);
    const a = f64x2.sub(f64x2.promote_low_f32x4(v), largest);
    const b = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 0)), largest);
    first = f64x2.add(first, exp64(f64x2.mul(a, inverse)));
    second = f64x2.add(second, exp64(f64x2.mul(b, inverse)));
  }
  const both = f64x2.add(first, second);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; at < end; at += 4) {
    const value = f64x2.sub(f64x2.splat(<f64>load<f32>(at)), largest);
    sum += f64x2.extract_lane(exp64(f64x2.mul(value, inverse)), 0);
  }
  store<f64>(<usize>word(2) + (<usize>chunk << 4), sum);
}

/** Arg-max of one row of several: parameters 0 logits, 1 vocabulary, 2 answers [rows] i32. NaN is never the largest. */
export function argMaxRow(row: i32): void {
  const vocabulary = <i32>word(1);
  const from = <usize>word(0) + (<usize>row * <usize>vocabulary << 2);
  store<i32>(<usize>word(2) + (<usize>row << 2), argMax(from, vocabulary));
}

function argMax(from: usize, vocabulary: i32): i32 {
  const end = from + (<usize>vocabulary << 2);
  let most = f32x4.splat(-Infinity);
  let at = from;
  // pmax keeps its first operand where the second is NaN.
  for (; at + 16 <= end; at += 16) most = f32x4.pmax(most, v128.load(at));
  let largest = f32x4.extract_lane(most, 0);
  largest = bigger(largest, f32x4.extract_lane(most, 1));
  largest = bigger(largest, f32x4.extract_lane(most, 2));
  largest = bigger(largest, f32x4.extract_lane(most, 3));
  for (; at < end; at += 4) largest = bigger(largest, load<f32>(at));
  if (largest == -Infinity) return 0;
  const wanted = f32x4.splat(largest);
  for (at = from; at + 16 <= end; at += 16) {
    const mask = i32x4.bitmask(f32x4.eq(v128.load(at), wanted));
    if (mask != 0) return <i32>((at - from) >> 2) + ctz(mask);
  }
  while (load<f32>(at) != largest) at += 4;
  return <i32>((at - from) >> 2);
}

// @ts-ignore: decorator
@inline
function bigger(a: f32, b: f32): f32 {
  return b > a ? b : a;
}

/**
 * The k largest of a row, largest first, ties by lowest id, NaN behind everything: `ids` [k] of i32. A heap with the
 * entry furthest behind on top; four entries at a time are compared with it, few are ever looked at one by one.
 */
export function topK(row: usize, vocabulary: i32, k: i32, ids: usize): void {
  for (let i = 0; i < k; i++) store<i32>(ids + (<usize>i << 2), i);
  for (let i = (k >> 1) - 1; i >= 0; i--) sink(row, ids, i, k);
  let i = k;
  while (i < vocabulary) {
    const worst = load<f32>(row + (<usize>load<i32>(ids) << 2));
    if (i + 4 <= vocabulary && worst == worst) {
      const bar = f32x4.splat(worst);
      while (i + 4 <= vocabulary && !v128.any_true(f32x4.gt(v128.load(row + (<usize>i << 2)), bar))) i += 4;
      if (i >= vocabulary) break;
    }
    const stop = min(i + 4, vocabulary);
    for (; i < stop; i++) {
      if (!behind(row, load<i32>(ids), i)) continue;
      store<i32>(ids, i);
      sink(row, ids, 0, k);
    }
  }
  for (let size = k - 1; size > 0; size--) {
    const top = load<i32>(ids);
    store<i32>(ids, load<i32>(ids + (<usize>size << 2)));
    store<i32>(ids + (<usize>size << 2), top);
    sink(row, ids, 0, size);
  }
}

/** Whether entry a comes behind entry b. */
function behind(row: usize, a: i32, b: i32): bool {
  const left = load<f32>(row + (<usize>a << 2));
  const right = load<f32>(row + (<usize>b << 2));
  if (left < right) return true;
  if (left > right) return false;
  const broken = left != left;
  return broken == (right != right) ? a > b : broken;
}

function sink(row: usize, heap: usize, at: i32, size: i32): void {
  const moved = load<i32>(heap + (<usize>at << 2));
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    const left = load<i32>(heap + (<usize>child << 2));
    let chosen = left;
    if (child + 1 < size) {
      const right = load<i32>(heap + (<usize>(child + 1) << 2));
      if (behind(row, right, left)) {
        chosen = right;
        child++;
      }
    }
    if (!behind(row, chosen, moved)) break;
    store<i32>(heap + (<usize>at << 2), chosen);
    at = child;
  }
  store<i32>(heap + (<usize>at << 2), moved);
}
