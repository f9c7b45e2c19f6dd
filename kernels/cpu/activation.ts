import type { ActivationKind, Tensor } from '../contract';
import { openActivation } from '../shared/calls';
import { erfc } from '../shared/erf';
import type { HostStorage } from '../shared/hostStorage';

/** Each function has a loop of its own. One loop that takes the function as a value would call it for every element. */
const LOOPS: Readonly<Record<ActivationKind, (out: Float32Array, x: Float32Array, length: number) => void>> = {
  relu(out, x, length) {
    for (let i = 0; i < length; i++) out[i] = Math.max(x[i], 0);
  },
  silu(out, x, length) {
    for (let i = 0; i < length; i++) out[i] = x[i] / (1 + Math.exp(-x[i]));
  },
  gelu(out, x, length) {
    for (let i = 0; i < length; i++) out[i] = 0.5 * x[i] * erfc(-x[i] * Math.SQRT1_2);
  },
  gelu_new(out, x, length) {
    const root = Math.sqrt(2 / Math.PI);
    for (let i = 0; i < length; i++) {
      const v = x[i];
      out[i] = 0.5 * v * (1 + Math.tanh(root * (v + 0.044715 * v * v * v)));
    }
  },
};

/** See reference/activation.ts: the same formula and the same bits. */
export function activation(
  storage: HostStorage,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): void {
  const call = openActivation(storage, out, x, kind, gated);
  const length = call.x.rows * call.x.cols;
  LOOPS[kind](call.out.data, call.x.data, length);
  if (call.gated !== null) multiplyInto(call.out.data, call.gated.data, length);
}

function multiplyInto(out: Float32Array, gated: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) out[i] *= gated[i];
}
