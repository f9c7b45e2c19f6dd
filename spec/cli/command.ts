import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const FILE = join('build', `cli-${process.pid}-${Math.random().toString(36).slice(2)}.cjs`);

export const BUNDLED = {
  target: join(ROOT, 'models', 'modernize-target'),
  draft: join(ROOT, 'models', 'modernize-draft'),
};

/**
 * Builds the command, or another entry, from the sources as they are now, for the specs of one file.
 *
 * @param worker with the program of the engine's worker beside it
 */
export function buildCommand(entry: string = 'cli/index.ts', worker = false): void {
  const args = ['scripts/build.mjs', '--quiet', '--entry', entry, '--to', FILE, ...(worker ? ['--worker'] : [])];
  execFileSync(process.execPath, args, {
    cwd: ROOT,
    stdio: 'pipe',
  });
}

export function removeCommand(): void {
  rmSync(join(ROOT, FILE), { force: true });
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tandem ARGS` to its end with some standard input. */
export function tandem(args: readonly string[], input = ''): Outcome {
  const env = { ...process.env, FORCE_COLOR: undefined, NO_COLOR: undefined };
  const run = spawnSync(process.execPath, [FILE, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    input,
    env,
    timeout: 110_000,
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

/** Starts `tandem ARGS` without waiting. Its standard input stays open. */
export function startTandem(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, [FILE, ...args], { cwd: ROOT, stdio: 'pipe', env: { ...process.env, ...env } });
}

/** A failure as the command promises it: one line, no stack trace, nothing on standard output. */
export function expectOneLine({ stderr }: Outcome, message: string | RegExp): void {
  expect(stderr).toMatch(/^tandem: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\n\s+at |Error:/);
  expect(stderr).toMatch(message);
}
