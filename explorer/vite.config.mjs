/**
 * The explorer's build. Vite serves it while one works on it (`npm run explorer`), and writes it into build/explorer as files for
 * any static host (`npm run build:explorer`): all addresses are relative, and the bundled pair lies beside the page. With `--mode package` the
 * pair is left out: `tandem explore` serves it from where the package has it.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import {
  bundledModels,
  ownSources,
  withModules,
  withNumbers,
  withoutHelp,
  withoutParts,
  withSmallWasm,
  withTwins,
} from './build/plugins.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');

/** Only a page with these headers may share memory between threads. A static host lacks them; see public/isolate.js. */
const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
/** The package's own sources do nothing when they are imported: what a page does not use of them can be left out. */
const rolldownOptions = {
  treeshake: { moduleSideEffects: (id) => !/\/(common|weights|kernels|engine|decoding)\/[^?]*\.ts$/.test(id) },
};
const plugins = () => [
  withTwins(),
  withModules(),
  withoutParts(root),
  withoutHelp(),
  withNumbers(root),
  withSmallWasm(root),
];

export default defineConfig(({ mode }) => ({
  root: here,
  base: './',
  cacheDir: join(root, 'build', 'vite'),
  define: { SOURCES: JSON.stringify(ownSources(root)) },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [...plugins(), bundledModels(root, mode !== 'package')],
  worker: { format: 'es', plugins, rolldownOptions },
  server: { headers, fs: { allow: [root] } },
  preview: { headers },
  build: {
    outDir: join(root, 'build', 'explorer'),
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'], // the first ones with light-dark()
    modulePreload: false,
    reportCompressedSize: false,
    assetsInlineLimit: 0,
    rolldownOptions,
  },
}));
