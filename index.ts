/**
 * Exact speculative decoding for T5.
 *
 * `Tandem.load()` gives a pair to decode with; the rest is for those who bring their own models, drafters or backends.
 *
 * @packageDocumentation
 */
export {
  type Comparison,
  type GenerateOptions,
  type GenerateResult,
  type LoadOptions,
  type StreamedToken,
  Tandem,
  VERSION,
} from './api';
export {
  DecodingError,
  type DecodingErrorCode,
  type Distribution,
  type Drafter,
  type Draw,
  type GenerationRequest,
  type GenerationResult,
  generate,
  type Metrics,
  modelDrafter,
  type Processing,
  type Random,
  type SamplerParts,
  type Settings,
  type StopReason,
  seededRandom,
  type TokenEvent,
  type TokenOrigin,
} from './decoding';
export {
  type DecoderRow,
  type DecoderStream,
  type Encoded,
  EngineError,
  type EngineErrorCode,
  type ForwardOptions,
  type LoadProgress,
  type LogitsView,
  loadModel,
  type ModelOptions,
  type SequenceModel,
  type T5Model,
} from './engine';
export {
  type ActivationKind,
  type Backend,
  type BackendFacts,
  type BackendName,
  type BackendOptions,
  type BackendProbe,
  type Bias,
  createBackend,
  KernelError,
  type KernelErrorCode,
  type KvCache,
  type Logits,
  type Norm,
  type Plan,
  type PlanSpec,
  probeBackends,
  type StoredType,
  type Tensor,
  type TopK,
  type Vector,
  type Weight,
  type WeightType,
} from './kernels';
export {
  type ByteSource,
  type Checkpoint,
  type FeedForward,
  type ModelFamily,
  openCheckpoint,
  type SafetensorsType,
  type T5Config,
  type TensorInfo,
  type TextStream,
  type Tokenizer,
  WeightsError,
  type WeightsErrorCode,
} from './weights';
