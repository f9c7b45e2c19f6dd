export { bundledPair } from './bundled.node';
export { comparison } from './comparison';
export { parseDraft } from './drafts/names';
export {
  COMPARE_OPTIONS,
  checkGenerate,
  checkGiven,
  EMBED_OPTIONS,
  GENERATE_OPTIONS,
  LOAD_OPTIONS,
  MEASURE_OPTIONS,
  SCORE_OPTIONS,
} from './options';
export type { BundledPair } from './pair';
export { sequenceName } from './run';
export type { TokenStream } from './stream';
export { Tandem } from './tandem';
export type { DecodeIdsOptions, EncodeInputOptions } from './text-options';
export type {
  BatchResult,
  CompareOptions,
  Comparison,
  DraftModel,
  DraftName,
  DraftSource,
  EmbedOptions,
  EngineFacts,
  FailedResult,
  GenerateOptions,
  Input,
  LoadedParts,
  LoadOptions,
  MeasureCostsOptions,
  ModelFacts,
  ModelSource,
  Notice,
  Progress,
  Result,
  Score,
  ScoreOptions,
  Sequence,
  StreamEvent,
  TokenStreamEvent,
} from './types';
export { VERSION } from './version';
