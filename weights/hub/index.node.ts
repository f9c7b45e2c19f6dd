import type { Checkpoint } from '../types';
import type { FromPretrainedOptions } from './options';
import { openPretrained } from './pretrained.node';

/**
 * Opens a checkpoint: a local directory, or a model on the Hugging Face hub, which is downloaded once into the cache that
 * Hugging Face's own tools use.
 *
 * A broken connection is tried again, a download that was given up goes on where it stopped, and calls that want the same
 * file at the same time wait for each other. When the hub cannot be reached, a complete copy in the cache is used.
 *
 * @throws WeightsError `not-found`, `hub-failed`, `offline`, `checksum-mismatch`, `io-failed`, `aborted`, or what opening
 * throws; TandemError `option-invalid`
 */
export async function fromPretrained(location: string, options: FromPretrainedOptions = {}): Promise<Checkpoint> {
  return openPretrained(location, options);
}
