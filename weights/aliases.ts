/** Names that Hugging Face's `attribute_map` takes for others; the name on the left wins. */
export const ALIASES = {
  hidden_size: 'd_model',
  num_attention_heads: 'num_heads',
  num_hidden_layers: 'num_layers',
  head_dim: 'd_kv',
} as const;
