export { bundledPair } from './bundled.node';
export { comparison } from './comparison';
export type { BundledPair } from './pair';
export { Tandem } from './tandem';
export type {
  BatchGenerateOptions,
  BatchProgress,
  BeamSearchOptions,
  Comparison,
  GenerateOptions,
  GenerateResult,
  LoadOptions,
  StreamedToken,
  TextBeams,
} from './types';
export { VERSION } from './version';
