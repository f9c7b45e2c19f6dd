/** What `tandem bench` ships of the benches: cases, limits and the picture, with nothing that only developers install. */
export { type Bench, type Figure, figureOf, prepare } from './harness/figures';
export type { KernelBench } from './harness/kernelBench';
export { type RooflineSeries, roofline } from './harness/roofline';
export { type Limits, scalarLimits } from './harness/scalarProbe';
export { type WasmProbeLevel, wasmLimits } from './harness/wasmProbe';
export { KERNEL_BENCHES } from './kernels';
