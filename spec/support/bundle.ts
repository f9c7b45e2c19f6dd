import path from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = path.join(__dirname, '..', '..');

/** Writes modules of the sources, with all that they import, to one CommonJS file that exports what they export. */
export function bundle(modules: readonly string[], outfile: string): void {
  const contents = modules.map((module) => `export * from './${module}';`).join('\n');
  const stdin = { contents, resolveDir: ROOT, loader: 'ts' as const };
  buildSync({ stdin, bundle: true, platform: 'node', target: 'node20', outfile, logLevel: 'error' });
}
