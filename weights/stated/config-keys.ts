import { ALIASES } from '../aliases';
import { isNothing, type TreatmentTable } from './statement';

const CLASSES = 'for classifiers';
const PYTHON = 'says how Python computes, or what it gives back';
const TENSORS = 'the tensors say it';
const ROTARY = 'T5 has no rotary positions';
const TRAINING = 'for training';
const ORIGIN = 'says where the file comes from';

const followed = (what: string) => ({ followed: what }) as const;
const irrelevant = (why: string) => ({ irrelevant: why }) as const;

/**
 * Every key of Hugging Face's `T5Config`, `MT5Config`, `UMT5Config` and of `PretrainedConfig` in transformers 4 and 5, and those
 * that older files have. Keys of generation are in `GENERATION_KEYS`.
 */
export const CONFIG_KEYS: TreatmentTable = {
  // Shape.
  model_type: followed('family'),
  vocab_size: followed('rows of the embedding and of the head'),
  d_model: followed('width'),
  d_kv: followed('width of a head'),
  d_ff: followed('width of the feed-forward layer'),
  num_layers: followed('encoder layers'),
  num_decoder_layers: followed('decoder layers'),
  num_heads: followed('heads'),
  relative_attention_num_buckets: followed('buckets of relative positions'),
  relative_attention_max_distance: followed('distance from which on all share a bucket'),
  layer_norm_epsilon: followed('ε of the norms'),
  feed_forward_proj: followed('feed-forward layer'),
  dense_act_fn: followed('its function; wins over feed_forward_proj'),
  is_gated_act: followed('whether it is gated; wins over feed_forward_proj'),
  tie_word_embeddings: followed('whether the head is the embedding and scales'),
  scale_decoder_outputs: followed('whether the head scales'),
  ...Object.fromEntries(Object.entries(ALIASES).map(([alias, name]) => [alias, followed(`${name}, and wins over it`)])),
  architectures: followed('family, where model_type is not stated'),
  transformers_version: followed('what tie_word_embeddings of an mT5 means'),
  quantization_config: followed('how the weights are stored; see its own keys'),
  is_encoder_decoder: irrelevant(TENSORS),
  is_decoder: irrelevant(TENSORS),
  add_cross_attention: irrelevant(TENSORS),
  cross_attention_hidden_size: irrelevant(TENSORS),
  tie_encoder_decoder: irrelevant(TENSORS),
  pruned_heads: { refused: 'every layer has all its heads', off: isNothing },
  per_layer_config: { refused: 'all layers have one shape', off: isNothing },
  // What a text may be.
  n_positions: followed('length of the sources that the model was made for: longer ones are decoded all the same'),
  prefix: irrelevant('pipelines alone read it; the option prefix puts text before every input'),
  task_specific_params: irrelevant('pipelines alone read it'),
  tokenizer_class: irrelevant('the files of the tokenizer say it'),
  sep_token_id: irrelevant('no T5 has a separator'),
  // Types and memory.
  dtype: irrelevant('tensors are stored with their types; the option dtype chooses the type in memory'),
  torch_dtype: irrelevant('tensors are stored with their types; the option dtype chooses the type in memory'),
  use_bfloat16: irrelevant('for TensorFlow'),
  chunk_size_feed_forward: irrelevant('the same sums in parts'),
  gradient_checkpointing: irrelevant(TRAINING),
  // Training.
  dropout_rate: irrelevant(TRAINING),
  initializer_factor: irrelevant(TRAINING),
  tf_legacy_loss: irrelevant(TRAINING),
  finetuning_task: irrelevant(TRAINING),
  // Classifiers.
  classifier_dropout: irrelevant(CLASSES),
  id2label: irrelevant(CLASSES),
  label2id: irrelevant(CLASSES),
  num_labels: irrelevant(CLASSES),
  problem_type: irrelevant(CLASSES),
  // How Python computes.
  attn_implementation: irrelevant(PYTHON),
  _attn_implementation: irrelevant(PYTHON),
  _attn_implementation_autoset: irrelevant(PYTHON),
  experts_implementation: irrelevant(PYTHON),
  return_dict: irrelevant(PYTHON),
  torchscript: irrelevant(PYTHON),
  output_past: irrelevant(PYTHON),
  auto_map: irrelevant('code of a checkpoint is never run'),
  rope_scaling: irrelevant(ROTARY),
  rope_theta: irrelevant(ROTARY),
  rope_parameters: irrelevant(ROTARY),
  // Where it comes from.
  _name_or_path: irrelevant(ORIGIN),
  name_or_path: irrelevant(ORIGIN),
  _commit_hash: irrelevant(ORIGIN),
};
