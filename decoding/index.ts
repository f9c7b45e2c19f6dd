export { Batch, type BatchOptions, generateBatch } from './batch';
export type { BeamMetrics, BeamSearchRequest, BeamSearchResult } from './beam/search';
export { beamSearch } from './beam/search';
export type { FinishedBeam } from './beam/selection';
export type { BeamDrafter, BeamProcessing, BeamSettings, EarlyStopping } from './beam/settings';
export { BEAM_ONLY, BEAM_SETTINGS } from './beam/settings';
export { type MeasureOptions, measureCosts } from './costs';
export { type CopyOptions, copyDrafter } from './drafters/copy';
export {
  type Drafter,
  type DraftRequest,
  type DraftSession,
  type DraftStopping,
  type DraftTurn,
  proposeAll,
} from './drafters/drafter';
export { firstOf } from './drafters/first-of';
export type { FirstStage } from './drafters/first-stage';
export { earlyExitDrafter, modelDrafter, selfDrafter } from './drafters/model';
export { type NgramOptions, NgramTable, ngramDrafter } from './drafters/ngram';
export { randomDrafter } from './drafters/random';
export { withVocabulary } from './drafters/vocabulary';
export { DecodingError, type DecodingErrorCode } from './errors';
export { collect, type GenerationEvent } from './events';
export { adaptiveGamma, type CostTable, type GammaChooser, rowCost } from './gamma/adaptive';
export type { Confidence } from './gamma/confidence';
export type { KeptPoint } from './gamma/curve';
export type { KeptWay, TimedRound, WayCosts } from './gamma/learnt';
export { COST_WAYS, type CostWay, type KeptCosts, PairCosts } from './gamma/pair-costs';
export * as published from './gamma/published';
export { type SmoothedCosts, smoothed } from './gamma/smoothed';
export * as theory from './gamma/theory';
export { checkAuto, type DraftingWay, draftingWay } from './gamma/way';
export { type GenerationRequest, generate } from './generate';
export { addTallies, type Metrics, type MetricsOptions, measuredSpeedup, metricsOf, type Tally } from './metrics';
export {
  type LogitsProcessor,
  type LogitsRules,
  type PrefixAllowedTokens,
  type Processing,
  type SequenceBias,
  TRUNCATIONS,
} from './processing';
export { NOT_FOLLOWED } from './processing-refused';
export { chain, type Proposal, type ProposedToken, ROOT } from './proposal';
export type { GenerationResult, Pair, SequenceRequest, StopReason, TokenReading } from './run';
export { type Distribution, normalised, oneHot, overlap, probabilityOf } from './sampling/distribution';
export { type Draw, mostProbable, race, sample, sampleWithoutReplacement } from './sampling/draw';
export type { LogProb, TokenLogProb } from './sampling/log-probs';
export { distributionOf } from './sampling/processors';
export type { RaceNumbers } from './sampling/race';
export {
  type Address,
  type ExponentialNumbers,
  inverse,
  type Place,
  type Position,
  type Purpose,
  type Random,
  seededRandom,
} from './sampling/random';
export type { Context } from './sampling/rules';
export { type ScoreRequest, scoreTargets, type TargetScore } from './score';
export {
  CONCURRENCY,
  DEFAULTS,
  SETTINGS,
  type Settings,
  type Verification,
} from './settings';
export { SharedBatch, type SharedBatchOptions } from './shared-batch';
export {
  type Choice,
  type RoundFacts,
  readTrace,
  replayGammas,
  replayRandom,
  type TopEntries,
  type Trace,
  type TracedDraft,
  type TracedRound,
  TraceRecorder,
} from './trace';
export type { NewToken, TokenOrigin } from './verification/accept';
export { blockResidual, verifyBlock } from './verification/block';
export { verifyCoupled } from './verification/coupled';
export { accepts, PAPERS_RULE, residual, type TokenRule, type Verdict, verifyTokens } from './verification/token';
export { verifySiblings } from './verification/tree';
