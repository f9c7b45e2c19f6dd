/**
 * T5's forward pass, top to bottom (Raffel et al. 2020; Hugging Face `modeling_t5.py`). A block normalises its input first
 * (RMS norm, without mean or bias) and adds its output to it. No matrix has a bias. Attention scores are not scaled; only
 * self-attention has a position bias.
 */
import type { AttentionPart, Backend, KvCache, Tensor } from '../kernels';
import type { T5Config } from '../weights';
import {
  type AttentionWeights,
  type DecoderLayer,
  decoderOf,
  type EncoderLayer,
  type FeedForwardWeights,
  type LayerCaches,
  type T5Weights,
} from './layers';
import { attentionOperations, attentionParts } from './pace';
import { swapHidden, type Workspace } from './workspace';

/**
 * Receives a tensor and its name as it is computed; see `ModelOptions.observe`. The tensor is valid only during the call: start
 * `backend.read(tensor)` in it.
 */
export type Observe = (name: string, tensor: Tensor) => void;

/** What every step of a forward pass needs. */
export interface ForwardContext {
  readonly backend: Backend;
  readonly config: T5Config;
  readonly weights: T5Weights;
  readonly observe?: Observe;
}

/** First half of an encoder block: queries, keys and values of the rows, each [rows, inner]. */
export function projectBlock(backend: Backend, layer: EncoderLayer, work: Workspace): void {
  projectRows(backend, layer.attention, work);
}

/**
 * Attention of rows of an encoder block that are projected. The rows must have been arranged in `work.selfPlan`.
 *
 * @param keys the cache with keys and values. Without `part` those of the rows are in `work` and are written to it first
 */
export function attendBlock(
  { backend }: ForwardContext,
  layer: EncoderLayer,
  work: Workspace,
  { cache, part }: { readonly cache: KvCache; readonly part?: AttentionPart },
): void {
  const fresh = part ? null : { keys: work.key, values: work.value };
  backend.attention(work.mixed, work.query, fresh, cache, work.selfPlan, layer.bias, part); // [rows, inner]
}

/** Adds what attention mixed to the hidden states. */
export function finishAttention({ backend }: ForwardContext, layer: EncoderLayer, work: Workspace): void {
  addOutput(backend, layer.attention, work);
}

/** The feed-forward layer of an encoder block. */
export function feedBlock({ backend, config }: ForwardContext, layer: EncoderLayer, work: Workspace): void {
  feedForward(backend, config, layer.feedForward, work);
}

/** Shows a block of the encoder that has run on whole sources: what attention was given and what it mixed, and the states. */
export function showEncoderBlock({ observe }: ForwardContext, layer: number, work: Workspace): void {
  if (observe === undefined) return;
  for (const part of ['query', 'key', 'value', 'mixed'] as const) observe(`encoder.self.${layer}.${part}`, work[part]);
  observe(`encoder.block.${layer}`, work.hidden);
}

/** Leaves the encoder states after the final norm in `work.hidden`, [rows, dModel]. */
export function finalStates({ backend, weights, observe }: ForwardContext, work: Workspace): void {
  backend.rmsNorm(work.next, work.hidden, weights.encoder.finalNorm); // [rows, dModel]
  swapHidden(work);
  observe?.('encoder.final', work.hidden);
}

/** How the steps of a decoder call are cut. */
export interface DecoderCut {
  /** Keys of the longest list of self-attention, and of cross-attention. */
  readonly longest: { readonly self: number; readonly cross: number };
  /** The most multiply-adds of a part of attention. */
  readonly most: number;
}

/**
 * Decodes `ids`, [rows], through the first blocks, one for each pair of caches. The call's rows must have been arranged in
 * `work.selfPlan` and `work.crossPlan`. Leaves the states before the final norm in `work.hidden`, [rows, dModel].
 *
 * It runs a step each time it is asked, and yields the multiply-adds of the next one.
 */
export function* decoderForward(
  context: ForwardContext,
  ids: Int32Array,
  work: Workspace,
  { caches, cut }: { readonly caches: readonly LayerCaches[]; readonly cut: DecoderCut },
): Generator<number> {
  const { backend, weights, observe } = context;
  backend.embed(work.hidden, weights.embedding, ids); // [rows, dModel]
  const steps = attentionSteps(context.config, ids.length, cut);
  for (const [i, cache] of caches.entries()) {
    yield* decoderBlock(context, decoderOf(weights).layers[i], work, { ...cache, ...steps });
    // Nothing has overwritten these two since the block's cross-attention.
    observe?.(`decoder.cross.${i}.query`, work.query);
    observe?.(`decoder.cross.${i}.mixed`, work.mixed);
    observe?.(`decoder.block.${i}`, work.hidden);
  }
  yield ids.length * weights.head.rows * weights.head.cols; // the head, which the caller computes
}

