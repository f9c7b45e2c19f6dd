import { createHash, randomUUID } from 'node:crypto';
import {
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { WANTED_RULES } from './wanted';

/**
 * The folder of one repository in Hugging Face's cache layout: `blobs/HASH` hold the content, `snapshots/COMMIT/FILE` link
 * to it, `refs/REVISION` name the commit that a branch or tag stood for.
 */
export interface RepositoryCache {
  readonly folder: string;
  blob(hash: string): string;
  /** The commit that a branch or tag stood for when it was last looked up; a commit stands for itself. */
  commit(revision: string): Promise<string | null>;
  remember(revision: string, commit: string): Promise<void>;
  /** Puts a blob into a snapshot under the file's own name. */
  place(commit: string, file: SnapshotFile): Promise<void>;
  /** Where each file of a snapshot can be read. */
  files(commit: string): Promise<Map<string, string>>;
  /** Notes that a snapshot has every file that is wanted. */
  markComplete(commit: string, files: readonly SnapshotFile[]): Promise<void>;
  /** Compares a snapshot with that note. */
  check(commit: string): Promise<SnapshotCheck>;
}

/** One file of a snapshot. */
export interface SnapshotFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Name of the blob. */
  readonly hash: string;
}

export interface SnapshotCheck {
  /** Whether there is a note, and every file of it is there with its size. */
  readonly complete: boolean;
  /** What is missing by the note, in words. Null also where there is no note: other tools fill a snapshot without one. */
  readonly damage: string | null;
}

const COMMIT = /^[0-9a-f]{40}$/;
/**
 * Lists the files of a snapshot that this library downloaded: first which files were wanted then, as a hash of the rules,
 * then one file a line as `SIZE PATH`.
 */
const COMPLETE = '.tandem-complete';
const HEADING = `wanted ${createHash('sha256').update(WANTED_RULES).digest('hex').slice(0, 12)}`;

export function repositoryCache(cacheDir: string, id: string): RepositoryCache {
  const folder = join(cacheDir, `models--${id.replaceAll('/', '--')}`);
  const blob = (hash: string) => join(folder, 'blobs', hash);
  const snapshot = (commit: string) => join(folder, 'snapshots', commit);
  const ref = (revision: string) => join(folder, 'refs', ...revision.split('/'));
  const commit = async (revision: string) => {
    if (COMMIT.test(revision)) return revision;
    const text = await readFile(ref(revision), 'utf8').catch(() => '');
    return COMMIT.test(text.trim()) ? text.trim() : null;
  };
  return {
    folder,
    blob,
    commit,
    remember: async (revision, value) => {
      if ((await commit(revision)) !== value) await writeWhole(ref(revision), value);
    },
    place: (value, file) => placeFile(join(snapshot(value), file.path), blob(file.hash), file.size),
    files: (value) => listFiles(snapshot(value)),
    markComplete: async (value, files) => {
      const list = [HEADING, ...files.map(({ size, path }) => `${size} ${path}`), ''].join('\n');
      const path = join(snapshot(value), COMPLETE);
      if ((await readFile(path, 'utf8').catch(() => null)) !== list) await writeWhole(path, list);
    },
    check: (value) => checkSnapshot(snapshot(value)),
  };
}

/** Writes a small file so that nobody ever reads a part of it: beside first, then in its place. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${randomUUID()}.new`;
  try {
    await writeFile(aside, text, { flag: 'wx' });
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}

async function placeFile(path: string, blob: string, size: number): Promise<void> {
  if (await isInPlace(path, blob, size)) return;
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${randomUUID()}.new`; // two calls of one process may place the same file at the same time
  try {
    await symlink(relative(dirname(path), blob), aside).catch(() => copyFile(blob, aside)); // no links here: a copy
    await rename(aside, path);
  } finally {
    await rm(aside, { force: true });
  }
}

/** A link to the blob, or a copy of the right size, where a file system has no links. */
async function isInPlace(path: string, blob: string, size: number): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isSymbolicLink()) return found?.isFile() === true && found.size === size;
  return resolve(dirname(path), await readlink(path)) === resolve(blob);
}

async function listFiles(directory: string): Promise<Map<string, string>> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  return new Map(names.map((name) => [name.split(sep).join('/'), join(directory, name)]));
}

async function checkSnapshot(directory: string): Promise<SnapshotCheck> {
  const list = await readFile(join(directory, COMPLETE), 'utf8').catch(() => '');
  const [heading, ...lines] = list.split('\n').filter((line) => line !== '');
  for (const line of lines) {
    const [, size, path] = /^(\d+) (.+)$/.exec(line) ?? [];
    if (path === undefined) return { complete: false, damage: 'a note that cannot be read' };
    const found = await stat(join(directory, path)).catch(() => null);
    if (!found?.isFile()) return { complete: false, damage: `no ${path}` };
    if (found.size !== Number(size)) return { complete: false, damage: `${found.size} of ${size} bytes of ${path}` };
  }
  return { complete: heading === HEADING && lines.length > 0, damage: null }; // a version may want more than an earlier one
}
