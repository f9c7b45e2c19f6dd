import type { Tensor, Weight } from '../contract';
import { openEmbed } from '../shared/calls';
import type { HostStorage } from '../shared/hostStorage';
import { weightRow } from './weightRow';

/**
 * out[r][i] = table[ids[r]][i]. T5 neither scales its embeddings nor adds positions to them.
 *
 * Shapes: table [vocabulary, cols]; ids [rows], at least one, each in 0 … vocabulary − 1; out [rows, cols].
 * Precision: f32 and bf16 are exact; q8 is the float32 nearest to code · scale.
 * Aliasing: `out` is a tensor and `table` a weight, so they are never the same box.
 * Source: Raffel et al. 2020 (arXiv 1910.10683) § 2.1; Hugging Face modeling_t5.py, `T5Stack.embed_tokens`.
 */
export function embed(storage: HostStorage, out: Tensor, table: Weight, ids: Int32Array): void {
  const call = openEmbed(storage, out, table, ids);
  const { cols } = call.table;
  const row = new Float64Array(cols);
  for (let r = 0; r < ids.length; r++) call.out.data.set(weightRow(call.table, ids[r], row), r * cols);
}
