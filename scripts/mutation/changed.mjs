/** What a change touches: lines of sources, by git. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

function git(...args) {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  return status === 0 ? stdout : null;
}

const commitOf = (name) => git('rev-parse', '--verify', '--quiet', `${name}^{commit}`)?.trim() ?? null;

/**
 * The commit that a change began from, and in words which it is: `since` if it is given; else the last commit that this branch shares
 * with main; on main itself the commit before this one. Null where there is none: a clone without history, or no repository.
 */
export function baseOf(since) {
  if (since !== undefined) {
    const commit = commitOf(since);
    return commit && { commit, name: since };
  }
  const head = commitOf('HEAD');
  if (head === null) return null;
  for (const main of ['main', 'origin/main']) {
    const shared = git('merge-base', main, 'HEAD')?.trim();
    if (shared && shared !== head) return { commit: shared, name: `the last commit shared with ${main}` };
  }
  const before = commitOf('HEAD~1');
  return before && { commit: before, name: 'HEAD~1' };
}

/** Lines that were added or changed since a commit, from 1, by file; files that git does not know yet are all new. */
export function changedLines(commit) {
  const lines = new Map();
  let file = null;
  for (const line of (git('diff', '--unified=0', '--no-color', '--no-ext-diff', commit, '--', '*.ts') ?? '').split(
    '\n',
  )) {
    if (line.startsWith('+++ ')) {
      file = line.startsWith('+++ b/') ? line.slice(6) : null;
      continue;
    }
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (!hunk || file === null) continue;
    const [first, count] = [Number(hunk[1]), Number(hunk[2] ?? 1)];
    if (!lines.has(file)) lines.set(file, new Set());
    for (let i = 0; i < count; i++) lines.get(file).add(first + i);
  }
  for (const name of (git('ls-files', '--others', '--exclude-standard', '--', '*.ts') ?? '')
    .split('\n')
    .filter(Boolean)) {
    const count = readFileSync(name, 'utf8').split('\n').length;
    lines.set(name, new Set(Array.from({ length: count }, (_, i) => i + 1)));
  }
  return lines;
}

const specsIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.spec.ts'))
        .map((name) => join(folder, name).replaceAll('\\', '/'))
    : [];

/**
 * The specs that are nearest to a source: the one of its name and those beside it; else those of the first folder above that has
 * some. All specs of a room would take minutes before the first mutant.
 */
export function nearSpecs(file) {
  const own = join('spec', dirname(file), basename(file).replace(/(\.node)?\.ts$/, '.spec.ts')).replaceAll('\\', '/');
  for (let folder = join('spec', dirname(file)); folder !== 'spec' && folder !== '.'; folder = dirname(folder)) {
    const found = specsIn(folder);
    if (found.length > 0) return existsSync(own) ? [own, ...found.filter((name) => name !== own)] : found;
  }
  return [];
}
