export { openFileSet } from './checkpoint';
export { type CheckpointFile, type TensorStream, weightsFiles } from './checkpoint-writer';
export { openCheckpoint } from './directory.node';
export { WeightsError, type WeightsErrorCode } from './errors';
export { parseObject } from './fields';
export { type FileContent, type FileSet, fileSet, type ModelFiles } from './file-set';
export type { RetryNotice } from './http/retry';
export { fromPretrained } from './hub/index.node';
export type { DownloadProgress, FromPretrainedOptions, HubNotice } from './hub/options';
export { packedMetadata } from './packed';
export { hasDecoder, type ResolvedTensors, resolveTensors } from './resolve';
export { MAX_HEADER } from './safetensors/header';
export type { TensorData } from './safetensors/writer';
export { blobSource, bufferSource, type HttpSourceOptions, httpSource } from './source';
export {
  GENERATION_KEYS,
  type GenerationKey,
  type GenerationStart,
  type Outcome,
  type RefusedKey,
  readGeneration,
  type StatedSetting,
  type Statement,
  type Way,
} from './stated';
export type {
  AttentionTensors,
  DecoderBlockTensors,
  EncoderBlockTensors,
  FeedForwardTensors,
  T5Tensors,
  TensorRole,
  TensorShape,
} from './tensors';
export { EMBEDDING_NAMES, HEAD_NAME, rowOrderName, rowScaleName, t5Shapes, t5Tensors } from './tensors';
export { firstVocabularyDifference } from './tokenizer';
export type {
  ActivationName,
  ByteSource,
  Checkpoint,
  DecodeOptions,
  EmbeddingStep,
  EmbeddingSteps,
  EncodeOptions,
  FeedForward,
  IncrementalDecoder,
  ModelFamily,
  Pooling,
  SafetensorsType,
  StoredTensor,
  T5Config,
  TensorInfo,
  Tokenizer,
} from './types';
