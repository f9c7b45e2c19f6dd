import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');

/**
 * Builds the package's root from the sources as they are now, with the worker's program beside it: a worker starts from the
 * text of a bundle, which the sources do not have. The file is in a folder below the root, from where it finds the bundled pair.
 */
export function bundleWithWorker(): { readonly root: typeof import('../../../index'); dispose(): void } {
  const file = join(ROOT, 'build', `worker-${process.pid}.cjs`);
  const options = ['--entry', 'index.ts', '--to', file, '--worker', '--quiet'];
  execFileSync(process.execPath, ['scripts/build.mjs', ...options], { cwd: ROOT, stdio: 'pipe' });
  return { root: require(file), dispose: () => rmSync(file, { force: true }) };
}
