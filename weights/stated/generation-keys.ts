import { isNothing } from './statement';

/** How a call decodes: by beams, by sampling, or greedily. A key of one way has no effect on another. */
export type Way = 'beams' | 'sampling' | 'greedy';

/** What is done with a key of generation_config.json. */
export type GenerationKey =
  /** It is the start of a setting, which a caller's own value replaces. */
  | {
      readonly setting: string;
      /** The values that ask for nothing, besides null. */
      readonly off?: (value: unknown) => boolean;
      /** The setting's value. Default: the key's own. */
      readonly convert?: (value: unknown) => unknown;
      /** The only way of decoding that has it. */
      readonly way?: Way;
    }
  /** It is part of the model's config. */
  | { readonly model: string }
  /** It chooses between ways of decoding. */
  | { readonly chooses: string }
  | { readonly irrelevant: string }
  | { readonly refused: string; readonly off?: (value: unknown) => boolean; readonly way?: Way };

const is =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value);
const lessOne = (value: unknown) => (typeof value === 'number' ? value - 1 : value);
const CACHE = 'caches are kept as the engine needs them; no text depends on it';
const OUTPUT = 'says what Python gets back';
const ASSISTANT = 'texts are the same with any draft; what drafts is an option of loading';
const COMPILER = 'for PyTorch';

/**
 * Every key of Hugging Face's `GenerationConfig`. Names, meaning and the values that mean "off" are those of
 * `generation/configuration_utils.py` and of `_get_logits_processor` in `generation/utils.py`.
 */
export const GENERATION_KEYS: Readonly<Record<string, GenerationKey>> = {
  // Lengths. Those of Hugging Face count the start token.
  max_new_tokens: { setting: 'maxNewTokens' },
  max_length: { setting: 'maxNewTokens', convert: lessOne },
  min_new_tokens: { setting: 'minNewTokens', off: is(0) },
  min_length: { setting: 'minNewTokens', off: is(0, 1), convert: lessOne },
  max_time: { refused: 'texts do not depend on the time they take; an abort signal ends a call' },
  stop_strings: { setting: 'stop', off: isNothing, convert: (value) => (typeof value === 'string' ? [value] : value) },
  // Special tokens.
  decoder_start_token_id: { model: 'the first decoder id' },
  bos_token_id: { model: 'the first decoder id where decoder_start_token_id is not stated' },
  eos_token_id: { model: 'ids that end a sequence' },
  pad_token_id: { irrelevant: 'nothing is padded: rows of different lengths are computed as they are' },
  forced_bos_token_id: { setting: 'forcedBosToken' },
  forced_eos_token_id: { setting: 'forcedEosToken', off: isNothing },
  // Rules for logits.
  repetition_penalty: { setting: 'repetitionPenalty', off: is(1) },
  encoder_repetition_penalty: { setting: 'encoderRepetitionPenalty', off: is(1) },
  no_repeat_ngram_size: { setting: 'noRepeatNgramSize', off: is(0) },
  encoder_no_repeat_ngram_size: { setting: 'encoderNoRepeatNgramSize', off: is(0) },
  bad_words_ids: { setting: 'badWords', off: isNothing },
  sequence_bias: { setting: 'sequenceBias', off: isNothing },
  suppress_tokens: { setting: 'suppressTokens', off: isNothing },
  begin_suppress_tokens: { setting: 'beginSuppressTokens', off: isNothing },
  exponential_decay_length_penalty: { setting: 'exponentialDecayLengthPenalty', off: isNothing },
  renormalize_logits: { setting: 'renormalizeLogits', off: is(false), way: 'beams' },
  remove_invalid_values: { irrelevant: 'a logit that is no number is an error, and minus infinity is probability 0' },
  guidance_scale: { refused: 'there is no second, negative source', off: is(1) },
  watermarking_config: { refused: 'texts are not watermarked' },
  token_healing: { refused: 'the decoder starts at its start token, with nothing to heal', off: is(false) },
  // Sampling.
  do_sample: { chooses: 'whether to sample' },
  temperature: { setting: 'temperature', way: 'sampling' },
  top_k: { setting: 'topK', off: is(0), way: 'sampling' },
  top_p: { setting: 'topP', off: is(1), way: 'sampling' },
  min_p: { setting: 'minP', off: is(0), way: 'sampling' },
  top_h: { setting: 'topH', way: 'sampling' },
  typical_p: { setting: 'typicalP', off: is(1), way: 'sampling' },
  epsilon_cutoff: { setting: 'epsilonCutoff', off: is(0, 1), way: 'sampling' },
  eta_cutoff: { setting: 'etaCutoff', off: is(0, 1), way: 'sampling' },
  penalty_alpha: { refused: 'there is no contrastive search', off: is(0), way: 'greedy' },
  dola_layers: { refused: 'layers are not contrasted', off: isNothing },
  // Beams.
  num_beams: { chooses: 'how many beams; 1 is no beam search' },
  num_return_sequences: { setting: 'numReturnSequences', off: is(1) },
  length_penalty: { setting: 'lengthPenalty', off: is(1), way: 'beams' },
  early_stopping: { setting: 'earlyStopping', off: is(false), way: 'beams' },
  num_beam_groups: { refused: 'there are no groups of beams', off: is(1), way: 'beams' },
  diversity_penalty: { irrelevant: 'only groups of beams have it, and those are refused' },
  constraints: { refused: 'there is no constrained beam search' },
  force_words_ids: { refused: 'there is no constrained beam search' },
  low_memory: { irrelevant: CACHE },
  // Assistants.
  is_assistant: { irrelevant: ASSISTANT },
  num_assistant_tokens: { irrelevant: ASSISTANT },
  num_assistant_tokens_schedule: { irrelevant: ASSISTANT },
  assistant_confidence_threshold: { irrelevant: ASSISTANT },
  assistant_early_exit: { irrelevant: ASSISTANT },
  assistant_lookbehind: { irrelevant: ASSISTANT },
  target_lookbehind: { irrelevant: ASSISTANT },
  assistant_ensemble_weight: { irrelevant: 'only with an assistant; lenience is an option of the caller' },
  prompt_lookup_num_tokens: { irrelevant: ASSISTANT },
  max_matching_ngram_size: { irrelevant: ASSISTANT },
  speculation_type: { irrelevant: ASSISTANT },
  use_mtp: { irrelevant: ASSISTANT },
  // How Python computes, and what it gives back.
  use_cache: { irrelevant: CACHE },
  cache_implementation: { irrelevant: CACHE },
  cache_config: { irrelevant: CACHE },
  max_cache_len: { irrelevant: CACHE },
  return_legacy_cache: { irrelevant: CACHE },
  prefill_chunk_size: { irrelevant: CACHE },
  continuous_batching_config: { irrelevant: CACHE },
  compile_config: { irrelevant: COMPILER },
  disable_compile: { irrelevant: COMPILER },
  output_attentions: { irrelevant: OUTPUT },
  output_hidden_states: { irrelevant: OUTPUT },
  output_logits: { irrelevant: OUTPUT },
  output_scores: { irrelevant: OUTPUT },
  return_dict_in_generate: { irrelevant: OUTPUT },
  // What wrote the file.
  _commit_hash: { irrelevant: 'says where the file comes from' },
  _from_model_config: { irrelevant: 'says where the file comes from' },
  transformers_version: { irrelevant: 'says what wrote the file' },
  force_bos_token_to_be_generated: {
    refused: 'BART alone has it; forced_bos_token_id says which token',
    off: is(false),
  },
};
