/**
 * Builds what the package ships, into dist/. Every entry of package.json's `exports` (`.` is index.ts, `./core` is core.ts)
 * comes in three forms:
 *
 *   tandem.cjs + <entry>.cjs, <entry>.mjs   what Node runs: one CommonJS bundle of all entries, and thin files that hand its
 *                                           names on, so that a program which both imports and requires has one copy
 *   bundler/<entry>.mjs                     ES modules for a bundler that builds for Node: CommonJS cannot become ESM there
 *   browser/<entry>.mjs                     ES modules for pages and web workers, with `x.browser` in place of `x.node`
 *
 * Beside them: declarations, the command (cli.cjs), the explorer's page (explorer/, which `tandem explore` serves), gpu.js (gpu.cjs, loaded only when a gpu backend is created), the program of
 * the engine's worker (worker-program.cjs, and browser/worker-program.mjs for pages; loaded only when a worker is asked for)
 * and the licences of what the bundles contain.
 *
 *   node scripts/build.mjs            everything
 *   node scripts/build.mjs --code     keeps the declarations and the page that are there (one second instead of ten)
 *   node scripts/build.mjs --explorer the explorer's page alone
 *   node scripts/build.mjs --entry FILE --to FILE   one entry alone, for specs; FILE lies one folder below the root. With
 *                                     --worker it is a bundle that jest can load, with the worker's program beside it
 *   node scripts/build.mjs --browser --to FOLDER    browser/ alone, into FOLDER
 *   node scripts/build.mjs --page FILE --to FILE    a classic script for a page, from an entry of the specs
 *   --quiet prints nothing
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { licencesOf } from './package/licences.mjs';
import { browserTwins, gpuJsAt } from './package/plugins.mjs';
import { buildWorkerForNode, buildWorkersForBrowsers, workerProgramsAt } from './package/worker.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { dependencies, peerDependencies, version } = manifest;
/** `index` for `.`, `core` for `./core`. */
const entries = Object.keys(manifest.exports)
  .filter((name) => name !== './package.json')
  .map((name) => (name === '.' ? 'index' : name.slice('./'.length)));
/** What an installation finds in its own node_modules. */
const external = [...Object.keys(dependencies), ...Object.keys(peerDependencies)];

const common = { absWorkingDir: root, bundle: true, logLevel: 'warning', metafile: true };
const forNode = { ...common, platform: 'node', target: 'node20', external };
const asModules = { outExtension: { '.js': '.mjs' }, format: 'esm', splitting: true };
const sources = entries.map((entry) => `${entry}.ts`);

/** What lies beside the bundles in `folder`, and is loaded only when it is needed. */
const beside = (folder) => [gpuJsAt(`${folder}/gpu.cjs`), workerProgramsAt(folder, 'cjs')];

/** The CommonJS bundle of all entries: an object with one member for each. */
function buildTogether(outfile) {
  const contents = entries.map((entry) => `export * as ${entry} from './${entry}';`).join('\n');
  const stdin = { contents, resolveDir: root, sourcefile: 'entries.ts', loader: 'ts' };
  return build({ ...forNode, stdin, outfile, format: 'cjs', plugins: beside('.') });
}

function buildCommand(outfile) {
  const entryPoints = ['cli/index.ts'];
  return build({ ...forNode, entryPoints, outfile, format: 'cjs', plugins: beside('.') });
}

function buildForBundlers(outdir) {
  return build({ ...forNode, ...asModules, entryPoints: sources, outdir, plugins: beside('..') });
}

async function buildForBrowsers(outdir) {
  await buildWorkersForBrowsers(root, outdir);
  return build({
    ...common,
    ...asModules,
    entryPoints: sources,
    outdir,
    platform: 'browser',
    target: 'es2022',
    plugins: [browserTwins, workerProgramsAt('.', 'mjs')],
  });
}

/** A script that a page runs without modules. Specs run in it, so it holds gpu.js too. */
function buildPage(entry, outfile) {
  const settings = { ...common, platform: 'browser', target: 'es2022', format: 'iife', plugins: [browserTwins] };
  return build({ ...settings, entryPoints: [entry], outfile });
}

/** gpu.js and the packages that it runs with. Its package also installs `webgpu` 0.2.9 (88 MB), which it never loads. */
function buildGpuJs(outfile) {
  return build({ ...forNode, entryPoints: ['gpu.js'], outfile, format: 'cjs' });
}

