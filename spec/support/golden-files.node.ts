import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Checkpoint, openCheckpoint } from '../../weights';

const FOLDER = path.join(__dirname, '..', 'data', 'goldens');

/** Names of the small random checkpoints. */
export function goldenFamilies(): string[] {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map((entry) => entry.name).sort();
  return names.filter((name) => existsSync(path.join(FOLDER, name, 'config.json')));
}

/** Directory of a random checkpoint. */
export function goldenCheckpoint(name: string): string {
  return path.join(FOLDER, name);
}

export function openGolden(name: string): Promise<Checkpoint> {
  return openCheckpoint(goldenCheckpoint(name));
}

/** A file beside the checkpoints. */
export function goldenBytes(name: string): Uint8Array {
  return readFileSync(path.join(FOLDER, name));
}

/** Every file of the checkpoints, and those beside them, by its path from their folder. */
export function goldenPaths(): string[] {
  const filesIn = (folder: string) =>
    readdirSync(path.join(FOLDER, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(folder, entry.name));
  return ['', ...goldenFamilies()].flatMap(filesIn);
}
