import type { Bias, KvCache, Norm, Weight } from '../kernels';

/** Resident weights of one T5 checkpoint, by role. Matrices are [output features, input features]. */
export interface AttentionWeights {
  readonly norm: Norm;
  readonly query: Weight; // [inner, dModel]
  readonly key: Weight; // [inner, dModel]
  readonly value: Weight; // [inner, dModel]
  readonly output: Weight; // [dModel, inner]
}

export interface FeedForwardWeights {
  readonly norm: Norm;
  /** `wi`, or `wi_0` and `wi_1` when gated; each [dFf, dModel]. */
  readonly inputs: readonly Weight[];
  readonly output: Weight; // [dModel, dFf]
}

export interface EncoderLayer {
  readonly attention: AttentionWeights;
  readonly bias: Bias;
  readonly feedForward: FeedForwardWeights;
}

export interface DecoderLayer {
  readonly attention: AttentionWeights;
  readonly bias: Bias;
  readonly cross: AttentionWeights;
  readonly feedForward: FeedForwardWeights;
}

export interface T5Weights {
  readonly embedding: Weight; // [vocabulary, dModel]
  /** The embedding itself when tied. */
  readonly head: Weight; // [vocabulary, dModel]
  readonly encoder: { readonly layers: readonly EncoderLayer[]; readonly finalNorm: Norm };
  readonly decoder: { readonly layers: readonly DecoderLayer[]; readonly finalNorm: Norm };
}

/** Self- and cross-attention caches of the decoder, one of each a layer. */
export interface DecoderCaches {
  readonly self: readonly KvCache[];
  readonly cross: readonly KvCache[];
}
