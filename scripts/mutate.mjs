/**
 * Mutation tests: `npm run mutate -- FOLDER [SPECS] [--static]` changes one expression of FOLDER's sources at a time and runs the specs of
 * SPECS (default: spec/FOLDER) that reach it. A mutant that no spec kills shows a check that is missing. FOLDER may also be one
 * file. Mutants of code that runs at import, such as tables, are left out without --static. The report is build/mutate/report.html. Ends with exit code 1 when the score is below the bar.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const words = process.argv.slice(2);
const isStatic = words.includes('--static');
const [target, specs] = words.filter((word) => word !== '--static');
if (!target || !existsSync(target)) {
  console.error(
    `mutate: expected a folder or file of sources, such as decoding or api/call.ts, found ${target ?? 'none'}`,
  );
  process.exit(2);
}
const isFolder = statSync(target).isDirectory();
const folders = specs ?? `spec/${target.split('/')[0]}`;
for (const folder of folders.split(',')) {
  if (existsSync(folder)) continue;
  console.error(`mutate: expected folders of specs with commas between them, found ${folder}`);
  process.exit(2);
}
const mutate = isFolder ? `${target}/**/*.ts,!${target}/**/*.browser.ts,!kernels/wasm/assembly/**` : target;
const { status } = spawnSync(
  process.execPath,
  ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', '--mutate', mutate],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      TANDEM_MUTATE_SPECS: folders,
      TANDEM_MUTATE_STATIC: isStatic ? '1' : '',
    },
  },
);
process.exit(status ?? 1);
