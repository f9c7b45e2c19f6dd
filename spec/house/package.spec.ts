import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const MODULES = join(ROOT, 'node_modules');

/** Runs a command to its end; what it printed, or an error with both of its streams. */
function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, NO_COLOR: '1' },
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  }
}
const node = (args: readonly string[], cwd: string) => run(process.execPath, args, cwd);

describe('the package, packed and installed into an empty project', () => {
  const project = mkdtempSync(join(tmpdir(), 'tandem-package-'));
  const installed = join(project, 'node_modules', 'tandem-t5');

  beforeAll(() => {
    node(['scripts/build.mjs', '--quiet'], ROOT);
    run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], ROOT);
    const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) as string;
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }');
    // Install scripts are left out: they belong to an optional native module, and building it takes minutes.
    const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    run('npm', ['install', ...quick, `./${tarball}`], project);
  }, 300_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  function script(name: string, text: string): string {
    writeFileSync(join(project, name), text);
    return name;
  }

  const USE = `const tandem = await Tandem.load({ threads: 1 });
    const { text } = await tandem.generate('And it came to pass.', { maxNewTokens: 6 });
    if (typeof text !== 'string' || text.length === 0) throw new Error('no text: ' + text);
    await tandem.dispose();
    console.log(VERSION, text);`;

  test('works from CommonJS', () => {
    const file = script('use.cjs', `const { Tandem, VERSION } = require('tandem-t5'); (async () => { ${USE} })();`);
    expect(node([file], project)).toMatch(/^\d+\.\d+\.\d+ \S/);
  });

  test('works from ESM, and is the very instance that CommonJS has', () => {
    const file = script(
      'use.mjs',
      `import { createRequire } from 'node:module'; import * as esm from 'tandem-t5'; import { Tandem, VERSION } from 'tandem-t5';
      const cjs = createRequire(import.meta.url)('tandem-t5');
      for (const name of Object.keys(cjs)) if (cjs[name] !== esm[name]) throw new Error('two instances of ' + name);
      ${USE}`,
    );
    expect(node([file], project)).toMatch(/^\d+\.\d+\.\d+ \S/);
  });

  test.each([
    ['node16', 'use.cts'],
    ['node16', 'use.mts'],
    ['bundler', 'use.ts'],
    ['node10', 'use.ts'],
  ])('type checks strictly, declarations included, with moduleResolution %s (%s)', (resolution, name) => {
    const file = script(
      name,
      `import { Tandem, type GenerateResult } from 'tandem-t5';
      export async function use(): Promise<string> {
        const tandem: Tandem = await Tandem.load();
        const result: GenerateResult = await tandem.generate('text', { maxNewTokens: 4, signal: AbortSignal.timeout(9) });
        // @ts-expect-error the result's text is a string
        const wrong: number = result.text;
        return result.text + String(wrong);
      }`,
    );
    symlinkTypes(project);
    const module = { node16: 'node16', bundler: 'es2022', node10: 'commonjs' }[resolution] as string;
    const lib = resolution === 'bundler' ? 'es2022,dom' : 'es2022'; // with a page's declarations and without
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--lib', lib, '--types', 'node'];
    const tsc = join(MODULES, 'typescript', 'bin', 'tsc');
    node([tsc, ...flags, '--module', module, '--moduleResolution', resolution, file], project);
  });

  test('brings the command and the bundled pair', () => {
    const bin = join('node_modules', '.bin', 'tandem');
    const printed = run(
      bin,
      ['generate', 'And it came to pass.', '--max-tokens', '6', '--json', '--no-compare'],
      project,
    );
    expect(JSON.parse(printed)).toMatchObject({ text: expect.stringMatching(/\S/), ids: expect.any(Array) });
  });

  test('has a browser bundle that names no module of Node', () => {
    const folder = join(installed, 'dist', 'browser');
    const files = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
    expect(files).toContain('index.mjs');
    for (const name of files) {
      expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/(from|import|require)\s*\(?["']node:/);
    }
  });
});

/** Node's declarations, which name AbortSignal: what a TypeScript project on Node has anyway. */
function symlinkTypes(project: string): void {
  for (const name of ['@types', 'undici-types']) {
    try {
      symlinkSync(join(MODULES, name), join(project, 'node_modules', name));
    } catch {
      // there already
    }
  }
}
