export { AutoModelForSeq2SeqLM, AutoTokenizer } from './auto';
export { Callable } from './callable';
export { env } from './env';
export type { JsonObject, PretrainedOptions, ProgressInfo } from './files';
export type { GenerationParameters, OwnSettings } from './generation';
export { type GenerateParameters, type ModelOptions, T5ForConditionalGeneration } from './model';
export {
  type PipelineOptions,
  type PipelineOutput,
  type PipelineTask,
  pipeline,
  Text2TextGenerationPipeline,
} from './pipeline';
export {
  EosTokenCriteria,
  InterruptableStoppingCriteria,
  MaxLengthCriteria,
  type SequenceIds,
  StoppingCriteria,
  StoppingCriteriaList,
} from './stopping-criteria';
export { BaseStreamer, TextStreamer, type TextStreamerOptions } from './streamers';
export { type IdRow, type Ids, type Nested, Tensor } from './tensor';
export { type DecodeKwargs, type Encoding, PreTrainedTokenizer, type TokenizeOptions } from './tokenizer';
