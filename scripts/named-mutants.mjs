/** The mutants of scripts/named-mutants.json, each against the spec that must fail with it: `npm run mutate -- --named [TEXT]`. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TABLE = new URL('named-mutants.json', import.meta.url);
const ROOT = join(import.meta.dirname, '..');

/** A spec takes less than a minute; with some mutants it waits for ever, for example for a thread. */
const LONGEST_MS = 240_000;

const limit = { timeout: LONGEST_MS, killSignal: 'SIGKILL' };

/** What became of a mutant: killed where an assertion of its spec failed with it, or where the spec did not end. */
function run(index, spec) {
  const { stdout, signal } = spawnSync(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      '--config',
      'jest.named.config.js',
      '--ci',
      '--json',
      '--silent',
      '-w',
      '1',
      spec,
    ],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, TANDEM_MUTANT: String(index) },
      maxBuffer: 1 << 28,
      ...limit,
    },
  );
  if (signal !== null) return 'killed';
  const { numFailedTests, numTotalTests, numRuntimeErrorTestSuites } = JSON.parse(stdout);
  if (numTotalTests === 0 || numRuntimeErrorTestSuites > 0) return 'did not run';
  return numFailedTests > 0 ? 'killed' : 'survived';
}

/** @returns the exit code: 0 where every mutant whose name or file has `text` in it was killed */
export function runNamed(text = '') {
  const mutants = JSON.parse(readFileSync(TABLE, 'utf8')).map((mutant, index) => ({ ...mutant, index }));
  const chosen = mutants.filter(({ name, file }) => `${file} ${name}`.includes(text));
  const left = chosen.filter(({ name, file, spec, index }) => {
    const found = run(index, spec);
    console.log(`${found}: ${file}: ${name} (${spec})`);
    return found !== 'killed';
  });
  console.log(`${chosen.length - left.length} of ${chosen.length} named mutants killed`);
  return chosen.length > 0 && left.length === 0 ? 0 : 1;
}
