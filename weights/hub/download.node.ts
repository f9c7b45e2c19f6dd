import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quoted } from '../../common';
import { WeightsError } from '../errors';
import { endedEarly } from '../http/answer';
import type { Client } from '../http/client';
import { abortedError, refusal, TransientFailure, throwIfAborted } from '../http/failures';
import type { RemoteFile } from './listing';
import { type Lock, LockLost, type LockOptions, withLock } from './lock.node';
import { detach, hashFile, PartialFile } from './partial.node';

export interface DownloadOptions {
  readonly client: Client;
  /** How to wait for other downloads of the same file. */
  readonly waiting?: LockOptions;
  /** Hears how many bytes of this file are on disk. */
  readonly onBytes?: (loaded: number) => void;
}

/**
 * A connection that brought fewer new bytes counts as a failed try. Otherwise a server that sends one byte a connection
 * would be asked as often as the file has bytes.
 */
const LEAST_PROGRESS = 64 << 10;

/**
 * Brings a file to `blob`, whole and with the right checksum, or not at all. Bytes collect in `BLOB.tandem.incomplete`, from
 * which a later call goes on; Hugging Face's tools write to `BLOB.incomplete`, under a lock that Node cannot take. A lock
 * makes other downloads of the same file wait, and they find it there.
 */
export async function download(file: RemoteFile, blob: string, options: DownloadOptions): Promise<void> {
  const { signal } = options.client;
  while (!(await isWhole(file, blob, signal))) {
    try {
      await mkdir(dirname(blob), { recursive: true });
      await withLock(`${blob}.lock`, { ...options.waiting, signal }, (lock) => fill(file, blob, options, lock));
    } catch (error) {
      if (!(error instanceof LockLost)) throw error; // else the next round finds how far the new owner is
    }
  }
  options.onBytes?.(file.size);
}

/**
 * Whether the cache has the file. The size is compared first, because a hash of every file would cost seconds at every
 * load; where it differs, the hash decides whether the blob was cut off or the hub's list is wrong.
 */
export async function isWhole(file: RemoteFile, blob: string, signal: AbortSignal | undefined): Promise<boolean> {
  throwIfAborted(file.path, signal);
  const found = await stat(blob).catch(() => null);
  if (found === null) return false;
  if (found.size === file.size) return true;
  return (await hashFile(blob, found.size, file.hash.kind, signal).catch(cancelled(file, signal))) === file.hash.hex;
}

async function fill(file: RemoteFile, blob: string, options: DownloadOptions, lock: Lock): Promise<void> {
  const { signal } = options.client;
  if (await isWhole(file, blob, signal)) return; // brought by the process that had the lock before
  const path = `${blob}.tandem.incomplete`;
  // An owner that only slept still has the file open and will write to it: go on with a copy, which it cannot reach.
  if (lock.takenOver) await detach(path, signal).catch(cancelled(file, signal));
  if ((await stat(blob).catch(() => null)) !== null) await salvage(blob, path);
  const partial = await PartialFile.open(path);
  try {
    const wasBegun = partial.size > 0;
    const found = await fetchChecked(file, partial, options, lock);
    if (found === file.hash.hex) return await moveToPlace(partial, blob, lock);
    await partial.clear();
    // Bytes of an earlier call may have been the wrong ones: one download from the start tells.
    const again = wasBegun ? await fetchChecked(file, partial, options, lock) : found;
    if (again === file.hash.hex) return await moveToPlace(partial, blob, lock);
    const message = `${file.path}: expected ${file.hash.kind} ${file.hash.hex}, found ${again}; the download was discarded`;
    throw new WeightsError('checksum-mismatch', message);
  } catch (error) {
    if (!(error instanceof WeightsError) || error.code !== 'checksum-mismatch') throw error;
    await lock.check(); // after a lost lock the file under this name is another process's
    await partial.discard(); // wrong bytes are no start for another try
    throw error;
  } finally {
    await partial.dispose();
  }
}

async function moveToPlace(partial: PartialFile, blob: string, lock: Lock): Promise<void> {
  await lock.check();
  await partial.moveTo(blob);
}

/** Makes the bytes of a blob that was cut off the start of a new download, where there is no other. */
async function salvage(blob: string, path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) === null) await rename(blob, path);
  else await rm(blob);
}

/** Fetches what is missing, and gives the hash of the whole. */
async function fetchChecked(
  file: RemoteFile,
  partial: PartialFile,
  options: DownloadOptions,
  lock: Lock,
): Promise<string> {
  const { client } = options;
  let furthest = partial.size;
  const progressed = async () => {
    const gained = partial.size - furthest;
    furthest = Math.max(furthest, partial.size);
    return gained >= LEAST_PROGRESS;
  };
  const attempt = async () => {
    await lock.check();
    if (partial.size < file.size) await fetchRest(file, partial, options);
  };
  await client.retry(file.path, attempt, progressed);
  return partial.hash(file.hash.kind, client.signal).catch(cancelled(file, client.signal));
}

async function fetchRest(file: RemoteFile, partial: PartialFile, { client, onBytes }: DownloadOptions): Promise<void> {
  const from = partial.size;
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const answer = await client.open({ what: file.path, url: file.url, headers });
  try {
    if (answer.status === 416) await partial.clear(); // the server does not have as many bytes: start again
    if (answer.status === 416) throw new TransientFailure('status 416');
    if (answer.status !== 200 && answer.status !== 206) throw refusal(file.path, answer.status, answer.headers);
    const range = answer.headers.get('content-range');
    if (answer.status === 206 && range !== null && !range.startsWith(`bytes ${from}-`)) {
      throw new TransientFailure(`bytes from another place (${quoted(range)} in place of ${from})`);
    }
    if (answer.status === 200) await partial.clear(); // the whole file, whatever was asked for
    for await (const chunk of answer.chunks()) {
      if (partial.size + chunk.byteLength > file.size) {
        const message = `${file.path}: expected ${file.size} bytes, found more; the download was discarded`;
        throw new WeightsError('checksum-mismatch', message);
      }
      await partial.append(chunk);
      onBytes?.(partial.size);
    }
    if (partial.size < file.size) throw endedEarly(file.size, partial.size);
  } finally {
    answer.dispose();
  }
}

/** Turns the error of a cancelled file operation into the one that says so. */
function cancelled(file: RemoteFile, signal: AbortSignal | undefined): (error: unknown) => never {
  return (error) => {
    throw signal?.aborted ? abortedError(file.path, signal) : error;
  };
}
