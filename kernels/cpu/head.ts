import type { Logits, Norm, Tensor, Weight } from '../contract';
import { openHead } from '../shared/calls';
import type { HostStorage } from '../shared/hostStorage';
import { product } from './linear';
import { normalizeInto } from './rmsNorm';
import type { Scratch } from './scratch';

/** See reference/head.ts: the same formula and the same bits. */
export function head(
  storage: HostStorage,
  scratch: Scratch,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): void {
  const call = openHead(storage, out, x, norm, weight, scale);
  const length = call.x.rows * call.x.cols;
  const scaled = scratch.normed(length); // [rows, inputs]
  if (call.norm === null) scaled.set(call.x.data.subarray(0, length));
  else normalizeInto(scaled, call.x, call.norm);
  const factor = Math.fround(scale);
  for (let i = 0; i < length; i++) scaled[i] *= factor;
  product(scratch, call.out.data, scratch.widen(scaled, length), call.x.rows, call.weight);
}
