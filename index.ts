/**
 * Exact speculative decoding for T5.
 *
 * `Tandem.load()` gives a pair of models to decode with. The parts below it, for ids in and ids out, are in `tandem-t5/core`.
 *
 * @module tandem-t5
 * @packageDocumentation
 */
export {
  type BatchResult,
  COMPARE_OPTIONS,
  type CompareOptions,
  type Comparison,
  type DecodeIdsOptions,
  type DraftModel,
  type DraftName,
  type DraftSelf,
  type DraftSource,
  EMBED_OPTIONS,
  type EmbedOptions,
  type EncodeInputOptions,
  type EngineFacts,
  type FailedResult,
  GENERATE_OPTIONS,
  type GenerateOptions,
  type Input,
  LOAD_OPTIONS,
  type LoadedParts,
  type LoadOptions,
  type MaskedInput,
  MEASURE_OPTIONS,
  type MeasureCostsOptions,
  type ModelFacts,
  type ModelSource,
  type Notice,
  type Progress,
  type Result,
  SCORE_OPTIONS,
  type Score,
  type ScoreOptions,
  type Sequence,
  type StreamEvent,
  Tandem,
  type TokenStream,
  type TokenStreamEvent,
  VERSION,
} from './api';
export { type ErrorCode, type OptionEntry, type OptionTable, TandemError } from './common';
export {
  type BeamMetrics,
  type CostTable,
  DecodingError,
  type Drafter,
  type EarlyStopping,
  type LogProb,
  type Metrics,
  type RoundFacts,
  type StopReason,
  type TokenLogProb,
  type TokenOrigin,
  type Trace,
  TraceRecorder,
  type Verification,
} from './decoding';
export { type EncodingProgress, EngineError } from './engine';
export { type BackendName, type BackendProbe, type Dtype, KernelError, probeBackends } from './kernels';
export {
  type Checkpoint,
  type FileContent,
  type FileSet,
  type HubNotice,
  type ModelFiles,
  type RetryNotice,
  type T5Config,
  WeightsError,
} from './weights';
