import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WeightsError } from '../errors';
import { type RemoteFile, refusal } from './listing';
import { type HeldLock, LockLost, withLock } from './lock.node';

export interface DownloadOptions {
  readonly token: string | null;
  readonly signal?: AbortSignal;
  /** Bytes of this file on disk so far. */
  readonly onBytes?: (loaded: number) => void;
}

/** Connections that may break in a row without a byte of progress. */
const TRIES = 5;

/**
 * Brings a file to `blob`, whole and checked, or not at all. Bytes collect in `<blob>.incomplete`, which a later call goes on
 * from; a lock keeps other downloads of the same file waiting, and they find it there.
 */
export async function download(file: RemoteFile, blob: string, options: DownloadOptions): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  while (!(await exists(blob))) {
    try {
      await withLock(`${blob}.lock`, options.signal, (lock) => bring(file, blob, options, lock));
    } catch (error) {
      if (!(error instanceof LockLost)) throw error; // else: see how far the new owner is
    }
  }
  options.onBytes?.(file.size);
}

async function bring(file: RemoteFile, blob: string, options: DownloadOptions, lock: HeldLock): Promise<void> {
  if (await exists(blob)) return;
  const partial = `${blob}.incomplete`;
  // An owner that only slept still has the file open and will write to it: go on in a copy, which it cannot reach.
  if (lock.takenOver && (await exists(partial))) {
    await copyFile(partial, `${partial}.copy`);
    await rename(`${partial}.copy`, partial);
  }
  await fetchAll(file, partial, options, lock);
  const found = await hashOf(partial, file);
  await lock.check();
  if (found !== file.hash.hex) {
    await unlink(partial); // wrong bytes are no start for another try
    const expected = `${file.hash.kind} ${file.hash.hex}`;
    throw new WeightsError(
      'checksum-mismatch',
      `${file.path}: expected ${expected}, found ${found}; the download was discarded`,
    );
  }
  await rename(partial, blob);
}

/** Fetches what is missing, again after each broken connection that brought something. */
async function fetchAll(file: RemoteFile, partial: string, options: DownloadOptions, lock: HeldLock): Promise<void> {
  let failures = 0;
  for (;;) {
    await lock.check();
    const before = await sizeOf(partial);
    if (before > file.size) await unlink(partial);
    if (before === file.size && file.size > 0) return;
    try {
      await fetchRest(file, partial, before > file.size ? 0 : before, options);
    } catch (error) {
      if (options.signal?.aborted) {
        throw new WeightsError('aborted', `${file.path}: the download was cancelled; what has arrived is kept`, {
          cause: error,
        });
      }
      const ours = (error as NodeJS.ErrnoException).syscall; // the disk is full or closed: no matter of connections
      if (error instanceof WeightsError || ours === 'write' || ours === 'open') throw error;
      failures = (await sizeOf(partial)) > before ? 1 : failures + 1;
      if (failures < TRIES) continue;
      const loaded = await sizeOf(partial);
      const message = `${file.path}: expected ${file.size} bytes, found a connection that broke at ${loaded}; they are kept, run again to go on`;
      throw new WeightsError('hub-failed', message, { cause: error });
    }
    if ((await sizeOf(partial)) >= file.size) return;
  }
}

async function fetchRest(file: RemoteFile, partial: string, from: number, options: DownloadOptions): Promise<void> {
  const { token, signal, onBytes } = options;
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (from > 0) headers.range = `bytes=${from}-`;
  const response = await fetch(file.url, { headers, signal });
  if (!response.ok || !response.body) throw refusal(file.path, response.status);
  const resumed = response.status === 206;
  const handle = await open(partial, resumed ? 'a' : 'w');
  let loaded = resumed ? from : 0;
  try {
    for await (const chunk of response.body) {
      loaded += chunk.byteLength;
      if (loaded > file.size) {
        await unlink(partial);
        const message = `${file.path}: expected ${file.size} bytes, found more; the download was discarded`;
        throw new WeightsError('checksum-mismatch', message);
      }
      await handle.write(chunk);
      onBytes?.(loaded);
    }
  } finally {
    await handle.close();
  }
}

async function hashOf(path: string, file: RemoteFile): Promise<string> {
  const git = file.hash.kind === 'git-sha1';
  const hash = createHash(git ? 'sha1' : 'sha256');
  if (git) hash.update(`blob ${await sizeOf(path)}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
