import { TandemError } from '../../common';

/** Stands for the reference backend, which the site leaves out (`withoutParts` of build/plugins.mjs). */
export function createReferenceBackend(): never {
  throw new TandemError(
    'unavailable',
    'reference: expected wasm, which the explorer decodes with, found the reference',
  );
}
