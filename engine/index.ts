export { EngineError, type EngineErrorCode } from './errors';
export type { Observe } from './forward';
export type { LoadProgress } from './load';
export { loadModel, type ModelOptions } from './model';
export { type QuantizeOptions, quantizeCheckpoint } from './quantize';
export type {
  DecoderRow,
  DecoderStream,
  Encoded,
  ForwardOptions,
  LogitsView,
  SequenceModel,
  T5Model,
} from './types';
