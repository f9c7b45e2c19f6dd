import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSet } from '../checkpoint';
import { openCheckpoint } from '../directory.node';
import { WeightsError } from '../errors';
import { fileSource } from '../source.node';
import type { Checkpoint } from '../types';
import { download } from './download.node';
import { type HubEnvironment, hubEnvironment } from './environment.node';
import { checkNames, type FromPretrainedOptions, listRemote } from './listing';
import { openRemote } from './remote';
import { isComplete, isThere, markComplete, type RepositoryCache, repositoryCache } from './snapshot.node';

/**
 * Opens a checkpoint: a local directory, or a model on the Hugging Face hub, downloaded once into the cache that Hugging
 * Face's own tools use. Killed downloads go on where they stopped; concurrent ones of the same file wait for each other.
 *
 * @throws WeightsError `not-found`, `hub`, `offline`, `checksum-mismatch`, `aborted`, or what opening throws
 */
export async function fromPretrained(location: string, options: FromPretrainedOptions = {}): Promise<Checkpoint> {
  if (await isDirectory(location)) return openCheckpoint(location);
  const environment: HubEnvironment = { ...hubEnvironment(), ...given(options) };
  const revision = options.revision ?? 'main';
  checkNames(location, revision);
  const cache = repositoryCache(environment.cacheDirectory, location);
  if (environment.offline) return openCached(location, revision, cache);
  if (options.lazy) return openRemote(location, { ...options, ...environment });
  const directory = await downloadSnapshot(location, revision, cache, environment, options).catch((error) => {
    if (error instanceof WeightsError) throw error;
    const found = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new WeightsError('io-failed', `${cache.folder}: expected a cache that can be written, found ${found}`, {
      cause: error,
    });
  });
  return openSnapshot(location, directory);
}

function given({ endpoint, token, cacheDirectory, offline }: FromPretrainedOptions): Partial<HubEnvironment> {
  const values = { endpoint: endpoint?.replace(/\/+$/, ''), token, cacheDirectory, offline };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

async function openCached(id: string, revision: string, cache: RepositoryCache): Promise<Checkpoint> {
  const commit = await cache.commit(revision);
  const missing = (found: string, cause?: unknown) => {
    const where = `the cache (${cache.folder})`;
    const message = `${id}: expected revision ${revision} in ${where}, found ${found}, and the offline switch is on`;
    return new WeightsError('offline', message, { cause });
  };
  const directory = commit && cache.snapshot(commit);
  if (!directory || !(await isThere(directory))) throw missing('none');
  try {
    return await openSnapshot(id, directory);
  } catch (error) {
    // Hugging Face's tools fill a snapshot as files are asked for, and a killed download leaves part of one.
    if (await isComplete(directory)) throw error;
    if (!(error instanceof WeightsError) || !['not-found', 'shard-invalid'].includes(error.code)) throw error;
    throw missing(`a part of it (${error.message})`, error);
  }
}

async function openSnapshot(id: string, directory: string): Promise<Checkpoint> {
  const files = await readdir(directory);
  return openFileSet({ name: id, files, open: (file) => fileSource(join(directory, file)) });
}

async function downloadSnapshot(
  id: string,
  revision: string,
  cache: RepositoryCache,
  environment: HubEnvironment,
  options: FromPretrainedOptions,
): Promise<string> {
  const { commit, files } = await listRemote({ id, revision, ...environment, signal: options.signal });
  const directory = cache.snapshot(commit);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  let before = 0;
  for (const file of files) {
    const onBytes = (loaded: number) => options.onProgress?.({ file: file.path, loaded: before + loaded, total });
    await download(file, cache.blob(file.hash.hex), { token: environment.token, signal: options.signal, onBytes });
    await cache.place(commit, file.path, file.hash.hex);
    before += file.size;
  }
  await markComplete(directory);
  await cache.remember(revision, commit);
  return directory;
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
