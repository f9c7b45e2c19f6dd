import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The output of `npm run mutate -- ARGS`. */
function mutate(...args: string[]) {
  const root = join(__dirname, '..', '..');
  return spawnSync(process.execPath, ['scripts/mutate.mjs', ...args], { cwd: root, encoding: 'utf8' });
}

it('every named mutant is killed by its spec', () => {
  const { status, stdout, stderr } = mutate('--named');
  expect({ left: stdout.match(/^(survived|did not run).*/gm), stderr }).toEqual({ left: null, stderr: '' });
  expect(status).toBe(0);
});
