import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Project, pack, run } from './package/project';

/** What a program does that uses the package; prints the version and a text. */
const USE = `
  const tandem = await Tandem.load(undefined, { threads: 2 });
  const { text } = await tandem.generate('And it came to pass.', { maxNewTokens: 6 });
  if (typeof text !== 'string' || text.length === 0) throw new Error('expected a text, found ' + text);
  await tandem.dispose();
  console.log(VERSION, text);`;
const PRINTED = /^\d+\.\d+\.\d+ It came to pass\.\n$/;
const SERVER = `import { Tandem, VERSION } from 'tandem-t5'; async function main() {${USE}} main();`;

/** Megabytes of a folder, as its files count them. */
function megabytes(folder: string): number {
  const bytes = (at: string): number =>
    readdirSync(at, { withFileTypes: true })
      .map((entry) => (entry.isDirectory() ? bytes(join(at, entry.name)) : statSync(join(at, entry.name)).size))
      .reduce((sum, size) => sum + size, 0);
  return bytes(folder) / 1e6;
}

describe('the package, packed and installed into an empty project', () => {
  const project = new Project();
  const installed = join(project.folder, 'node_modules', 'tandem-t5');
  beforeAll(() => project.install([pack(project.folder)], 120), 600_000);
  afterAll(() => project.dispose());

  test('takes less than 80 MB and 25 packages, none of them for a gpu', () => {
    const lock = JSON.parse(readFileSync(join(project.folder, 'node_modules', '.package-lock.json'), 'utf8'));
    const names = Object.keys(lock.packages);
    expect(names).toContain('node_modules/tandem-t5');
    expect(names.length).toBeLessThan(25);
    expect(names.filter((name) => /gpu|node_modules\/gl$/.test(name))).toEqual([]);
    expect(megabytes(join(project.folder, 'node_modules'))).toBeLessThan(80);
  });

  test('runs no script when it is installed', () => {
    const lock = readFileSync(join(project.folder, 'package-lock.json'), 'utf8');
    expect(lock).toContain('node_modules/tandem-t5');
    expect(lock).not.toContain('hasInstallScript');
  });

  test('works from CommonJS', () => {
    const file = project.write(
      'use.cjs',
      `const { Tandem, VERSION } = require('tandem-t5'); (async () => {${USE}})();`,
    );
    expect(project.node(file)).toMatch(PRINTED);
  });

  test('works from ESM, and is the instance that CommonJS has, in both entries', () => {
    const file = project.write(
      'use.mjs',
      `import { createRequire } from 'node:module';
      import * as root from 'tandem-t5'; import * as core from 'tandem-t5/core'; import { Tandem, VERSION } from 'tandem-t5';
      const require = createRequire(import.meta.url);
      let count = 0;
      for (const [esm, cjs] of [[root, require('tandem-t5')], [core, require('tandem-t5/core')]]) {
        for (const name of Object.keys(cjs)) if (cjs[name] !== esm[name]) throw new Error('two instances of ' + name);
        count += Object.keys(cjs).length;
      }
      if (count < 20) throw new Error('expected names, found ' + count);
      ${USE}`,
    );
    expect(project.node(file)).toMatch(PRINTED);
  });

  describe('type checks strictly, declarations included,', () => {
    const text = `import { Tandem } from 'tandem-t5';
      import { loadModel } from 'tandem-t5/core';
      export const load: typeof loadModel = loadModel;
      export async function use(): Promise<string> {
        const tandem: Tandem = await Tandem.load();
        const result = await tandem.generate('text', { maxNewTokens: 4, signal: AbortSignal.timeout(9) });
        // @ts-expect-error the result's text is a string
        const wrong: number = result.text;
        return result.text + String(wrong);
      }`;
    beforeAll(() => project.lend('@types', 'undici-types'));

    test.each([
      ['node16', 'node16', 'es2022', ['use.cts', 'use.mts']],
      ['bundler', 'es2022', 'es2022,dom', ['use.ts']],
      ['node10', 'commonjs', 'es2022', ['use.ts']],
    ] as const)('with moduleResolution %s, module %s, lib %s (%s)', (resolution, module, lib, names) => {
      const flags = ['--noEmit', '--strict', '--target', 'es2022', '--lib', lib, '--types', 'node'];
      const files = names.map((name) => project.write(name, text));
      const how = ['--module', module, '--moduleResolution', resolution];
      project.tool('typescript/bin/tsc', ...flags, ...how, ...files);
    });
  });

  test('brings the command and the bundled pair', () => {
    const printed = project.bin('tandem', ['generate', 'And it came to pass.', '--json']);
    expect(JSON.parse(printed)).toMatchObject({
      text: expect.stringMatching(/^It came to pass\./),
      ids: expect.any(Array),
    });
  });

  test.each(['cjs', 'esm'])(
    'bundled for a server as %s by esbuild, finds the pair of the installed package',
    (format) => {
      const entry = project.write('server.ts', SERVER);
      const out = join('out', `server.${format === 'cjs' ? 'cjs' : 'mjs'}`);
      const bundle = ['--bundle', '--platform=node', '--log-level=warning', '--log-limit=0', `--outfile=${out}`];
      project.tool('esbuild/bin/esbuild', entry, `--format=${format}`, ...bundle);
      expect(project.node(out)).toMatch(PRINTED);
      // From another working folder it is found beside the program.
      expect(run(process.execPath, [join(project.folder, out)], '/')).toMatch(PRINTED);

      const alone = new Project();
      try {
        copyFileSync(join(project.folder, out), join(alone.folder, basename(out)));
        expect(() => alone.node(basename(out))).toThrow(/WeightsError: the bundled pair: .*--external:tandem-t5/);
      } finally {
        alone.dispose();
      }
    },
  );

  test('refuses the gpu backend by naming the package to install', () => {
    const file = project.write(
      'gpu.mjs',
      `import { createBackend } from 'tandem-t5/core';
      createBackend('gpu', { level: 'webgpu' }).then(() => { throw new Error('a gpu without a package') },
        (error) => console.log(error.name, error.code, error.message));`,
    );
    expect(project.node(file)).toMatch(/^KernelError unavailable gpu \(webgpu\): .*npm i(nstall)? webgpu/);
  });

  test('has a browser bundle that names no module of Node, and imports nothing that it does not bring', () => {
    const folder = join(installed, 'dist', 'browser');
    const files = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
    expect(files).toEqual(expect.arrayContaining(['index.mjs', 'core.mjs']));
    for (const name of files) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text).not.toMatch(/(from|import|require)\s*\(?["']node:/);
      const imported = [
        ...text.matchAll(/^\s*(?:import|export)\b[^"';]*?["']([^"']+)["'];$|\bimport\(["']([^"']+)["']\)/gm),
      ];
      const missing = imported.map((match) => match[1] ?? match[2]).filter((one) => !existsSync(join(folder, one)));
      expect([name, missing]).toEqual([name, []]);
    }
  });

  test('brings the licences of what its bundles contain, and the pages that README links to', () => {
    const licences = readFileSync(join(installed, 'dist', 'third-party.txt'), 'utf8');
    for (const name of ['gpu.js', 'acorn', 'gpu-mock.js']) expect(licences).toContain(`\n${name} `);
    const readme = readFileSync(join(installed, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(join(installed, link)))).toEqual([]);
  });
});
