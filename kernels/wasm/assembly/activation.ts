/**
 * out = f(x) (· gated). silu and gelu_new are both x / (1 + e^−y), with y = x and y = 2 √(2/π) (x + 0.044715 x³).
 *
 * Parameters: 0 values, 1 x, 2 gated or 0, 3 out, 4 kind (0 relu, 1 gelu, 2 gelu_new, 3 silu), 5 values a chunk (a
 * multiple of 4). Boxes end on 16 bytes, so whole vectors are read and written.
 */
import { word } from './control';
import { gelu } from './gelu';
import { exp32 } from './exp';

export function activationChunk(chunk: i32): void {
  const perChunk = word(5);
  const from = <usize>(<u32>chunk * perChunk) << 2;
  const to = <usize>min(word(0), (<u32>chunk + 1) * perChunk) << 2;
  const x = <usize>word(1);
  const gated = <usize>word(2);
  const out = <usize>word(3);
  const kind = word(4);
  for (let i = from; i < to; i += 16) {
    const v = v128.load(x + i);
    let value: v128;
    if (kind == 0) value = f32x4.pmax(v, f32x4.splat(0));
    else if (kind == 1) value = gelu4(v);
    else value = sigmoidTimes(v, kind == 2 ? tanhArgument(v) : v);
    if (gated != 0) value = f32x4.mul(value, v128.load(gated + i));
    v128.store(out + i, value);
  }
}

// @ts-ignore: decorator
@inline
function tanhArgument(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, f32x4.splat(0.044715)));
  return f32x4.mul(f32x4.add(x, cube), f32x4.splat(1.5957691216057308));
}

/** x / (1 + e^−y); 0 at minus infinity. */
// @ts-ignore: decorator
@inline
function sigmoidTimes(x: v128, y: v128): v128 {
  const value = f32x4.div(x, f32x4.add(f32x4.splat(1), exp32(f32x4.neg(y))));
  return v128.andnot(value, f32x4.eq(x, f32x4.splat(-Infinity)));
}

function gelu4(x: v128): v128 {
  const a = f32x4.splat(gelu(f32x4.extract_lane(x, 0)));
  const b = f32x4.replace_lane(a, 1, gelu(f32x4.extract_lane(x, 1)));
  const c = f32x4.replace_lane(b, 2, gelu(f32x4.extract_lane(x, 2)));
  return f32x4.replace_lane(c, 3, gelu(f32x4.extract_lane(x, 3)));
}
