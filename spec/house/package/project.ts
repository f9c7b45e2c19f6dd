import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const ROOT = join(__dirname, '..', '..', '..');
const MODULES = join(ROOT, 'node_modules');

/** Install scripts stay out: no package that is installed here needs one. */
const NPM_FLAGS = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
/** For npm's own patience: it asks for one package after the other, and gives each several minutes. */
const PATIENCE = ['--fetch-retries=1', '--fetch-timeout=20000', '--fetch-retry-mintimeout=1000'];

/** Runs a command to its end; what it printed, or an error with both of its streams. */
export function run(command: string, args: readonly string[], cwd: string, timeout = 120_000): string {
  try {
    const env = { ...process.env, NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1' };
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', env, timeout, killSignal: 'SIGKILL' });
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code?: string };
    const how = code === 'ETIMEDOUT' ? `did not end within ${timeout / 1000} s` : 'failed';
    throw new Error(`${command} ${args.join(' ')} ${how}:\n${stdout}\n${stderr}`);
  }
}

/** Builds this checkout and packs it as npm would publish it. Returns the tarball. */
export function pack(to: string): string {
  run(process.execPath, ['scripts/build.mjs', '--quiet'], ROOT);
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', to], ROOT);
  const name = readdirSync(to).find((one) => one.endsWith('.tgz'));
  if (name === undefined) throw new Error(`npm pack: expected a tarball in ${to}, found none`);
  return join(to, name);
}

/** An empty project of somebody else, in a temporary folder of its own. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-project-'));

  constructor() {
    this.write('package.json', '{ "name": "project", "private": true }');
  }

  /** Installs tarballs and packages of the registry. Whatever npm waits for, it ends within `seconds`. */
  install(wanted: readonly string[], seconds: number): void {
    try {
      run('npm', ['install', ...NPM_FLAGS, ...PATIENCE, ...wanted], this.folder, seconds * 1000);
    } catch (error) {
      throw new Error(`This spec installs from the npm registry. Can it be reached (npm view commander)?\n${error}`);
    }
  }

  /** Writes a file and returns its name. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return name;
  }

  node(...args: string[]): string {
    return run(process.execPath, args, this.folder);
  }

  /** Runs a command of a package that this project installed. */
  bin(name: string, args: readonly string[], timeout?: number): string {
    return run(join('node_modules', '.bin', name), args, this.folder, timeout);
  }

  /** Runs a development tool of this checkout on the project. */
  tool(path: string, ...args: string[]): string {
    return run(process.execPath, [join(MODULES, path), ...args], this.folder);
  }

  /** Lends packages of this checkout to the project, such as Node's declarations, which every TypeScript project has. */
  lend(...names: string[]): void {
    for (const name of names) symlinkSync(join(MODULES, name), join(this.folder, 'node_modules', name));
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
