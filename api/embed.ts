import { Turns } from '../common';
import type { EncoderOptions, Source, T5Model } from '../engine';
import { WeightsError } from '../weights';
import { embeddingOf, normalized, PLAIN } from './embed-head';
import type { EmbedOptions } from './embed-options';
import type { Loaded } from './load';
import { sourceOf, withoutLongText } from './source';
import type { Input } from './types';

/** Ids of one call of the encoder; more are several calls. */
const MOST_IDS = 4096;
/** Embeds inputs, several in one call of the encoder. A text longer than sentence-transformers allows is cut as it cuts it. */
export async function embedInputs(
  loaded: Loaded,
  inputs: readonly Input[],
  { pooling = 'auto', normalize }: EmbedOptions,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const { target } = loaded;
  const head = pooling === 'auto' ? loaded.embedding : PLAIN;
  if (head instanceof WeightsError) throw head;
  const sources: Source[] = [];
  for (const input of inputs) {
    const truncate = typeof input === 'string' ? (head.maxTokens ?? false) : false;
    sources.push(sourceOf(loaded, await withoutLongText(loaded, input, {}, signal), { truncate }));
  }
  const vectors: Float32Array[] = [];
  const turns = new Turns();
  for (const group of groupsOf(sources)) {
    for (const states of await statesOf(target, group, { signal })) {
      const vector = pooling === 'none' ? states : embeddingOf(states, target.config.dModel, head);
      vectors.push(normalize ? normalized(vector) : vector);
      await turns.give();
      signal.throwIfAborted();
    }
  }
  return vectors;
}

function statesOf(target: T5Model, sources: readonly Source[], options: EncoderOptions): Promise<Float32Array[]> {
  return target.encoderStates(sources, options);
}

function* groupsOf(sources: readonly Source[]): Generator<Source[]> {
  let group: Source[] = [];
  let ids = 0;
  for (const source of sources) {
    const count = 'ids' in source ? source.ids.length : source.length;
    if (group.length > 0 && ids + count > MOST_IDS) {
      yield group;
      group = [];
      ids = 0;
    }
    group.push(source);
    ids += count;
  }
  if (group.length > 0) yield group;
}
