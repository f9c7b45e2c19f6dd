export { AutoModelForSeq2SeqLM, AutoTokenizer } from './auto';
export { Callable } from './callable';
export { env } from './env';
export type { JsonObject, PretrainedOptions, ProgressInfo } from './files';
export type { GenerationParameters } from './generation';
export { type GenerateParameters, type ModelOptions, T5ForConditionalGeneration } from './model';
export { type PipelineOptions, type PipelineTask, pipeline, Text2TextGenerationPipeline } from './pipeline';
export {
  EosTokenCriteria,
  InterruptableStoppingCriteria,
  MaxLengthCriteria,
  type SequenceIds,
  StoppingCriteria,
  StoppingCriteriaList,
} from './stopping-criteria';
export { BaseStreamer, TextStreamer, type TextStreamerOptions } from './streamers';
export { type Ids, Tensor } from './tensor';
export { type DecodeKwargs, type Encoding, PreTrainedTokenizer, type TokenizeOptions } from './tokenizer';
