import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileKind } from '../../common';
import { openFileSet } from '../checkpoint';
import { openCheckpoint } from '../directory.node';
import { WeightsError } from '../errors';
import { type Client, createClient } from '../http/client';
import { throwIfAborted, UnreachableError } from '../http/failures';
import type { Pause } from '../http/retry';
import { createTransport } from '../http/transport.node';
import { fileSource } from '../source.node';
import type { Checkpoint } from '../types';
import { type RepositoryCache, repositoryCache, type SnapshotFile } from './cache.node';
import { download, isWhole } from './download.node';
import { type HubEnvironment, hubEnvironment } from './environment.node';
import { type Listing, listRemote } from './listing';
import { checkNames } from './names';
import { checkHubOptions, type FromPretrainedOptions, type HubNotice } from './options';
import { openRemote, tokenFor } from './remote';

/** What specs replace. */
export interface HubSeams {
  readonly pause?: Pause;
  readonly now?: () => number;
  /** Variables that may name proxies. Default: those of the process. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Bytes that a folder's disk has room for; null when the system does not say. */
  readonly freeBytes?: (folder: string) => Promise<number | null>;
}

/** One call, and all it needs. */
interface Call {
  readonly id: string;
  readonly revision: string;
  readonly cache: RepositoryCache;
  readonly environment: HubEnvironment;
  readonly options: FromPretrainedOptions;
  readonly seams: HubSeams;
}

/** `fromPretrained`, with seams for specs. */
export async function openPretrained(
  location: string,
  options: FromPretrainedOptions,
  seams: HubSeams = {},
): Promise<Checkpoint> {
  checkHubOptions(location, options);
  throwIfAborted(location, options.signal);
  const place = await stat(location).catch(() => null);
  if (place?.isDirectory()) return openCheckpoint(location);
  const revision = options.revision ?? 'main';
  checkNames(location, revision, place === null ? 'neither' : fileKind(place));
  const environment = hubEnvironment(options);
  const cache = repositoryCache(environment.cacheDir, location);
  const call = { id: location, revision, cache, environment, options, seams };
  const cached = await cache.commit(revision);
  const isComplete = cached !== null && (await cache.check(cached)).complete;
  // A commit never changes: there is nothing to ask the hub.
  if (environment.offline || (isComplete && cached === revision)) return openCached(call, 'the offline switch is on');
  // With a complete copy at hand, one try says whether the hub can be reached.
  const asking = clientOf(call, isComplete ? 1 : undefined);
  const repository = { id: location, revision, endpoint: environment.endpoint };
  const listing = await listRemote(asking, repository).catch((error) => {
    if (error instanceof UnreachableError && cached !== null) return error;
    throw error;
  });
  return listing instanceof UnreachableError ? openInstead(call, listing) : openListed(call, listing);
}

