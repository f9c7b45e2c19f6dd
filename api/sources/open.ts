import { invalid, quoted, TandemError } from '../../common';
import { type Checkpoint, type FileSet, fromPretrained, type ModelFiles, openFileSet } from '../../weights';
import type { ModelSource } from '../drafts/types';
import type { LoadOptions, Progress } from '../types';
import { type Location, locationOf } from './location.node';
import { openUrl } from './url';

/** Options that say how to reach the hub. */
export type HubOptions = Pick<
  LoadOptions,
  'cacheDir' | 'token' | 'endpoint' | 'offline' | 'timeoutMs' | 'signal' | 'onNotice'
> & {
  /** Downloads nothing but what is read, for a look into a model. */
  readonly lazy?: boolean;
};

/** A model to open. */
export interface OpenRequest {
  readonly source: ModelSource;
  readonly revision?: string;
  readonly hub: HubOptions;
  readonly onDownload?: (progress: Pick<Progress, 'item' | 'loaded' | 'total'>) => void;
}

/** A checkpoint, and whether this call opened it. One that the caller opened is the caller's to dispose. */
export interface OpenedModel {
  readonly checkpoint: Checkpoint;
  readonly own: boolean;
}

const HUB_HOSTS = ['huggingface.co', 'hf.co'];

/** What a source may be, for messages. */
export const SOURCES = 'a directory, a hub id, a URL, Files, Blobs or bytes by name, a FileSet, or an open Checkpoint';

/**
 * Opens the checkpoint of a source without loading its weights.
 *
 * @throws TandemError `argument-invalid` when the value is no source; WeightsError for what opening finds
 */
export async function openModel(request: OpenRequest): Promise<OpenedModel> {
  const { source, revision } = request;
  const isNamed = typeof source === 'string' || source instanceof URL;
  if (revision !== undefined && !isNamed) throw invalid('revision', 'none with files or an open checkpoint', revision);
  if (isNamed) return { checkpoint: await openNamed(source, request), own: true };
  if (typeof source !== 'object' || source === null) {
    throw new TandemError('argument-invalid', `model: expected ${SOURCES}, found ${quoted(source)}`);
  }
  if (isCheckpoint(source)) return { checkpoint: source, own: false };
  return { checkpoint: await openFileSet(source as FileSet | ModelFiles), own: true };
}

export function isCheckpoint(source: object): source is Checkpoint {
  const { read, tensors, config } = source as Partial<Checkpoint>;
  return typeof read === 'function' && typeof tensors?.get === 'function' && typeof config === 'object';
}

async function openNamed(source: string | URL, { revision, hub, onDownload }: OpenRequest): Promise<Checkpoint> {
  const { cacheDir, token, endpoint, offline, lazy, timeoutMs, signal, onNotice } = hub;
  const place = onHub(locationOf(source), revision);
  if (place.kind === 'url') {
    if (revision !== undefined) throw invalid('revision', 'none with an address, which has no revisions', revision);
    return openUrl(place.url, signal);
  }
  return fromPretrained(place.name, {
    revision: place.revision,
    cacheDir,
    token,
    endpoint,
    offline,
    lazy,
    timeoutMs,
    signal,
    onNotice,
    onProgress: onDownload && (({ file, loaded, total }) => onDownload({ item: file, loaded, total })),
  });
}

type Place = Location & { readonly revision?: string };

/** Takes the address of a model's page on the hub (`https://huggingface.co/org/name/tree/main`) for its id. */
function onHub(location: Location, revision?: string): Place {
  if (location.kind === 'name') return { ...location, revision };
  const { hostname, pathname } = new URL(location.url);
  if (!HUB_HOSTS.includes(hostname)) return location;
  const [organisation, name, tree, branch, ...rest] = pathname.split('/').filter((part) => part !== '');
  if (rest.length > 0 || (tree !== undefined && tree !== 'tree')) return location;
  return { kind: 'name', name: name ? `${organisation}/${name}` : organisation, revision: revision ?? branch };
}
