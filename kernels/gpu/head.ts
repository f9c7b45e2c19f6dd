import type { Logits, Norm, Tensor, Weight } from '../contract';
import { openHead } from '../shared/calls';
import type { Program } from './device';
import { product } from './linear';
import { createHolder, view } from './queue';
import { normInto } from './rmsNorm';
import type { GpuStorage } from './storage';

const SCALE: Program = {
  key: 'scale',
  args: ['array', 'float'],
  constants: {},
  source: 'function (x, scale) { return x[this.thread.x] * scale; }',
};

/** See reference/head.ts. The logits stay on the device. */
export function head(
  storage: GpuStorage,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): void {
  const call = openHead(storage, out, x, norm, weight, scale);
  const { queue } = storage;
  const { rows, cols } = call.x;
  if (call.norm === null && scale === 1) {
    product(queue, call.out, { x: call.x, rows }, call.weight, null);
    return;
  }
  const prepared = createHolder(); // [rows, inputs]
  if (call.norm !== null) normInto(queue, prepared, call.x, call.norm, scale);
  else queue.produce(prepared, () => queue.device.launch(SCALE, rows * cols, [view(call.x), scale]));
  product(queue, call.out, { x: prepared, rows }, call.weight, null);
  queue.drop(prepared);
}
