import { type Checkpoint, fileSet, openFileSet } from '../../weights';

const files = new Map<string, Uint8Array>();

/** Fetches files of the goldens once, so that specs in a page find them at once, as on a disk. */
export async function fetchGoldens(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const answer = await fetch(`/goldens/${path}`);
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
    files.set(path, new Uint8Array(await answer.arrayBuffer()));
  }
}

export function goldenFamilies(): string[] {
  const configs = [...files.keys()].filter((path) => path.endsWith('/config.json'));
  return configs.map((path) => path.split('/')[0]).sort();
}

export function goldenCheckpoint(name: string): string {
  return name;
}

export function openGolden(name: string): Promise<Checkpoint> {
  const own = [...files].filter(([path]) => path.startsWith(`${name}/`));
  const bytesOf = new Map(own.map(([path, bytes]) => [path.slice(name.length + 1), bytes]));
  return openFileSet(fileSet(bytesOf, name));
}

export function goldenBytes(name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined)
    throw new Error(`${name}: expected to have been fetched, found ${[...files.keys()].join(', ')}`);
  return bytes;
}

export function goldenPaths(): string[] {
  return [...files.keys()];
}
