import { openFileSet } from '../../weights';
import type { Inspected, OwnModel } from '../protocol';
import { forget } from './address';
import { ownFiles } from './files';
import type { LoadWays } from './ways';

/**
 * Reads what a model's files say of it, and no weights.
 *
 * @throws WeightsError when a file is missing or breaks its format
 */
export async function inspect(model: OwnModel, ways: LoadWays): Promise<Inspected> {
  try {
    return await inspectFiles(model, ways);
  } catch (error) {
    if (typeof model === 'string') forget(model);
    throw error;
  }
}

async function inspectFiles(model: OwnModel, ways: LoadWays): Promise<Inspected> {
  const checkpoint = await openFileSet(await ownFiles(model, ways));
  try {
    let [parameters, storedBytes, memoryBytes] = [0, 0, 0];
    for (const { shape, type, bytes } of checkpoint.tensors.values()) {
      const count = shape.reduce((product, size) => product * size, 1);
      parameters += count;
      storedBytes += bytes;
      memoryBytes += count * (type === 'BF16' ? 2 : 4);
    }
    const keptBytes = typeof model === 'string' ? storedBytes : 0;
    return { name: checkpoint.name, family: checkpoint.config.family, parameters, storedBytes, memoryBytes, keptBytes };
  } finally {
    await checkpoint.dispose();
  }
}
