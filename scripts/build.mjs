/**
 * Builds what the package ships into dist/: one CommonJS bundle that Node runs, an ESM face of that same instance (so that
 * a program which both imports and requires Tandem has one copy), a browser bundle with `x.browser` in place of `x.node`,
 * declarations for all three, and the command.
 *
 *   node scripts/build.mjs            everything
 *   node scripts/build.mjs --code     leaves the declarations alone (a second instead of ten); --quiet says nothing
 *   node scripts/build.mjs --entry FILE --to FILE   one entry alone, for specs; one folder below the root
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { dependencies, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const external = Object.keys(dependencies);

const common = {
  absWorkingDir: root,
  bundle: true,
  logLevel: 'warning',
};
const forNode = { ...common, platform: 'node', target: 'node20', format: 'cjs', external };

/** Swaps `./x.node` for `./x.browser`, its twin with the same exports. */
const browserTwins = {
  name: 'browser-twins',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.node$/ }, ({ path, resolveDir }) => {
      const twin = join(resolveDir, `${path.slice(0, -'.node'.length)}.browser.ts`);
      if (existsSync(twin)) return { path: twin };
      return { errors: [{ text: `expected ${twin}, the browser's twin of ${path}, found none` }] };
    });
  },
};

const entries = ['index', 'core'];

async function buildEntry(entry, outfile) {
  await build({ ...forNode, entryPoints: [entry], outfile });
}

/** One CommonJS bundle of all entries: an object with one member for each, so that both entries share every class. */
async function buildTogether(outfile) {
  const contents = entries.map((entry) => `export * as ${entry} from './${entry}';`).join('\n');
  await build({ ...forNode, stdin: { contents, resolveDir: root, sourcefile: 'entries.ts', loader: 'ts' }, outfile });
}

async function buildBrowser(outdir) {
  await build({
    ...common,
    entryPoints: entries.map((entry) => `${entry}.ts`),
    outdir,
    outExtension: { '.js': '.mjs' },
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    splitting: true,
    external: ['gpu.js'],
    alias: { '@huggingface/hub': './node_modules/@huggingface/hub/dist/browser/index.mjs' }, // its exports have no browser condition
    plugins: [browserTwins],
  });
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

function buildTypes(dist) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(dist, 'types')], {
    cwd: root,
    stdio: 'inherit',
  });
  // Names that inner declarations mention and only the DOM library has; where that is there, these merge with it.
  const names = ['Instance', 'Memory', 'Module'].map((name) => `interface ${name} {}`);
  writeFileSync(join(dist, 'types', 'wasm.d.ts'), `declare namespace WebAssembly { ${names.join(' ')} }\n`);
  for (const entry of entries) {
    const face = `/// <reference path="./types/wasm.d.ts" />\nexport * from './types/${entry}.js';\n`;
    for (const ending of ['d.cts', 'd.mts']) writeFileSync(join(dist, `${entry}.${ending}`), face);
  }
}

async function buildAll(codeOnly) {
  const dist = join(root, 'dist');
  const fresh = join(root, 'build', `dist.${process.pid}`); // built beside and then swapped, so that a failed build breaks nothing
  mkdirSync(fresh, { recursive: true });
  try {
    await Promise.all([
      buildTogether(join(fresh, 'tandem.cjs')),
      buildEntry('cli/index.ts', join(fresh, 'cli.cjs')),
      buildBrowser(join(fresh, 'browser')),
    ]);
    writeFaces(fresh);
    if (!codeOnly) buildTypes(fresh);
    else if (existsSync(join(dist, 'types'))) {
      const declarations = entries.flatMap((entry) => [`${entry}.d.cts`, `${entry}.d.mts`]);
      for (const kept of ['types', ...declarations]) {
        if (existsSync(join(dist, kept))) renameSync(join(dist, kept), join(fresh, kept));
      }
    }
    if (existsSync(dist)) renameSync(dist, `${fresh}.old`);
    renameSync(fresh, dist);
  } finally {
    for (const path of [fresh, `${fresh}.old`]) rmSync(path, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { code: { type: 'boolean' }, quiet: { type: 'boolean' }, entry: { type: 'string' }, to: { type: 'string' } },
});
if (values.entry !== undefined) await buildEntry(values.entry, values.to);
else await buildAll(values.code);
if (!values.quiet) console.log(`${values.to ?? 'dist/'} built: tandem-t5 ${version}`);
