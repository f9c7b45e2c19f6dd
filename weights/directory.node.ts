import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSet } from './checkpoint';
import { WeightsError } from './errors';
import { fileSource } from './source.node';
import type { Checkpoint } from './types';

/** Opens a local checkpoint directory in Hugging Face's layout, without loading its weights. */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new WeightsError(
      'not-found',
      `${directory}: expected a checkpoint directory, found ${error.code ?? error.message}`,
    );
  });
  return openFileSet({ name: directory, files, open: (file) => fileSource(join(directory, file)) });
}