async function openListed(call: Call, listing: Listing): Promise<Checkpoint> {
  const { id, cache, options } = call;
  const client = clientOf(call);
  if (options.lazy && !(await cache.check(listing.commit)).complete) return openRemote(id, listing, client);
  const files = await downloadSnapshot(call, listing, client).catch((error) => {
    if (error instanceof WeightsError || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const found = (error as NodeJS.ErrnoException).code;
    const message = `${cache.folder}: expected a cache that can be written, found ${found}; cacheDir or HF_HUB_CACHE names another`;
    throw new WeightsError('io-failed', message, { cause: error });
  });
  return openFiles(id, files);
}

function clientOf({ environment, options, seams }: Call, tries?: number): Client {
  const { endpoint, token, timeoutMs } = environment;
  return createClient({
    transport: createTransport(seams.variables),
    secret: tokenFor(endpoint, token),
    timeoutMs,
    tries,
    signal: options.signal,
    onRetry: options.onNotice,
    pause: seams.pause,
  });
}

/** Opens what the cache has, for want of the hub; the hub's own error stays when that is not enough. */
async function openInstead(call: Call, error: UnreachableError): Promise<Checkpoint> {
  const checkpoint = await openCached(call, 'the hub cannot be reached').catch(() => {
    throw error;
  });
  notify(call, {
    kind: 'cached',
    message: `${error.message}; ${call.id} is opened from the cache (${call.cache.folder})`,
  });
  return checkpoint;
}

async function openCached({ id, revision, cache }: Call, why: string): Promise<Checkpoint> {
  const commit = await cache.commit(revision);
  const missing = (found: string, cause?: unknown) => {
    const where = `the cache (${cache.folder})`;
    const message = `${id}: expected revision ${revision} in ${where}, found ${found}, and ${why}`;
    return new WeightsError('offline', message, { cause });
  };
  const files = commit === null ? new Map<string, string>() : await cache.files(commit);
  if (commit === null || files.size === 0) throw missing('none');
  const { complete, damage } = await cache.check(commit);
  if (damage !== null) throw missing(`a part of it (${damage})`);
  try {
    return await openFiles(id, files);
  } catch (error) {
    // Hugging Face's tools fill a snapshot as files are asked for, and a killed download leaves a part of one.
    if (complete || !(error instanceof WeightsError)) throw error;
    throw missing(`a part of it (${error.message})`, error);
  }
}

function openFiles(id: string, files: ReadonlyMap<string, string>): Promise<Checkpoint> {
  const open = async (file: string) => {
    const path = files.get(file);
    if (path === undefined) throw new WeightsError('not-found', `${id}: expected ${file}, found none`);
    return fileSource(path);
  };
  return openFileSet({ name: id, files: [...files.keys()], open });
}

/** Brings every listed file to the cache, and says where each can be read. */
async function downloadSnapshot(call: Call, { commit, files }: Listing, client: Client): Promise<Map<string, string>> {
  const { cache, options, seams, revision } = call;
  await checkRoom(call, files, client);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const placed: SnapshotFile[] = [];
  let before = 0;
  for (const file of files) {
    const blob = cache.blob(file.hash.hex);
    const onBytes = (loaded: number) => options.onProgress?.({ file: file.path, loaded: before + loaded, total });
    await download(file, blob, { client, waiting: { pause: seams.pause, now: seams.now }, onBytes });
    placed.push({ path: file.path, size: (await stat(blob)).size, hash: file.hash.hex });
    before += file.size;
  }
  const refusal = await refusedWith(async () => {
    for (const file of placed) await cache.place(commit, file);
    await cache.markComplete(commit, placed);
    await cache.remember(revision, commit);
  });
  const readable = await cache.files(commit);
  if (refusal === null) return readable;
  const message = `${cache.folder}: ${call.id} is complete in this cache, but it cannot be written (${refusal})`;
  notify(call, { kind: 'read-only', message });
  for (const { path, hash } of placed) readable.set(path, cache.blob(hash));
  return readable;
}

/** Refuses a download that the disk has no room for, before its first byte: the size is only what the hub says. */
async function checkRoom({ cache, seams }: Call, files: Listing['files'], { signal }: Client): Promise<void> {
  let needed = 0;
  for (const file of files) {
    const blob = cache.blob(file.hash.hex);
    if (await isWhole(file, blob, signal)) continue;
    const begun = await stat(`${blob}.tandem.incomplete`).catch(() => null);
    needed += Math.max(0, file.size - (begun?.size ?? 0));
  }
  const free = await (seams.freeBytes ?? freeBytes)(cache.folder);
  if (free === null || needed <= free) return;
  const message = `${cache.folder}: expected room for ${needed} bytes, found ${free} free`;
  throw new WeightsError('io-failed', message);
}

/** Free bytes of the disk that a folder is on, or will be. */
async function freeBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  if (found === null) return dirname(folder) === folder ? null : freeBytes(dirname(folder));
  return found.blocks === 0 ? null : found.bavail * found.bsize; // some network file systems do not say
}

/** The code with which the system refused to write; null when the writing went well. */
async function refusedWith(write: () => Promise<void>): Promise<string | null> {
  try {
    await write();
    return null;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    return code;
  }
}

function notify({ options }: Call, notice: HubNotice): void {
  if (options.onNotice) options.onNotice(notice);
  else process.emitWarning(notice.message, 'TandemWarning');
}
