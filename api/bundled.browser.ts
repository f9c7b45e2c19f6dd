import { WeightsError } from '../weights';
import type { BundledPair } from './pair';

/** As in Node. A page cannot read the package's directory, so it says where it serves the pair. */
export async function bundledPair(): Promise<BundledPair> {
  throw new WeightsError(
    'not-found',
    'model: expected a model, or `bundledUrl` with the address at which this page serves the models/ of tandem-t5, found neither; ' +
      "for example Tandem.load(undefined, { bundledUrl: '/models/' })",
  );
}
