/**
 * out = f(x) (· gated). silu and gelu_new are both x / (1 + e^−y): silu with y = x, gelu_new with
 * y = 2 √(2/π) (x + 0.044715 x³).
 *
 * The parameters are `ActivationParameter`. Boxes end on a multiple of 16 bytes, so whole vectors are read and written.
 */
import { ActivationCode, ActivationParameter } from '../layout';
import { word } from './control';
import { exp32 } from './exp';
import { gelu } from './gelu';

export function activationChunk(chunk: i32): void {
  const perChunk = word(ActivationParameter.chunkValues);
  const from = <usize>(<u32>chunk * perChunk) << 2;
  const to = <usize>min(word(ActivationParameter.values), (<u32>chunk + 1) * perChunk) << 2;
  const x = <usize>word(ActivationParameter.x);
  const gated = <usize>word(ActivationParameter.gated);
  const out = <usize>word(ActivationParameter.out);
  const kind = word(ActivationParameter.kind);
  for (let i = from; i < to; i += 16) {
    const v = v128.load(x + i);
    let value: v128;
    if (kind == ActivationCode.relu) value = f32x4.pmax(v, f32x4.splat(0));
    else if (kind == ActivationCode.gelu) value = gelu4(v);
    else value = timesSigmoid(v, kind == ActivationCode.gelu_new ? geluNewArgument(v) : v);
    if (gated != 0) value = f32x4.mul(value, v128.load(gated + i));
    v128.store(out + i, value);
  }
}

// @ts-ignore: decorator
@inline
function geluNewArgument(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, f32x4.splat(0.044715)));
  return f32x4.mul(f32x4.add(x, cube), f32x4.splat(1.5957691216057308));
}

/** x / (1 + e^−y). The result at minus infinity is 0. */
// @ts-ignore: decorator
@inline
function timesSigmoid(x: v128, y: v128): v128 {
  const value = f32x4.div(x, f32x4.add(f32x4.splat(1), exp32(f32x4.neg(y))));
  return v128.andnot(value, f32x4.eq(x, f32x4.splat(-Infinity)));
}

function gelu4(x: v128): v128 {
  const a = f32x4.splat(gelu(f32x4.extract_lane(x, 0)));
  const b = f32x4.replace_lane(a, 1, gelu(f32x4.extract_lane(x, 1)));
  const c = f32x4.replace_lane(b, 2, gelu(f32x4.extract_lane(x, 2)));
  return f32x4.replace_lane(c, 3, gelu(f32x4.extract_lane(x, 3)));
}
