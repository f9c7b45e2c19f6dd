import type { Logits, Norm, Tensor, Weight } from '../contract';
import { openHead } from '../shared/calls';
import type { HostStorage } from '../shared/hostStorage';
import { product } from './linear';
import { normalized } from './rmsNorm';

/**
 * logits[r][v] = Σ_i (norm(x)[r][i] · scale) · weight[v][i]: the last norm, T5's factor dModel^−½ where the head is tied to
 * the embedding, and the product with the vocabulary.
 *
 * Shapes: x [rows, inputs], weight [vocabulary, inputs], logits [rows, vocabulary]. Without a `norm`, x is taken as it is.
 * Precision: the norm is rounded to float32, its product with `scale` is rounded again; then a product as in `linear`.
 * Source: modeling_t5.py, `T5ForConditionalGeneration.forward` (`sequence_output * d_model ** -0.5`, `lm_head`).
 */
export function head(
  storage: HostStorage,
  out: Logits,
  x: Tensor,
  norm: Norm | null,
  weight: Weight,
  scale: number,
): void {
  const call = openHead(storage, out, x, norm, weight, scale);
  const length = call.x.rows * call.x.cols;
  const scaled = call.norm === null ? call.x.data.slice(0, length) : normalized(call.x, call.norm);
  const factor = Math.fround(scale);
  for (let i = 0; i < length; i++) scaled[i] *= factor;
  product(call.out.data, scaled, call.x.rows, call.weight);
}
