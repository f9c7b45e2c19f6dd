/**
 * T5's forward pass, top to bottom (Raffel et al. 2020; Hugging Face `modeling_t5.py`): pre-norm blocks without biases,
 * attention scores unscaled, a position bias in self-attention only, RMS norm without mean.
 */
import type { Backend, KvCache, Tensor } from '../kernels';
import type { T5Config } from '../weights';
import type {
  AttentionWeights,
  DecoderCaches,
  DecoderLayer,
  EncoderLayer,
  FeedForwardWeights,
  T5Weights,
} from './layers';
import { turn, type Workspace } from './workspace';

/** Called with a tensor's name after each block and final norm; see `LoadOptions.observe`. */
export type Observe = (name: string, tensor: Tensor) => void;

/** Encoder self-attention keys and values: one call's, overwritten by the next layer. */
export interface EncoderScratch {
  readonly work: Workspace;
  readonly cache: KvCache;
}

/** Encodes rows [rows] of ids; returns the box of final-normed states, [rows, dModel]. `work.selfPlan` is arranged. */
export function encoderForward(
  backend: Backend,
  config: T5Config,
  weights: T5Weights,
  ids: Int32Array,
  scratch: EncoderScratch,
  observe?: Observe,
): Tensor {
  const { work, cache } = scratch;
  backend.embed(work.hidden, weights.embedding, ids); // [rows, dModel]
  weights.encoder.layers.forEach((layer, i) => {
    encoderBlock(backend, config, layer, work, cache);
    observe?.(`encoder.block.${i}`, work.hidden);
  });
  backend.rmsNorm(work.next, work.hidden, weights.encoder.finalNorm); // [rows, dModel]
  turn(work);
  observe?.('encoder.final', work.hidden);
  return work.hidden;
}

/** Decodes rows through the first `layers` blocks; leaves the states before the final norm in `work.hidden`. */
export function decoderForward(
  backend: Backend,
  config: T5Config,
  weights: T5Weights,
  ids: Int32Array,
  work: Workspace,
  caches: DecoderCaches,
  layers: number,
  observe?: Observe,
): void {
  backend.embed(work.hidden, weights.embedding, ids); // [rows, dModel]
  for (let i = 0; i < layers; i++) {
    decoderBlock(backend, config, weights.decoder.layers[i], work, caches.self[i], caches.cross[i]);
    observe?.(`decoder.block.${i}`, work.hidden);
  }
}

function encoderBlock(backend: Backend, config: T5Config, layer: EncoderLayer, work: Workspace, cache: KvCache): void {
  projectRows(backend, layer.attention, work);
  const fresh = { keys: work.key, values: work.value };
  backend.attention(work.mixed, work.query, fresh, cache, work.selfPlan, layer.bias); // [rows, inner]
  addBack(backend, layer.attention, work);
  feedForward(backend, config, layer.feedForward, work);
}

function decoderBlock(
  backend: Backend,
  config: T5Config,
  layer: DecoderLayer,
  work: Workspace,
  self: KvCache,
  cross: KvCache,
): void {
  projectRows(backend, layer.attention, work);
  const fresh = { keys: work.key, values: work.value };
  backend.attention(work.mixed, work.query, fresh, self, work.selfPlan, layer.bias); // [rows, inner]
  addBack(backend, layer.attention, work);

  backend.normLinear([work.query], work.hidden, layer.cross.norm, [layer.cross.query]); // [rows, inner]
  backend.attention(work.mixed, work.query, null, cross, work.crossPlan, null); // [rows, inner]
  addBack(backend, layer.cross, work);

  feedForward(backend, config, layer.feedForward, work);
}

function projectRows(backend: Backend, weights: AttentionWeights, work: Workspace): void {
  const outs = [work.query, work.key, work.value]; // each [rows, inner]
  backend.normLinear(outs, work.hidden, weights.norm, [weights.query, weights.key, weights.value]);
}

function addBack(backend: Backend, weights: AttentionWeights, work: Workspace): void {
  backend.linear(work.next, work.mixed, weights.output, work.hidden); // [rows, dModel]
  turn(work);
}

function feedForward(backend: Backend, config: T5Config, weights: FeedForwardWeights, work: Workspace): void {
  const { kind, gated } = config.feedForward;
  const outs = gated ? [work.gate, work.up] : [work.up]; // each [rows, dFf]
  backend.normLinear(outs, work.hidden, weights.norm, weights.inputs);
  backend.activation(work.inside, outs[0], kind, gated ? work.up : null); // [rows, dFf]
  backend.linear(work.next, work.inside, weights.output, work.hidden); // [rows, dModel]
  turn(work);
}

/** Projects encoder states to every decoder layer's cross-attention keys and values, and files them under `slots`. */
export function crossForward(
  backend: Backend,
  weights: T5Weights,
  states: Tensor,
  work: Workspace,
  cross: readonly KvCache[],
  slots: Int32Array,
  observe?: Observe,
): void {
  weights.decoder.layers.forEach((layer, i) => {
    backend.linear(work.key, states, layer.cross.key, null); // [rows, inner]
    backend.linear(work.value, states, layer.cross.value, null); // [rows, inner]
    observe?.(`cross.${i}.keys`, work.key);
    observe?.(`cross.${i}.values`, work.value);
    backend.append(cross[i], work.key, work.value, slots);
  });
}
