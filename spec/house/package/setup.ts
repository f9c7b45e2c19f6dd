import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pack, ROOT, run } from './project';

/** Packs the package once for all tries, after a look at what they need: one clear error instead of one for each try. */
export default function setup(): void {
  const flags = ['--fetch-retries=1', '--fetch-timeout=20000', '--fetch-retry-mintimeout=1000', '--prefer-online'];
  try {
    run('npm', ['view', 'vite', 'version', ...flags], ROOT, 90_000);
  } catch (error) {
    throw new Error(`The tries install vite and Next. Expected the npm registry to answer, found:\n${String(error)}`);
  }
  const folder = join(ROOT, 'build', 'try-package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  process.env.TANDEM_TARBALL = pack(folder);
}
