export type {
  ActivationKind,
  AttentionPart,
  Backend,
  BackendFacts,
  Bias,
  Dtype,
  KvCache,
  Logits,
  Norm,
  Plan,
  PlanSpec,
  StoredType,
  Tensor,
  TopK,
  Vector,
  Weight,
} from './contract';
export { createCpuBackend } from './cpu';
export { KernelError, type KernelErrorCode } from './errors';
export { createGpuBackend, type GpuCounters, type GpuOptions, gpuCounters } from './gpu';
export type { BackendName, BackendOptions } from './options';
export { createReferenceBackend } from './reference';
export { type BackendProbe, createBackend, probeBackends } from './registry';
export { expFalling, exponentialOf } from './sampling/elementary';
export {
  type NumberRow,
  openSamplingKernel,
  type SamplingKernel,
  samplingKernel,
} from './sampling/wasm';
export { decodeRows, decodeStored, f32ToBf16, type StoredValueType, storedRowBytes, words32 } from './shared/float';
export { quantizeRowsQ4 } from './shared/q4';
export { quantizeRows } from './shared/q8';
export { BLOCK, blocksOf } from './shared/queries';
export { WEIGHT_TYPES } from './shared/storage';
export {
  createWasmBackend,
  type LevelFinding,
  MOST_DEFAULT_THREADS,
  probeLevel,
  type WasmBackendOptions,
  type WasmLevel,
} from './wasm';
