/** The weights of a T5 on a backend, by their role. Matrices are [output features, input features]. */
import type { Bias, KvCache, Norm, Weight } from '../kernels';
import { EngineError } from './errors';

export interface AttentionWeights {
  /** Norm of the layer's input. */
  readonly norm: Norm;
  readonly query: Weight; // [inner, dModel]
  readonly key: Weight; // [inner, dModel]
  readonly value: Weight; // [inner, dModel]
  readonly output: Weight; // [dModel, inner]
}

export interface FeedForwardWeights {
  /** Norm of the layer's input. */
  readonly norm: Norm;
  /** `wi`, or `wi_0` and `wi_1` of a gated layer. */
  readonly inputs: readonly Weight[]; // each [dFf, dModel]
  readonly output: Weight; // [dModel, dFf]
}

export interface EncoderLayer {
  readonly attention: AttentionWeights;
  /** Layers without a table of their own have the first layer's. */
  readonly bias: Bias;
  readonly feedForward: FeedForwardWeights;
}

export interface DecoderLayer extends EncoderLayer {
  readonly cross: AttentionWeights;
}

export interface T5Weights {
  readonly embedding: Weight; // [vocabulary, dModel]
  /** The embedding itself when the head is tied. */
  readonly head: Weight; // [vocabulary, dModel]
  readonly encoder: { readonly layers: readonly EncoderLayer[]; readonly finalNorm: Norm };
  /** Null of an encoder alone. */
  readonly decoder: { readonly layers: readonly DecoderLayer[]; readonly finalNorm: Norm } | null;
}

/** The decoder of a model that has been checked to have one. */
export function decoderOf({ decoder }: T5Weights): NonNullable<T5Weights['decoder']> {
  if (decoder) return decoder;
  throw new EngineError('tensor-missing', 'expected a model with a decoder, found an encoder alone');
}

/** The caches of one decoder layer: keys and values of self-attention, and of cross-attention. */
export interface LayerCaches {
  readonly self: KvCache;
  readonly cross: KvCache;
}
