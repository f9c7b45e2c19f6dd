import { type CheckpointContent, checkpointFiles } from '../../weights/checkpoint-writer';

export { memoryCheckpoint, randomCheckpoint, randomTensors, tinyConfig } from '../../testing/random-checkpoint';
export { seeded } from '../../testing/seeded';

/** The files of a checkpoint in memory, by name. */
export async function checkpointBytes(content: CheckpointContent): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, chunks } of checkpointFiles(content)) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks()) parts.push(chunk.slice());
    files[name] = new Uint8Array(Buffer.concat(parts));
  }
  return files;
}
