import type { Backend } from '../../kernels';
import { type Limits, scalarLimits } from './scalarProbe';
import { type WasmProbeLevel, wasmLimits } from './wasmProbe';

/** The machine's limits, measured with the technology that the backend computes with and as many threads. */
export async function limitsOf(backend: Backend, quick: boolean): Promise<Limits> {
  const rounds = quick ? 3 : 8;
  const { name, threads, level } = backend.facts;
  if (name === 'wasm') return wasmLimits(rounds, threads, level as WasmProbeLevel);
  if (name === 'gpu') return (await import('./gpuProbe')).gpuLimits(rounds, level);
  return scalarLimits(rounds);
}
