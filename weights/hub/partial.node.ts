import { createHash } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { RemoteFile } from './listing';

const { O_RDWR, O_CREAT } = constants;
/** Bytes read at a time for a checksum. */
const HASH_CHUNK = 1 << 20;
/** Windows has no such flag. */
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * The bytes of a download that have arrived so far, in a file of our own. Whatever else has its name (a link to another
 * file, a pipe) is removed and never written through.
 */
export class PartialFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    /** Bytes that have arrived. */
    public size: number,
  ) {}

  static async open(path: string): Promise<PartialFile> {
    const found = await lstat(path).catch(() => null);
    if (found && (!found.isFile() || found.nlink > 1)) await rm(path);
    const handle = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644);
    return new PartialFile(path, handle, (await handle.stat()).size);
  }

  async append(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.byteLength) {
      const rest = bytes.byteLength - done;
      const { bytesWritten } = await this.handle.write(bytes, done, rest, this.size);
      done += bytesWritten;
      this.size += bytesWritten;
    }
  }

  async clear(): Promise<void> {
    await this.handle.truncate(0);
    this.size = 0;
  }

  /** The hash of what has arrived, through the open file: another process may have put a new one under its name. */
  async hash(kind: RemoteFile['hash']['kind'], signal: AbortSignal | undefined): Promise<string> {
    const stream = this.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: HASH_CHUNK, signal });
    return hashOf(stream, this.size, kind);
  }

  /** Makes the file the content of `path`, after the disk has all of it. */
  async moveTo(path: string): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(this.path, path);
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
  }

  /** Closes the file and leaves it where it is. Does nothing after `moveTo`. */
  async dispose(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }
}

/** Replaces a file by a copy of itself, which a process that still has the old one open cannot change. */
export async function detach(path: string, signal: AbortSignal | undefined): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile()) return;
  const aside = `${path}.copy`;
  try {
    await rm(aside, { force: true });
    await pipeline(createReadStream(path), createWriteStream(aside, { flags: 'wx' }), { signal });
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}

/** The hash of a file's content as the hub writes it: sha256, or the sha1 of a git blob. */
export async function hashFile(
  path: string,
  size: number,
  kind: RemoteFile['hash']['kind'],
  signal: AbortSignal | undefined,
): Promise<string> {
  return hashOf(createReadStream(path, { highWaterMark: HASH_CHUNK, signal }), size, kind);
}

async function hashOf(
  content: AsyncIterable<Uint8Array>,
  size: number,
  kind: RemoteFile['hash']['kind'],
): Promise<string> {
  const hash = createHash(kind === 'git-sha1' ? 'sha1' : 'sha256');
  if (kind === 'git-sha1') hash.update(`blob ${size}\0`);
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}
