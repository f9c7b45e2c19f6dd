import { WeightsError } from '../errors';
import { createClient } from '../http/client';
import { createTransport } from '../http/transport.browser';
import { DEFAULT_TIMEOUT_MS } from '../source';
import type { Checkpoint } from '../types';
import { listRemote } from './listing';
import { checkNames } from './names';
import { checkHubOptions, type FromPretrainedOptions } from './options';
import { openRemote, tokenFor } from './remote';

/**
 * Opens a model on the Hugging Face hub from a page. A page has no cache of files: tensors are read by HTTP ranges, and what
 * is kept is the browser's decision.
 *
 * @throws WeightsError `not-found`, `hub-failed`, `offline`, `aborted`, or what opening throws
 */
export async function fromPretrained(location: string, options: FromPretrainedOptions = {}): Promise<Checkpoint> {
  checkHubOptions(location, options);
  const { revision = 'main', token = null, offline, signal, timeoutMs = DEFAULT_TIMEOUT_MS, onNotice } = options;
  checkNames(location, revision);
  if (offline) throw new WeightsError('offline', `${location}: expected a network, found the offline switch on`);
  const endpoint = (options.endpoint ?? 'https://huggingface.co').replace(/\/+$/, '');
  const secret = tokenFor(endpoint, token);
  const client = createClient({ transport: createTransport(), secret, signal, timeoutMs, onRetry: onNotice });
  return openRemote(location, await listRemote(client, { id: location, revision, endpoint }), client);
}
