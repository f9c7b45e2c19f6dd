/** Softmax of the scores of one row, with the position bias. */
import { AttentionParameter } from '../layout';
import { word } from './control';
import { expFalling } from './exp';
import { sumLanes, WIDE } from './level';

/** Adds the bias and replaces each score by exp(score − largest). Returns the total. */
export function softmax(scores: usize, row: i32, head: i32, count: i32): f32 {
  addBias(scores, row, head, 0, count);
  const most = largestLane(largest(scores, 0, count, f32x4.splat(-Infinity)));
  return sumLanes(exponentials(scores, 0, count, most, f32x4.splat(0)));
}

// The steps below work on scores from … to − 1, where `from` is a multiple of 4, and `to` too unless it is the end of the list.

/** Adds the bias of a row, if there is one. */
export function addBias(scores: usize, row: i32, head: i32, from: i32, to: i32): void {
  if (word(AttentionParameter.bias) == 0) return;
  if (word(AttentionParameter.places) != 0) addPlacedBias(scores, row, head, from, to);
  else addBiasOfOrdinals(scores, row, head, from, to);
}

/** The largest score, lane by lane. Fills the last vector up with −∞. */
// @ts-ignore: decorator
@inline
export function largest(scores: usize, from: i32, to: i32, most: v128): v128 {
  const end = scores + (<usize>to << 2);
  for (let at = end; (at - scores) & 12; at += 4) store<f32>(at, -Infinity);
  // pmax ignores NaN here; the exponentials below give NaN for it.
  for (let at = scores + (<usize>from << 2); at < end; at += 16) most = f32x4.pmax(most, v128.load(at));
  return most;
}

/** The largest lane, in all lanes. */
// @ts-ignore: decorator
@inline
export function largestLane(most: v128): v128 {
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return f32x4.pmax(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
}

/** Replaces each score by exp(score − most), and adds them to the total, lane by lane. */
// @ts-ignore: decorator
@inline
export function exponentials(scores: usize, from: i32, to: i32, most: v128, total: v128): v128 {
  const end = scores + (<usize>to << 2);
  let at = scores + (<usize>from << 2);
  // Two vectors side by side, which V8 can join; they are added in the same order as one by one.
  for (; WIDE && at + 16 < end; at += 32) {
    const e = expFalling(f32x4.sub(v128.load(at), most));
    const f = expFalling(f32x4.sub(v128.load(at, 16), most));
    v128.store(at, e);
    v128.store(at, f, 16);
    total = f32x4.add(f32x4.add(total, e), f);
  }
  for (; at < end; at += 16) {
    const e = expFalling(f32x4.sub(v128.load(at), most));
    v128.store(at, e);
    total = f32x4.add(total, e);
  }
  return total;
}

/**
 * scores[j] += table[head][clamp(j − position + offset, 0, span − 1)]. The keys come in three runs: those that are clamped to
 * the first column, those with a column of their own, and those that are clamped to the last column.
 */
function addBiasOfOrdinals(scores: usize, row: i32, head: i32, from: i32, to: i32): void {
  const span = <i32>word(AttentionParameter.span);
  const table = <usize>word(AttentionParameter.bias) + (<usize>head * <usize>span << 2);
  const shift = <i32>word(AttentionParameter.offset) - load<i32>(<usize>word(AttentionParameter.position) + (<usize>row << 2));
  const runFrom = max(from, min(to, -shift));
  const runTo = max(runFrom, min(to, span - shift));
  addConstant(scores, from, runFrom, load<f32>(table));
  let j = runFrom;
  for (; j + 4 <= runTo; j += 4) {
    const at = scores + (<usize>j << 2);
    v128.store(at, f32x4.add(v128.load(at), v128.load(table + (<usize>(j + shift) << 2))));
  }
  for (; j < runTo; j++) {
    const at = scores + (<usize>j << 2);
    store<f32>(at, load<f32>(at) + load<f32>(table + (<usize>(j + shift) << 2)));
  }
  addConstant(scores, runTo, to, load<f32>(table + (<usize>(span - 1) << 2)));
}

/** As `addBiasOfOrdinals`, where each key has a position of its own. */
function addPlacedBias(scores: usize, row: i32, head: i32, from: i32, to: i32): void {
  const span = <i32>word(AttentionParameter.span);
  const table = <usize>word(AttentionParameter.bias) + (<usize>head * <usize>span << 2);
  const at = <usize>row << 2;
  const shift = <i32>word(AttentionParameter.offset) - load<i32>(<usize>word(AttentionParameter.position) + at);
  const places = <usize>word(AttentionParameter.places) + (<usize>load<i32>(<usize>word(AttentionParameter.start) + at) << 2);
  for (let j = from; j < to; j++) {
    const column = max(0, min(span - 1, load<i32>(places + (<usize>j << 2)) + shift));
    const score = scores + (<usize>j << 2);
    store<f32>(score, load<f32>(score) + load<f32>(table + (<usize>column << 2)));
  }
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
