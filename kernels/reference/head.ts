import type { Logits, Norm, Tensor, Weight } from '../contract';
import { openHead } from '../shared/calls';
import { product } from './linear';
import { normalized } from './rmsNorm';
import type { HostStorage } from './storage';

/**
 * logits[r][v] = Σ_i (norm(x)[r][i] · scale) · weight[v][i]: the final norm, T5's dModel^−½ where the head is tied, and
 * the product with the vocabulary.
 *
 * Shapes: x [rows, inputs], weight [vocabulary, inputs], logits [rows, vocabulary]; `norm` null leaves x as it is.
 * Precision: norm rounded to float32, its product with `scale` rounded again, then a product as `linear` has it.
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
  const normed = call.gain !== null && norm !== null;
  const scaled = normed ? normalized(call.x, call.gain, norm.epsilon) : call.x.data.slice(0, length);
  const factor = Math.fround(scale);
  for (let i = 0; i < length; i++) scaled[i] *= factor;
  product(call.out.data, scaled, call.x.rows, call.weight);
}
