export { WeightsError, type WeightsErrorCode } from './errors';
export type {
  ByteSource,
  Checkpoint,
  FeedForward,
  ModelFamily,
  SafetensorsType,
  T5Config,
  TensorInfo,
  TextStream,
  Tokenizer,
} from './types';
