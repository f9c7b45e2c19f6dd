import type { Logits, Norm, Tensor, Weight } from '../contract';
import { open, openWeight } from '../shared/boxes';
import { expectArgument, expectProduct } from '../shared/checks';
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
  const input = open(storage.memory, x, 'head');
  const matrix = openWeight(storage.memory, weight, 'head');
  const box = open(storage.memory, out, 'head');
  expectProduct('head', input, matrix, null);
  expectArgument(Number.isFinite(scale), 'head', 'a finite scale', scale);
  const length = input.rows * input.cols;
  const scaled = norm === null ? input.data.slice(0, length) : normalized(storage, 'head', input, norm);
  const factor = Math.fround(scale);
  for (let i = 0; i < length; i++) scaled[i] *= factor;
  storage.resizeLogits(box, input.rows, matrix.rows);
  product(box.data, scaled, input.rows, matrix);
}
