import { type FileSet, fileSet } from '../../weights';
import type { OwnModel } from '../protocol';
import { filesAt } from './address';
import { answerOf } from './answers';
import { arriving } from './arriving';
import type { LoadWays } from './ways';

/** models/pair.json. */
export interface PairFile {
  readonly target: string;
  readonly draft: string | null;
  readonly prefix: string;
  readonly examples: readonly string[];
  /** What the page reads of each folder. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

export async function fetchPair(base: string, signal: AbortSignal): Promise<PairFile> {
  return (await answerOf(new URL('pair.json', base), { signal })).json() as Promise<PairFile>;
}

/** Asks for the files of one model of a pair, all at once. They can be opened, and read, while they are on their way. */
export function fetchFiles(base: string, folder: string, pair: PairFile, { signal, onProgress }: LoadWays): FileSet {
  const files = pair.files[folder];
  const fetched = new Map(files.map((name) => [name, fetchFile(name)]));
  async function fetchFile(name: string) {
    const answer = await answerOf(new URL(`${folder}/${name}`, base), { signal });
    return arriving(folder, name, answer, onProgress);
  }
  for (const file of fetched.values()) file.catch(() => undefined); // its error is thrown where the file is opened
  return { name: folder, files, open: (name) => fetched.get(name) as ReturnType<FileSet['open']> };
}

/** The files of a model that somebody brings: those at hand, or of an address, or of the hub. */
export async function ownFiles(model: OwnModel, ways: LoadWays): Promise<FileSet> {
  return typeof model === 'string' ? filesAt(model, ways) : fileSet(model);
}
