export { type Arbitraries, arbitrariesOf } from './arbitraries';
export { type Decoded, decode, firstDifference } from './bits';
export { type ChiSquared, chiSquared, chiSquaredTail, twoSamples } from './chi-squared';
export {
  addUp,
  enumerate,
  enumeratePaths,
  furthest,
  type Naming,
  type Outcomes,
  type Path,
  type PathStep,
  totalVariation,
} from './enumerator';
export { type Sampler, SOURCE, samplerOutcomes, targetOutcomes } from './exactness';
export {
  type Cell,
  type CellOutcomes,
  cellDistance,
  cellOutcomes,
  coupledTexts,
  DRAFTERS,
  KINDS,
  type MakeDrafter,
  PROCESSORS,
  STOPS,
  type Stop,
} from './grid';
export { checkKernels, type KernelFinding } from './kernels';
export { type Counterexample, checkDrafter, checkRule, checkVerifier, type LawOptions, type LawReport } from './law';
export { type Family, type Finding, MUTANT_FAMILIES, MUTANTS, type Mutant, type WrongStep } from './mutants';
export { type ChainVerdict, onChain, type Verify } from './small-loop';
export { counted, encodedOnce, exact } from './statistics';
export { randomTable, type TableKind, type TableModel, type TableOptions, tableModel } from './table-model';
