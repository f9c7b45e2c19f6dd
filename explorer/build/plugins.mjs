/** Plugins for vite: the browser's twins of files, the models beside the page, and the sources that the page shows. */
import { cpSync, createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { excerptOf, SHOWN } from './excerpts.mjs';

/** Replaces `./x.node` by `./x.browser`, its twin with the same exports, as scripts/package/plugins.mjs does. */
export const withTwins = () => ({
  name: 'browser-twins',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!importer || !/^\.{1,2}\/.*\.node$/.test(source)) return null;
    const twin = join(dirname(importer), `${source.slice(0, -'.node'.length)}.browser.ts`);
    if (!existsSync(twin)) throw new Error(`expected ${twin}, the browser's twin of ${source}, found none`);
    return twin;
  },
});

/** What the page leaves out, by who imports it, and what stands for it. */
const LEFT_OUT = [
  // The page decodes with wasm, and gpu.js would be most of what it loads.
  { importers: ['kernels/registry.ts'], source: './gpu', instead: 'no-gpu.ts' },
  // Files of torch.save are large and old; what reads them would be a thirtieth of the page.
  { importers: ['weights/shards.ts', 'weights/embedding.ts'], source: './pickle', instead: 'no-torch-files.ts' },
];

/** Leaves out parts of the package that the page can do without. */
export const withoutParts = (root) => ({
  name: 'without-parts',
  enforce: 'pre',
  resolveId(source, importer) {
    const left = LEFT_OUT.find(
      (part) => part.source === source && part.importers.some((file) => importer === join(root, file)),
    );
    return left ? join(root, 'explorer', 'engine', left.instead) : null;
  },
});

/**
 * Carries the wasm modules compressed, in place of their base64: that takes two thirds of what a host sends. The worker
 * inflates them when it starts.
 */
export const withSmallWasm = () => ({
  name: 'small-wasm',
  enforce: 'pre',
  apply: 'build',
  transform(code, id) {
    if (!/[\\/]kernels[\\/]wasm[\\/]generated[\\/]\w+\.ts$/.test(id)) return null;
    const [, base64] = /export const base64 =\s*'([^']+)'/.exec(code) ?? [];
    if (base64 === undefined) throw new Error(`${id}: expected the module as base64, found none`);
    const small = deflateRawSync(Buffer.from(base64, 'base64'), { level: 9 }).toString('base64');
    return { code: `${code.replace(base64, '').replace("''", `await inflated('${small}')`)}\n${INFLATED}`, map: null };
  },
});

/** A function of the worker, so it is text. */
const INFLATED = `
async function inflated(base64) {
  const small = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
  const stream = new Blob([small]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}`;

const MODELS = 'models';
/** What the page reads of each model. */
const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

function modelFiles(root) {
  const pair = JSON.parse(readFileSync(join(root, MODELS, 'pair.json'), 'utf8'));
  const folders = [pair.target, pair.draft];
  return ['pair.json', ...folders.flatMap((folder) => FILES.map((file) => `${folder}/${file}`))];
}

/** Puts the bundled pair beside the page: while vite serves it, and when it is built. */
export const bundledModels = (root) => {
  let outDir = '';
  return {
    name: 'bundled-models',
    configResolved(config) {
      outDir = config.build.outDir;
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://a').pathname)).slice(1);
        const name = path.slice(MODELS.length + 1);
        if (!path.startsWith(`${MODELS}/`) || !modelFiles(root).includes(name)) return next();
        response.setHeader('content-length', statSync(join(root, path)).size);
        return createReadStream(join(root, path)).pipe(response);
      });
    },
    closeBundle() {
      for (const name of modelFiles(root)) cpSync(join(root, MODELS, name), join(outDir, MODELS, name));
    },
  };
};

/** The functions that the page shows beside each step, from the sources as they are. */
export function ownSources(root) {
  return Object.fromEntries(
    Object.entries(SHOWN).map(([name, { file, from }]) => [
      name,
      { file, ...excerptOf(readFileSync(join(root, file), 'utf8'), from, file) },
    ]),
  );
}
