import type { Tensor, Weight } from '../contract';
import { open, openWeight } from '../shared/boxes';
import { expectCount, expectIndices } from '../shared/checks';
import { type HostStorage, weightRow } from './storage';

/**
 * out[r][i] = table[ids[r]][i]: rows of the embedding, T5 neither scales them nor adds positions.
 *
 * Shapes: table [vocabulary, cols], ids [rows] (at least one, each in 0 … vocabulary − 1), out [rows, cols].
 * Precision: f32 and bf16 exact; q8 is code · scale, rounded once to float32.
 * Aliasing: `out` is a box of its own by type.
 * Source: Raffel et al. 2020 (arXiv 1910.10683) § 2.1; Hugging Face modeling_t5.py, `T5Stack.embed_tokens`.
 */
export function embed(storage: HostStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const weight = openWeight(storage.memory, table, 'embed');
  const box = open(storage.memory, out, 'embed');
  expectCount('embed', 'ids.length', ids.length);
  expectIndices('embed', 'ids', ids, weight.rows);
  const { cols } = weight;
  storage.resize(box, ids.length, cols);
  const row = new Float64Array(cols);
  for (let r = 0; r < ids.length; r++) box.data.set(weightRow(weight, ids[r], row), r * cols);
}
