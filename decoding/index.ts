export type { SamplerParts } from './acceptance';
export type { CostTable } from './adaptive';
export { Batch, type BatchEvent, type BatchOptions, generateBatch } from './batch';
export {
  type BeamMetrics,
  type BeamSearchRequest,
  type BeamSearchResult,
  beamSearch,
} from './beam';
export type { FinishedBeam } from './beam-selection';
export type { BeamDrafter, BeamSettings, EarlyStopping } from './beam-settings';
export { type MeasureOptions, measureCosts } from './costs';
export { type Distribution, type Draw, oneHot, sample } from './distribution';
export {
  type Drafter,
  type DraftRequest,
  type DraftSession,
  type DraftTurn,
  earlyExitDrafter,
  modelDrafter,
} from './drafter';
export { copyDrafter } from './drafters/copy';
export { NgramTable, ngramDrafter } from './drafters/ngram';
export { type DraftName, type DraftSources, namedDrafter, parseDrafter } from './drafters/parse';
export { firstOf, randomDrafter } from './drafters/simple';
export { DecodingError, type DecodingErrorCode } from './errors';
export { type GenerationRequest, generate } from './generate';
export type { Metrics } from './metrics';
export { type Random, seededRandom } from './random';
export type { GenerationResult, Pair, SequenceRequest, StopReason, TokenEvent, TokenOrigin } from './round';
export type { Processing, Settings, Verification } from './settings';
export * as theory from './theory';
export { readTrace, replayed, type Trace, type TracedRound, TraceRecorder } from './trace';
