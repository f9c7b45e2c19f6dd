export { bundledPair } from './bundled.node';
export { comparison } from './comparison';
export { costFolder, type FoundCosts, forgetCosts, listCosts } from './costs/store.node';
export { draftOfSelf, parseDraft, withFirst } from './drafts/names';
export type { DraftModel, DraftName, DraftSelf, DraftSource, ModelSource } from './drafts/types';
export { EMBED_OPTIONS, type EmbedOptions } from './embed-options';
export {
  COMPARE_OPTIONS,
  checkGenerate,
  checkGiven,
  GENERATE_OPTIONS,
  LOAD_OPTIONS,
  MEASURE_OPTIONS,
} from './options';
export type { BundledPair } from './pair';
export { sequenceName } from './run';
export { SCORE_OPTIONS, type Score, type ScoreOptions } from './score-options';
export { type OpenedModel, type OpenRequest, openModel } from './sources/open';
export type { TokenStream } from './stream';
export { Tandem } from './tandem';
export type { DecodeIdsOptions, EncodeInputOptions } from './text-options';
export type {
  BatchResult,
  CompareOptions,
  Comparison,
  EngineFacts,
  FailedResult,
  GenerateOptions,
  Input,
  LoadedParts,
  LoadOptions,
  MaskedInput,
  MeasureCostsOptions,
  ModelFacts,
  Notice,
  Progress,
  Result,
  Sequence,
  StreamEvent,
  TokenStreamEvent,
} from './types';
export { VERSION } from './version';
