/** Softmax of the scores of one row, with the position bias. */
import { AttentionParameter } from '../layout';
import { word } from './control';
import { expFalling } from './exp';
import { sumLanes } from './level';

/** Adds the bias and replaces each score by exp(score − largest). Returns the total. */
export function softmax(scores: usize, row: i32, head: i32, count: i32): f32 {
  if (word(AttentionParameter.bias) != 0) {
    if (word(AttentionParameter.places) != 0) addPlacedBias(scores, row, head, count);
    else addBias(scores, row, head, count);
  }
  const end = scores + (<usize>count << 2);
  for (let at = end; (at - scores) & 12; at += 4) store<f32>(at, -Infinity);
  // pmax ignores NaN here; the exponentials below give NaN for it.
  let most = f32x4.splat(-Infinity);
  for (let at = scores; at < end; at += 16) most = f32x4.pmax(most, v128.load(at));
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  let total = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    const e = expFalling(f32x4.sub(v128.load(at), most));
    v128.store(at, e);
    total = f32x4.add(total, e);
  }
  return sumLanes(total);
}

/**
 * scores[j] += table[head][clamp(j − position + offset, 0, span − 1)]. The keys come in three runs: those that are clamped to
 * the first column, those with a column of their own, and those that are clamped to the last column.
 */
function addBias(scores: usize, row: i32, head: i32, count: i32): void {
  const span = <i32>word(AttentionParameter.span);
  const table = <usize>word(AttentionParameter.bias) + (<usize>head * <usize>span << 2);
  const shift = <i32>word(AttentionParameter.offset) - load<i32>(<usize>word(AttentionParameter.position) + (<usize>row << 2));
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

/** As `addBias`, where each key has a position of its own. */
function addPlacedBias(scores: usize, row: i32, head: i32, count: i32): void {
  const span = <i32>word(AttentionParameter.span);
  const table = <usize>word(AttentionParameter.bias) + (<usize>head * <usize>span << 2);
  const at = <usize>row << 2;
  const shift = <i32>word(AttentionParameter.offset) - load<i32>(<usize>word(AttentionParameter.position) + at);
  const places = <usize>word(AttentionParameter.places) + (<usize>load<i32>(<usize>word(AttentionParameter.start) + at) << 2);
  for (let j = 0; j < count; j++) {
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
