import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSet } from './checkpoint';
import { WeightsError } from './errors';
import { fileSource } from './source.node';
import type { Checkpoint } from './types';

/** A folder of a step after the encoder (`embedding.ts`). No other folder belongs to a model. */
const STEP_FOLDER = /^\d+_\w+$/;

/** Opens a local checkpoint directory in Hugging Face's layout, without loading its weights. */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new WeightsError(
      'not-found',
      `${directory}: expected a checkpoint directory, found ${error.code ?? error.message}`,
    );
  });
  for (const folder of files.filter((file) => STEP_FOLDER.test(file))) {
    const inside = await readdir(join(directory, folder)).catch(() => []); // a file of that name is no step
    files.push(...inside.map((file) => `${folder}/${file}`));
  }
  return openFileSet({ name: directory, files, open: (file) => fileSource(join(directory, file)) });
}
