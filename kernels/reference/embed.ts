import type { Tensor, Weight } from '../contract';
import { openEmbed } from '../shared/calls';
import { type HostStorage, weightRow } from './storage';

/**
 * out[r][i] = table[ids[r]][i]: rows of the embedding, T5 neither scales them nor adds positions.
 *
 * Shapes: table [vocabulary, cols], ids [rows] (at least one, each in 0 … vocabulary − 1), out [rows, cols].
 * Precision: f32 and bf16 exact; q8 is the float32 nearest code · scale.
 * Aliasing: `out` is a box of its own by type.
 * Source: Raffel et al. 2020 (arXiv 1910.10683) § 2.1; Hugging Face modeling_t5.py, `T5Stack.embed_tokens`.
 */
export function embed(storage: HostStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const call = openEmbed(storage, out, table, ids);
  const { cols } = call.table;
  const row = new Float64Array(cols);
  for (let r = 0; r < ids.length; r++) call.out.data.set(weightRow(call.table, ids[r], row), r * cols);
}
