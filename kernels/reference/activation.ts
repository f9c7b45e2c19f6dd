import type { ActivationKind, Tensor } from '../contract';
import { openActivation } from '../shared/calls';
import { erfc } from '../shared/erf';
import type { HostStorage } from '../shared/hostStorage';

/**
 * The four functions, in float64.
 *
 * - relu: max(x, 0). NaN stays NaN.
 * - silu: x / (1 + e⁻ˣ).
 * - gelu: x · Φ(x), computed by erfc, so that large negative x keep their digits.
 * - gelu_new: x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
 */
export const ACTIVATIONS: Readonly<Record<ActivationKind, (x: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * erfc(-x * Math.SQRT1_2),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
};

/**
 * out[r][i] = f(x[r][i]) (· gated[r][i]). With `gated` this is the gated feed-forward of T5 v1.1: f of wi_0, times wi_1.
 *
 * Shapes: x, gated, out [rows, cols].
 * Precision: f in float64, rounded to float32; then the product with `gated`, rounded again.
 * Aliasing: `out` is neither `x` nor `gated`.
 * Source: Shazeer 2020 (arXiv 2002.05202) eq. 6; Hendrycks & Gimpel 2016 (arXiv 1606.08415) for gelu; modeling_t5.py,
 * `T5DenseGatedActDense`; gelu_new is transformers' `NewGELUActivation`.
 */
export function activation(
  storage: HostStorage,
  out: Tensor,
  x: Tensor,
  kind: ActivationKind,
  gated: Tensor | null,
): void {
  const call = openActivation(storage, out, x, kind, gated);
  const f = ACTIVATIONS[kind];
  const length = call.x.rows * call.x.cols;
  for (let i = 0; i < length; i++) {
    call.out.data[i] = f(call.x.data[i]);
    if (call.gated !== null) call.out.data[i] *= call.gated.data[i];
  }
}
