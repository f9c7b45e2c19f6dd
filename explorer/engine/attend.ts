import { TandemError } from '../../common';
import type { AttentionMaps } from '../../engine';
import type { AttendRequest, ShownAttention } from '../protocol';
import type { Models } from './models';

/** The maps of the text that was asked for last: layers and heads of one text are asked for one after the other. */
let last: { readonly models: Models; readonly key: string; readonly maps: AttentionMaps } | null = null;

/** What one layer and head read, or the mean of several. */
export async function attend(models: Models, request: AttendRequest, signal: AbortSignal): Promise<ShownAttention> {
  const { text, output, kind, layer, head } = request;
  const { target } = models;
  const source = models.encode(text);
  const key = JSON.stringify([text, output]);
  if (last?.models !== models || last.key !== key) {
    // The row of an id decides the id after it, so the rows that decided the output begin with the start token.
    const maps = await target.attention(source, [target.startToken, ...output.slice(0, -1)], { signal });
    last = { models, key, maps };
  }
  const layers = last.maps[kind];
  const chosen = layer === null ? layers : layers.slice(layer, layer + 1);
  if (chosen.length === 0) throw new TandemError('option-invalid', `layer: expected 1 to ${layers.length}`);
  const labels = (ids: readonly number[]) => ids.map((id) => models.labelOf(id));
  return {
    readers: labels(kind === 'cross' ? output : source),
    read: labels(source),
    weights: mean(chosen, last.maps.heads, head),
  };
}

/** The mean of the maps, [heads, rows, keys], over layers, and over heads or of one: [rows, keys]. */
function mean(maps: readonly Float32Array[], heads: number, head: number | null): Float32Array {
  const size = maps[0].length / heads;
  const weights = new Float32Array(size);
  const [first, end] = head === null ? [0, heads] : [head, head + 1];
  for (const map of maps) {
    for (let one = first; one < end; one++) for (let i = 0; i < size; i++) weights[i] += map[one * size + i];
  }
  const count = maps.length * (end - first);
  return weights.map((sum) => sum / count);
}
