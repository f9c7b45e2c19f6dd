import { WeightsError } from './errors';
import type { Checkpoint } from './types';

/** A page has no directories: files come as Blobs or over HTTP, through `openFileSet`. */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  throw new WeightsError(
    'not-found',
    `${directory}: expected files or a hub id (a browser has no directories), found a path`,
  );
}
