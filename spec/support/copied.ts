/** The matrices that a copy has of its own: the decoder's, without the keys and values of cross-attention, and the head. */
export const COPIED =
  /^(lm_head\.weight|decoder\..*(SelfAttention\.[qkvo]|EncDecAttention\.[qo]|DenseReluDense\.w[io](_[01])?)\.weight)$/;