/** `<entry>.cjs` and `<entry>.mjs`, which hand on one member of tandem.cjs. */
function writeFaces(dist) {
  const together = require(join(dist, 'tandem.cjs'));
  for (const entry of entries) {
    const names = Object.keys(together[entry]).filter((name) => name !== 'default');
    if (names.length === 0) throw new Error(`build: expected ${entry}.ts to export a value, found none`);
    writeFileSync(join(dist, `${entry}.cjs`), `'use strict';\nmodule.exports = require('./tandem.cjs').${entry};\n`);
    const lines = [`import together from './tandem.cjs';`, `export const { ${names.join(', ')} } = together.${entry};`];
    writeFileSync(join(dist, `${entry}.mjs`), `${lines.join('\n')}\n`);
  }
}

const declarations = entries.flatMap((entry) => [`${entry}.d.cts`, `${entry}.d.mts`]);

function buildTypes(dist) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(dist, 'types')], {
    cwd: root,
    stdio: 'inherit',
  });
  // Declarations of the inner files name these; only the DOM library declares them. Where it is there, both merge.
  const names = ['Instance', 'Memory', 'Module'].map((name) => `interface ${name} {}`);
  writeFileSync(join(dist, 'types', 'wasm.d.ts'), `declare namespace WebAssembly { ${names.join(' ')} }\n`);
  for (const name of declarations) {
    const entry = name.slice(0, name.indexOf('.'));
    const face = `/// <reference path="./types/wasm.d.ts" />\nexport * from './types/${entry}.js';\n`;
    writeFileSync(join(dist, name), face);
  }
}

async function buildAll(codeOnly) {
  const dist = join(root, 'dist');
  const fresh = join(root, 'build', `dist.${process.pid}`); // built beside dist/ and then swapped: a failed build breaks nothing
  mkdirSync(fresh, { recursive: true });
  try {
    const results = await Promise.all([
      buildTogether(join(fresh, 'tandem.cjs')),
      buildCommand(join(fresh, 'cli.cjs')),
      buildForBundlers(join(fresh, 'bundler')),
      buildForBrowsers(join(fresh, 'browser')),
      buildGpuJs(join(fresh, 'gpu.cjs')),
      buildWorkerForNode(root, join(fresh, 'worker-program.cjs'), Object.keys(peerDependencies)),
    ]);
    writeFaces(fresh);
    writeFileSync(join(fresh, 'third-party.txt'), licencesOf(results, root));
    if (codeOnly) keepOld(dist, fresh);
    else {
      buildTypes(fresh);
      buildPages(fresh);
    }
    if (existsSync(dist)) renameSync(dist, `${fresh}.old`);
    renameSync(fresh, dist);
  } finally {
    for (const path of [fresh, `${fresh}.old`]) rmSync(path, { recursive: true, force: true });
  }
}

/** The explorer's page, without the models: the package has them once. */
function buildPages(dist) {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const args = ['build', '--config', 'explorer/vite.config.mjs', '--mode', 'package', '--logLevel', 'warn'];
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, [vite, ...args, '--outDir', join(dist, 'explorer')], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
}

function keepOld(dist, fresh) {
  for (const kept of ['types', 'explorer', ...declarations]) {
    if (existsSync(join(dist, kept))) renameSync(join(dist, kept), join(fresh, kept));
  }
}

const { values } = parseArgs({
  options: {
    browser: { type: 'boolean' },
    code: { type: 'boolean' },
    entry: { type: 'string' },
    explorer: { type: 'boolean' },
    page: { type: 'string' },
    quiet: { type: 'boolean' },
    to: { type: 'string' },
    worker: { type: 'boolean' },
  },
});
if (values.entry !== undefined) {
  const alone = { ...forNode, external: [...external, 'gpu.js'], format: 'cjs', metafile: false };
  // Jest runs no `import()`, so a bundle that jest loads has none.
  const forJest = values.worker ? { supported: { 'dynamic-import': false } } : {};
  const plugins = [workerProgramsAt('.', 'cjs')];
  await build({ ...alone, ...forJest, entryPoints: [values.entry], outfile: values.to, plugins });
  if (values.worker) {
    await buildWorkerForNode(root, join(dirname(values.to), 'worker-program.cjs'), Object.keys(peerDependencies));
  }
} else if (values.page !== undefined) await buildPage(values.page, values.to);
else if (values.explorer) buildPages(join(root, 'dist'));
else if (values.browser) await buildForBrowsers(values.to);
else await buildAll(values.code);
if (!values.quiet) console.log(`${values.to ?? 'dist/'} built: tandem-t5 ${version}`);
