import type { Logits, Norm, Tensor, Weight } from '../contract';
import { openHead } from '../shared/calls';
import type { GpuLogits, GpuTensor, GpuWeight } from './boxes';
import type { Program } from './device';
import { product } from './linear';
import { holder, view } from './queue';
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
  const input = call.x as GpuTensor;
  const { rows, cols } = input;
  const box = call.out as GpuLogits;
  const matrix = call.weight as GpuWeight;
  if (norm === null && scale === 1) {
    product(queue, box, { x: input, rows }, matrix, null);
    return;
  }
  const ready = holder(); // [rows, inputs]
  if (norm !== null) normInto(queue, ready, input, norm, scale);
  else queue.produce(ready, () => queue.device.launch(SCALE, rows * cols, [view(input), scale]));
  product(queue, box, { x: ready, rows }, matrix, null);
  queue.drop(ready);
}