/** Attention of every decoder block of a call, which is the same in each. */
interface AttentionSteps {
  /** Multiply-adds of self-attention. */
  readonly selfOperations: number;
  /** Without `part` cross-attention is one step. */
  readonly crossParts: readonly { readonly operations: number; readonly part?: AttentionPart }[];
}

function attentionSteps({ heads, dKv }: T5Config, rows: number, { longest, most }: DecoderCut): AttentionSteps {
  const size = { rows, heads, dKv, longest: longest.cross };
  const parts = attentionParts(size, most);
  return {
    selfOperations: attentionOperations({ ...size, longest: longest.self }),
    crossParts: parts.map((part) => ({
      operations: attentionOperations({
        ...size,
        rows: part.rows[1] - part.rows[0],
        heads: part.heads[1] - part.heads[0],
      }),
      part: parts.length > 1 ? { planRow: 0, ...part } : undefined,
    })),
  };
}

function* decoderBlock(
  { backend, config }: ForwardContext,
  layer: DecoderLayer,
  work: Workspace,
  { self, cross, selfOperations, crossParts }: LayerCaches & AttentionSteps,
): Generator<number> {
  const { dModel, inner, dFf, feedForward: feed } = config;
  const { rows } = work.hidden;
  yield rows * 4 * dModel * inner + selfOperations;
  projectRows(backend, layer.attention, work);
  const fresh = { keys: work.key, values: work.value };
  backend.attention(work.mixed, work.query, fresh, self, work.selfPlan, layer.bias); // [rows, inner]
  addOutput(backend, layer.attention, work);
  yield rows * dModel * inner;
  backend.normLinear([work.query], work.hidden, layer.cross.norm, [layer.cross.query]); // [rows, inner]
  for (const { operations, part } of crossParts) {
    yield operations;
    backend.attention(work.mixed, work.query, null, cross, work.crossPlan, null, part); // [rows, inner]
  }
  yield rows * (dModel * inner + (feed.gated ? 3 : 2) * dModel * dFf);
  addOutput(backend, layer.cross, work);
  feedForward(backend, config, layer.feedForward, work);
}

/** Queries, keys and values of the rows, each [rows, inner]. */
function projectRows(backend: Backend, weights: AttentionWeights, work: Workspace): void {
  const outs = [work.query, work.key, work.value];
  backend.normLinear(outs, work.hidden, weights.norm, [weights.query, weights.key, weights.value]);
}

/** Projects what attention mixed back to the model's width, and adds it to the hidden states. */
function addOutput(backend: Backend, weights: AttentionWeights, work: Workspace): void {
  backend.linear(work.next, work.mixed, weights.output, work.hidden); // [rows, dModel]
  swapHidden(work);
}

function feedForward(backend: Backend, config: T5Config, weights: FeedForwardWeights, work: Workspace): void {
  const { kind, gated } = config.feedForward;
  const outs = gated ? [work.gate, work.up] : [work.up]; // each [rows, dFf]
  backend.normLinear(outs, work.hidden, weights.norm, weights.inputs);
  backend.activation(work.inside, outs[0], kind, gated ? work.up : null); // [rows, dFf]
  backend.linear(work.next, work.inside, weights.output, work.hidden); // [rows, dModel]
  swapHidden(work);
}

/**
 * Projects encoder states, [rows, dModel], to the cross-attention keys and values of every decoder layer, and stores row r of
 * them in slot `slots[r]` of the layer's cache. Pauses after each layer.
 */
export async function crossForward(
  { backend, weights, observe }: ForwardContext,
  { states, work, pause }: { readonly states: Tensor; readonly work: Workspace; readonly pause: () => Promise<void> },
  { caches, slots }: { readonly caches: readonly LayerCaches[]; readonly slots: Int32Array },
): Promise<void> {
  for (const [i, layer] of decoderOf(weights).layers.entries()) {
    backend.linear(work.key, states, layer.cross.key, null); // [rows, inner]
    backend.linear(work.value, states, layer.cross.value, null); // [rows, inner]
    observe?.(`cross.${i}.keys`, work.key);
    observe?.(`cross.${i}.values`, work.value);
    backend.append(caches[i].cross, work.key, work.value, slots);
    await pause();
  }
}
