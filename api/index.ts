export { bundledPair } from './bundled.node';
export { comparison } from './comparison';
export type { BundledPair } from './pair';
export { Tandem } from './tandem';
export type { Comparison, GenerateOptions, GenerateResult, LoadOptions, StreamedToken } from './types';
export { VERSION } from './version';
