import type { Checkpoint } from '../weights';
import { open, type PretrainedOptions, readJson } from './files';
import { loadT5, type ModelOptions, type T5ForConditionalGeneration } from './model';
import { PreTrainedTokenizer } from './tokenizer';

/** Opens tokenizers. */
export const AutoTokenizer = {
  /**
   * The tokenizer of a T5, from a directory, a hub id or an address. Of a model on the hub it downloads no weights.
   *
   * @throws WeightsError; TandemError `option-invalid`
   */
  async from_pretrained(name: string, options: PretrainedOptions = {}): Promise<PreTrainedTokenizer> {
    const checkpoint = await open(name, options, true);
    try {
      return await tokenizerOf(checkpoint);
    } finally {
      await checkpoint.dispose();
    }
  },
};

/** Loads T5s: T5 v1.0 and v1.1, Flan-T5, mT5, umT5, ByT5, … */
export const AutoModelForSeq2SeqLM = {
  /**
   * Loads the model of a directory, a hub id or an address. Call `dispose` when it is not needed any more.
   *
   * @throws TandemError `option-invalid`; WeightsError, KernelError or EngineError when the checkpoint is broken or does not fit
   */
  async from_pretrained(name: string, options: ModelOptions = {}): Promise<T5ForConditionalGeneration> {
    const checkpoint = await open(name, options, false);
    try {
      return await loadT5(checkpoint, options);
    } finally {
      await checkpoint.dispose();
    }
  },
};

/** The tokenizer of a checkpoint with what its settings say of it. */
export async function tokenizerOf(checkpoint: Checkpoint): Promise<PreTrainedTokenizer> {
  const settings = (await readJson(checkpoint, 'tokenizer_config.json')) ?? {};
  const spelling = (key: string, usual: string) => {
    const token = settings[key] as string | { content?: string } | null | undefined;
    return (typeof token === 'string' ? token : token?.content) ?? usual;
  };
  const length = settings.model_max_length;
  return new PreTrainedTokenizer(await checkpoint.tokenizer(), {
    padToken: spelling('pad_token', '<pad>'),
    eosToken: spelling('eos_token', '</s>'),
    unkToken: spelling('unk_token', '<unk>'),
    modelMaxLength: Number.isSafeInteger(length) ? (length as number) : null, // 1e30 is how Hugging Face writes "no limit"
  });
}
