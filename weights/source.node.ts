import { constants, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { fileKind } from '../common';
import { WeightsError } from './errors';
import { checkRange } from './range';
import type { ByteSource } from './types';

/** Opening a pipe must not wait for its writer. Windows has no such pipes, and no such flag. */
const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * A file on disk, read range by range through one handle. Pipes, devices and directories are refused: they have no size, and
 * some of them have no end.
 *
 * @throws WeightsError `not-found`, or `io-failed` when it is no file or cannot be read
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const failed = (expected: string, { code, message }: NodeJS.ErrnoException) =>
    new WeightsError(
      code === 'ENOENT' ? 'not-found' : 'io-failed',
      `${path}: expected ${expected}, found ${code ?? message}`,
    );
  const noFile = (found: Stats) => new WeightsError('io-failed', `${path}: expected a file, found ${fileKind(found)}`);
  const handle = await open(path, READ_AT_ONCE).catch(async (error: NodeJS.ErrnoException) => {
    const found = await stat(path).catch(() => null); // a socket cannot be opened
    throw found === null || found.isFile() ? failed('a readable file', error) : noFile(found);
  });
  const status = await handle.stat();
  if (!status.isFile()) {
    await handle.close();
    throw noFile(status);
  }
  const { size } = status;
  return {
    name: path,
    size,
    read: async (offset, length) => {
      checkRange(path, size, offset, length);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done).catch((error) => {
          throw failed(`${length} bytes at ${offset}`, error);
        });
        if (bytesRead === 0) {
          throw new WeightsError('io-failed', `${path}: expected ${length} bytes at ${offset}, found ${done}`);
        }
        done += bytesRead;
      }
      return bytes;
    },
    dispose: () => handle.close(),
  };
}
