/**
 * Queries about one row of logits, [vocabulary]. `largest` and `exponentials` take chunks of 4,096 entries, whose partial
 * answers the caller joins in order. A chunk of `argMax` is a row. The parameters are `LogitsParameter`.
 */
import { LogitsParameter, Size } from '../layout';
import { parameterAddress, word } from './control';
import { exp64 } from './exp';

// @ts-ignore: decorator
@inline
function chunkStart(chunk: i32): usize {
  return <usize>word(LogitsParameter.logits) + <usize>chunk * (Size.chunkEntries << 2);
}

// @ts-ignore: decorator
@inline
function chunkLength(chunk: i32): i32 {
  return min(Size.chunkEntries, <i32>word(LogitsParameter.vocabulary) - chunk * Size.chunkEntries);
}

// @ts-ignore: decorator
@inline
function partialAnswer(chunk: i32): usize {
  return <usize>word(LogitsParameter.answers) + <usize>chunk * Size.partialAnswer;
}

/** The largest value of a chunk as f32, or NaN when the chunk holds a NaN. */
export function largestChunk(chunk: i32): void {
  const from = chunkStart(chunk);
  let most = f32x4.splat(-Infinity);
  let hasNaN = f32x4.splat(0);
  let at = from;
  const end = from + (<usize>chunkLength(chunk) << 2);
  for (; at + 16 <= end; at += 16) {
    const v = v128.load(at);
    most = f32x4.pmax(most, v);
    hasNaN = v128.or(hasNaN, f32x4.ne(v, v));
  }
  for (; at < end; at += 4) {
    const v = v128.load_splat<f32>(at);
    most = f32x4.pmax(most, v);
    hasNaN = v128.or(hasNaN, f32x4.ne(v, v));
  }
  const first = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  const second = max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3));
  store<f32>(partialAnswer(chunk), v128.any_true(hasNaN) ? NaN : max(first, second));
}

/** Σ exp((logit − largest) · inverse temperature) of a chunk, in float64: the sum of the even and of the odd entries, added. */
export function exponentialsChunk(chunk: i32): void {
  let at = chunkStart(chunk);
  const end = at + (<usize>chunkLength(chunk) << 2);
  const largest = v128.load_splat<f64>(parameterAddress(LogitsParameter.largest));
  const inverse = v128.load_splat<f64>(parameterAddress(LogitsParameter.inverseTemperature));
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
  store<f64>(partialAnswer(chunk), sum);
}

/** The arg-max of one row. NaN is never the largest. */
export function argMaxRow(row: i32): void {
  const vocabulary = <i32>word(LogitsParameter.vocabulary);
  const from = <usize>word(LogitsParameter.logits) + (<usize>row * <usize>vocabulary << 2);
  store<i32>(<usize>word(LogitsParameter.answers) + (<usize>row << 2), argMax(from, vocabulary));
}

function argMax(from: usize, vocabulary: i32): i32 {
  const end = from + (<usize>vocabulary << 2);
  let most = f32x4.splat(-Infinity);
  let at = from;
  // pmax gives its first operand where the second is NaN.
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
 * Writes the ids of the k largest entries of a row to `ids`, [k] of i32: largest first, ties by lowest id, NaN last.
 *
 * A heap keeps the k best entries so far, with the lowest of them on top. Four entries at a time are compared with the top, so
 * that few are looked at one by one.
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
      if (!ranksBelow(row, load<i32>(ids), i)) continue;
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

/** Whether entry a ranks below entry b. */
function ranksBelow(row: usize, a: i32, b: i32): bool {
  const left = load<f32>(row + (<usize>a << 2));
  const right = load<f32>(row + (<usize>b << 2));
  if (left < right) return true;
  if (left > right) return false;
  const leftIsNaN = left != left;
  return leftIsNaN == (right != right) ? a > b : leftIsNaN;
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
      if (ranksBelow(row, right, left)) {
        chosen = right;
        child++;
      }
    }
    if (!ranksBelow(row, chosen, moved)) break;
    store<i32>(heap + (<usize>at << 2), chosen);
    at = child;
  }
  store<i32>(heap + (<usize>at << 2), moved);
}
