export { storedDtype, vocabularyDtype } from './dtypes';
export { EngineError, type EngineErrorCode } from './errors';
export type { Observe } from './forward';
export type { LoadProgress } from './load';
export { loadModel, type ModelOptions } from './model';
export { type FileDtype, type QuantizeOptions, quantizeCheckpoint } from './quantize';
export { allIds } from './source';
export type {
  AttentionMaps,
  DecoderRow,
  DecoderStream,
  Encoded,
  EncoderOptions,
  EncodingProgress,
  ForwardOptions,
  LogitsView,
  MaskedSource,
  SequenceModel,
  Source,
  T5Model,
} from './types';
