import { TandemError } from '../../common';

/** Stands for the gpu backend, which the site leaves out (`withoutParts` of build/plugins.mjs). */
export async function createGpuBackend(): Promise<never> {
  throw new TandemError(
    'unavailable',
    'gpu: expected wasm, which the explorer decodes with, found that gpu was asked for',
  );
}
