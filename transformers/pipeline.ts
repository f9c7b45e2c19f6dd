import { quoted, TandemError } from '../common';
import { tokenizerOf } from './auto';
import { Callable } from './callable';
import { open } from './files';
import { type GenerateParameters, loadT5, type ModelOptions, type T5ForConditionalGeneration } from './model';
import type { PreTrainedTokenizer } from './tokenizer';

/** Tasks of transformers.js that a T5 does. `translation_xx_to_yy` names the languages, for the prefix that the checkpoint states. */
export type PipelineTask =
  | 'text2text-generation'
  | 'translation'
  | `translation_${string}_to_${string}`
  | 'summarization';

export type PipelineOptions = ModelOptions;

/** What a pipeline calls its text. */
const KEYS = {
  'text2text-generation': 'generated_text',
  translation: 'translation_text',
  summarization: 'summary_text',
} as const;

/** What a pipeline gives for a task: one object for each sequence. */
export type PipelineOutput<Task extends PipelineTask> = Task extends 'text2text-generation'
  ? { generated_text: string }[]
  : Task extends 'summarization'
    ? { summary_text: string }[]
    : { translation_text: string }[];

/** Models of T5's own that stand for what transformers.js takes without a name. */
const DEFAULT_MODELS: Readonly<Record<keyof typeof KEYS, string | null>> = {
  'text2text-generation': 'google/flan-t5-small',
  translation: 'google-t5/t5-small',
  summarization: null,
};

/** New tokens of a pipeline's call that says no length, as in transformers.js. */
const MAX_NEW_TOKENS = 256;

/** Text in, text out: tokenizer, prefix of the task, model. */
export class Text2TextGenerationPipeline<Task extends PipelineTask = 'text2text-generation'> extends Callable<
  [texts: string | readonly string[], parameters?: Omit<GenerateParameters, 'input_ids' | 'inputs' | 'attention_mask'>],
  Promise<PipelineOutput<Task>>
> {
  /** @internal Programs call `pipeline`. */
  constructor(
    readonly task: Task,
    readonly model: T5ForConditionalGeneration,
    readonly tokenizer: PreTrainedTokenizer,
  ) {
    super();
  }

  override async _call(
    texts: string | readonly string[],
    parameters: Omit<GenerateParameters, 'input_ids' | 'inputs' | 'attention_mask'> = {},
  ): Promise<PipelineOutput<Task>> {
    const list = typeof texts === 'string' ? [texts] : texts;
    if (!Array.isArray(list) || list.some((text) => typeof text !== 'string')) {
      throw new TandemError(
        'argument-invalid',
        `${this.task}: expected a text or a list of texts, found ${quoted(texts)}`,
      );
    }
    if (list.length === 0) return [] as unknown as PipelineOutput<Task>;
    const prefixed = list.map((text) => this.prefix + text);
    const inputs = this.tokenizer(prefixed, { padding: true, truncation: true });
    const { sequences } = await this.model.generate({
      max_new_tokens: MAX_NEW_TOKENS,
      ...parameters,
      ...inputs,
      return_dict_in_generate: true,
    });
    const key = KEYS[kindOf(this.task)];
    const outputs = this.tokenizer
      .batch_decode(sequences, { skip_special_tokens: true })
      .map((text) => ({ [key]: text }));
    return outputs as PipelineOutput<Task>;
  }

  /** Frees the model. */
  dispose(): Promise<void> {
    return this.model.dispose();
  }

  /** Text before every input: what config.json states for all tasks, then what `task_specific_params` states for this one. */
  private get prefix(): string {
    const { prefix, task_specific_params } = this.model.config;
    const ofTask = (task_specific_params as Record<string, { prefix?: unknown }> | null | undefined)?.[this.task]
      ?.prefix;
    return [ofTask, prefix].filter((text) => typeof text === 'string').join('');
  }
}

/**
 * Loads a model and its tokenizer for a task.
 *
 * ```ts
 * const translator = await pipeline('translation_en_to_de', 'google-t5/t5-base', { dtype: 'q8', draft: 'self' });
 * const [{ translation_text }] = await translator('The house is wonderful.');
 * ```
 *
 * @param model a directory, a hub id or an address
 * @throws TandemError `option-invalid` or `argument-invalid`; WeightsError, KernelError or EngineError
 */
export async function pipeline<Task extends PipelineTask>(
  task: Task,
  model?: string | null,
  options: PipelineOptions = {},
): Promise<Text2TextGenerationPipeline<Task>> {
  const usual = DEFAULT_MODELS[kindOf(task)];
  const name = model ?? usual;
  if (name === null) {
    throw new TandemError(
      'argument-invalid',
      `${task}: expected the name of a model, found none; transformers.js takes one that is no T5`,
    );
  }
  const checkpoint = await open(name, options, false);
  try {
    const tokenizer = await tokenizerOf(checkpoint);
    const callback = options.progress_callback;
    const progress_callback = callback && ((info: Parameters<typeof callback>[0]) => callback({ ...info, task }));
    return new Text2TextGenerationPipeline(
      task,
      await loadT5(checkpoint, { ...options, progress_callback }),
      tokenizer,
    );
  } finally {
    await checkpoint.dispose();
  }
}

function kindOf(task: string): keyof typeof KEYS {
  if (Object.hasOwn(KEYS, task)) return task as keyof typeof KEYS;
  if (/^translation_[^_]+_to_[^_]+$/.test(task)) return 'translation';
  throw new TandemError(
    'option-invalid',
    `task: expected ${Object.keys(KEYS).join(', ')} or translation_xx_to_yy, found ${quoted(task)}`,
  );
}
