import { isNothing, type TreatmentTable } from './statement';

const PYTHON = 'says how Python finds or builds the tokenizer';
const LENGTHS = 'sources are neither padded nor cut by it';
const CHATS = 'for chats';

const followed = (what: string) => ({ followed: what }) as const;
const irrelevant = (why: string) => ({ irrelevant: why }) as const;

const SPECIAL = followed('its id, where text or ids name it');

/** Tokens that a tokenizer names by what they are for: all of special_tokens_map.json, and part of tokenizer_config.json. */
export const SPECIAL_TOKEN_KEYS: TreatmentTable = {
  eos_token: followed('ends a source'),
  unk_token: SPECIAL,
  pad_token: SPECIAL,
  bos_token: SPECIAL,
  sep_token: SPECIAL,
  cls_token: SPECIAL,
  mask_token: SPECIAL,
  additional_special_tokens: followed('sentinels and other special tokens'),
  extra_special_tokens: followed('sentinels and other special tokens'),
};

/** Every key of tokenizer_config.json that Hugging Face's T5 and ByT5 tokenizers and their base know. */
export const TOKENIZER_CONFIG_KEYS: TreatmentTable = {
  ...SPECIAL_TOKEN_KEYS,
  tokenizer_class: followed('the kind of tokenizer'),
  added_tokens_decoder: followed('added tokens, where the file of the tokenizer does not have them'),
  extra_ids: followed('number of sentinels'),
  legacy: followed('whether text after a special token begins with a space'),
  add_prefix_space: followed('whether text begins with a space'),
  clean_up_tokenization_spaces: followed('spaces before punctuation in texts that come out'),
  clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: followed(
    'whether spaces are cleaned up in what a byte-level tokenizer gives too',
  ),
  model_max_length: followed('length of the sources that the model was made for: longer ones are decoded all the same'),
  max_len: irrelevant('an old name of model_max_length'),
  add_bos_token: irrelevant('no T5 begins a source with BOS'),
  add_eos_token: irrelevant('every T5 ends a source with EOS'),
  split_special_tokens: irrelevant('the option parseSpecial says whether special tokens are read in text'),
  sp_model_kwargs: { refused: 'SentencePiece samples with such options; the best pieces are taken', off: isNothing },
  _spm_precompiled_charsmap: irrelevant('the file of the tokenizer has it'),
  model_specific_special_tokens: irrelevant('other names for tokens that the tokenizer has'),
  padding_side: irrelevant(LENGTHS),
  truncation_side: irrelevant(LENGTHS),
  model_input_names: irrelevant(PYTHON),
  vocab_file: irrelevant(PYTHON),
  tokenizer_file: irrelevant(PYTHON),
  special_tokens_map_file: irrelevant(PYTHON),
  name_or_path: irrelevant(PYTHON),
  init_inputs: irrelevant(PYTHON),
  auto_map: irrelevant('code of a checkpoint is never run'),
  backend: irrelevant(PYTHON),
  device_map: irrelevant(PYTHON),
  files_loaded: irrelevant(PYTHON),
  from_slow: irrelevant(PYTHON),
  is_local: irrelevant(PYTHON),
  local_files_only: irrelevant(PYTHON),
  slow_tokenizer_class: irrelevant(PYTHON),
  __slow_tokenizer: irrelevant(PYTHON),
  use_fast: irrelevant(PYTHON),
  processor_class: irrelevant(PYTHON),
  verbose: irrelevant(PYTHON),
  chat_template: irrelevant(CHATS),
  chat_control_tokens: irrelevant(CHATS),
  response_schema: irrelevant(CHATS),
  response_template: irrelevant(CHATS),
};

/** Members of tokenizer.json. */
export const TOKENIZER_FILE_KEYS: TreatmentTable = {
  version: irrelevant('there is one version'),
  truncation: irrelevant(LENGTHS),
  padding: irrelevant(LENGTHS),
  added_tokens: followed('special and added tokens'),
  normalizer: followed('normalises text'),
  pre_tokenizer: followed('splits text'),
  post_processor: followed('adds EOS'),
  decoder: followed('puts pieces together'),
  model: followed('pieces and their scores'),
};

/** Members of one added token, in tokenizer.json and in `added_tokens_decoder`. */
export const ADDED_TOKEN_KEYS: TreatmentTable = {
  id: followed('its id'),
  content: followed('its text'),
  single_word: followed('only between words'),
  lstrip: followed('takes white space before it'),
  rstrip: followed('takes white space after it'),
  normalized: followed('sought in normalised text'),
  special: followed('left out of texts that come out'),
  __type: irrelevant(PYTHON),
};
