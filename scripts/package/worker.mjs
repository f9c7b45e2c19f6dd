/**
 * The program of the worker that `Tandem.load(…, { worker: true })` starts, as a module that exports its text. A worker that
 * starts from text needs no file to be found: any bundler carries it, and it is loaded only when a worker is asked for.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { browserTwins, gpuJsAt } from './plugins.mjs';

/**
 * Node runs the text without a file of its own. `require` is then made from the file that started the worker, so that it
 * finds what lies beside that file.
 */
const REQUIRE =
  "var require = globalThis.require('node:module').createRequire(globalThis.require('node:worker_threads').workerData.from);";

const shared = {
  bundle: true,
  write: false,
  metafile: true,
  logLevel: 'warning',
  minifySyntax: true,
  minifyWhitespace: true,
};

function bundleForNode(root, external) {
  return build({
    ...shared,
    absWorkingDir: root,
    entryPoints: ['api/worker/entry.node.ts'],
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external,
    supported: { 'dynamic-import': false }, // `import()` would look from the working directory
    banner: { js: REQUIRE },
    plugins: [gpuJsAt('./gpu.cjs')],
  });
}

/** gpu.js is three quarters of a program that holds it, so there is one with it and one without. */
function bundleForBrowsers(root, withGpu) {
  return build({
    ...shared,
    absWorkingDir: root,
    entryPoints: ['api/worker/entry.browser.ts'],
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    external: withGpu ? [] : ['gpu.js'],
    plugins: [browserTwins],
  });
}

/** Writes the module for Node (`.cjs`). @returns what esbuild tells of the bundle */
export async function buildWorkerForNode(root, outfile, external) {
  const result = await bundleForNode(root, external);
  write(outfile, `exports.PROGRAM = ${JSON.stringify(result.outputFiles[0].text)};\n`);
  return result;
}

/** Writes the modules for pages: `worker-program.mjs`, and `worker-program-gpu.mjs` with gpu.js. */
export async function buildWorkersForBrowsers(root, folder) {
  for (const withGpu of [false, true]) {
    const result = await bundleForBrowsers(root, withGpu);
    const text = `export const PROGRAM = ${JSON.stringify(result.outputFiles[0].text)};\n`;
    write(join(folder, withGpu ? 'worker-program-gpu.mjs' : 'worker-program.mjs'), text);
  }
}

function write(outfile, text) {
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(outfile, text);
}

/** Makes `import('./program')` and `import('./program-gpu')` of api/worker load the modules beside the bundle, in `folder`. */
export const workerProgramsAt = (folder, ending) => ({
  name: 'worker-programs-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/program(-gpu)?$/ }, ({ path, importer }) =>
      /[\\/]api[\\/]worker[\\/]start\.\w+\.ts$/.test(importer)
        ? { path: `${folder}/worker-${path.slice('./'.length)}.${ending}`, external: true }
        : undefined,
    );
  },
});
