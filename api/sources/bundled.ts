import { WeightsError } from '../../weights';
import { bundledPair } from '../bundled.node';
import type { BundledPair } from '../pair';
import { locationOf } from './location.node';

/**
 * The bundled pair: from the package's own directory, or from the address of a directory with `pair.json`.
 *
 * @throws WeightsError `not-found` or `io-failed`
 */
export async function findBundledPair(url?: string | URL, signal?: AbortSignal): Promise<BundledPair> {
  if (url === undefined) return bundledPair();
  const location = locationOf(url);
  if (location.kind !== 'url') {
    throw new WeightsError('not-found', `bundledUrl: expected an http address, found '${location.name}'`);
  }
  const base = location.url.replace(/\/*$/, '/');
  const pair = await readPair(`${base}pair.json`, signal);
  const at = (name: string) => base + name;
  return { ...pair, target: at(pair.target), draft: at(pair.draft), heldOut: at(pair.heldOut), text: at(pair.text) };
}

async function readPair(address: string, signal?: AbortSignal): Promise<BundledPair> {
  const broken = (found: string, cause?: unknown) =>
    new WeightsError('io-failed', `${address}: expected the description of a pair, found ${found}`, { cause });
  const answer = await fetch(address, { signal }).catch((error: Error) => {
    if (signal?.aborted) throw new WeightsError('aborted', `${address}: loading was cancelled`, { cause: error });
    throw broken(error.message, error);
  });
  if (!answer.ok) throw broken(`status ${answer.status}`);
  const pair = (await answer.json().catch((error: Error) => {
    throw broken('other text than JSON', error);
  })) as Partial<BundledPair> | null;
  for (const name of ['target', 'draft', 'prefix', 'heldOut', 'text'] as const) {
    if (typeof pair?.[name] !== 'string') throw broken(`no ${name}`);
  }
  return pair as BundledPair;
}
