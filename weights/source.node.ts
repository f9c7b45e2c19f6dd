import { open } from 'node:fs/promises';
import { WeightsError } from './errors';
import { checkRange } from './source';
import type { ByteSource } from './types';

/** A file read through one handle, range by range. */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    const code = error.code === 'ENOENT' ? 'not-found' : 'io-failed';
    throw new WeightsError(code, `${path}: expected a readable file, found ${error.code ?? error.message}`);
  });
  const { size } = await handle.stat();
  return {
    name: path,
    size,
    read: async (offset, length) => {
      checkRange(path, size, offset, length);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new WeightsError('io-failed', `${path}: expected ${length} bytes at ${offset}, found ${done}`);
        done += bytesRead;
      }
      return bytes;
    },
    dispose: () => handle.close(),
  };
}
