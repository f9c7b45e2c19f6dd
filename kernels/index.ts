export type {
  ActivationKind,
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
export { decodeStored, f32ToBf16, STORED_BYTES } from './shared/float';
export { Q8_BLOCK, q8Blocks, quantizeRows } from './shared/q8';
export { createWasmBackend, type LevelFinding, probeLevel, type WasmBackendOptions, type WasmLevel } from './wasm';
