import { WeightsError } from '../weights';
import type { BundledPair } from './pair';

/** A page has no package directory to look in. */
export async function bundledPair(): Promise<BundledPair> {
  throw new WeightsError(
    'not-found',
    'target: expected a checkpoint to be named (a browser has no bundled pair), found none',
  );
}
