import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Folders of one repository in Hugging Face's cache layout. */
export interface RepositoryCache {
  readonly folder: string;
  blob(hash: string): string;
  snapshot(commit: string): string;
  /** The commit that a branch or tag stood at when it was last looked up; a commit stands for itself. */
  commit(revision: string): Promise<string | null>;
  remember(revision: string, commit: string): Promise<void>;
  /** Puts a blob into a snapshot under the file's own name. */
  place(commit: string, file: string, hash: string): Promise<void>;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** Marks a snapshot that has every file this library wants; others may have filled it in part. */
const COMPLETE = '.tandem-complete';

export function repositoryCache(cacheDirectory: string, id: string): RepositoryCache {
  const folder = join(cacheDirectory, `models--${id.replaceAll('/', '--')}`);
  const blob = (hash: string) => join(folder, 'blobs', hash);
  const snapshot = (commit: string) => join(folder, 'snapshots', commit);
  const ref = (revision: string) => join(folder, 'refs', ...revision.split('/'));
  return {
    folder,
    blob,
    snapshot,
    commit: async (revision) => {
      if (COMMIT.test(revision)) return revision;
      const text = await readFile(ref(revision), 'utf8').catch(() => '');
      return COMMIT.test(text.trim()) ? text.trim() : null;
    },
    remember: async (revision, commit) => {
      if (COMMIT.test(revision)) return;
      await mkdir(dirname(ref(revision)), { recursive: true });
      await writeFile(ref(revision), commit);
    },
    place: async (commit, file, hash) => {
      const path = join(snapshot(commit), file);
      await mkdir(dirname(path), { recursive: true });
      if (await isThere(path)) return;
      await rm(path, { force: true }); // a link whose blob is gone
      const aside = `${path}.${process.pid}.new`;
      await symlink(relative(dirname(path), blob(hash)), aside).catch(() => copyFile(blob(hash), aside)); // no links: a copy
      await rename(aside, path);
    },
  };
}

export async function markComplete(directory: string): Promise<void> {
  await writeFile(join(directory, COMPLETE), '');
}

export async function isComplete(directory: string): Promise<boolean> {
  return isThere(join(directory, COMPLETE));
}

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
