import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileKind } from '../common';
import { openFileSet } from './checkpoint';
import { WeightsError } from './errors';
import { fileSource } from './source.node';
import type { Checkpoint } from './types';

/** A folder of a step after the encoder (`embedding.ts`). No other folder belongs to a model. */
const STEP_FOLDER = /^\d+_\w+$/;

/** Opens a local checkpoint directory in Hugging Face's layout, without loading its weights. */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  const files = await readdir(directory).catch(async (error: NodeJS.ErrnoException) => {
    const place = await stat(directory).catch(() => null);
    const found = place === null || place.isDirectory() ? (error.code ?? error.message) : fileKind(place);
    throw new WeightsError('not-found', `${directory}: expected a checkpoint directory, found ${found}`);
  });
  for (const folder of files.filter((file) => STEP_FOLDER.test(file))) {
    const inside = await readdir(join(directory, folder)).catch(() => []); // a file of that name is no step
    files.push(...inside.map((file) => `${folder}/${file}`));
  }
  return openFileSet({ name: directory, files, open: (file) => fileSource(join(directory, file)) });
}
