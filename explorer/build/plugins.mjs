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

const ENTRIES = /[\\/]explorer[\\/](page[\\/]main\.tsx|engine[\\/]worker\.ts)/;

/**
 * Gives the entries an export. The bundler takes an entry without one for CommonJS, which is the package's type, and then puts a
 * function around every file.
 */
export const withModules = () => ({
  name: 'entries-are-modules',
  enforce: 'pre',
  transform: (code, id) => (ENTRIES.test(id) ? { code: `${code}\nexport {};`, map: null } : null),
});

/** What the page leaves out, by who imports it, and what stands for it. */
const LEFT_OUT = [
  // The page decodes with wasm, and gpu.js would be most of what it loads.
  { importers: ['kernels/registry.ts'], source: './gpu', instead: 'no-gpu.ts' },
  // The reference is what kernels are compared with in specs.
  { importers: ['kernels/registry.ts'], source: './reference', instead: 'no-reference.ts' },
  // Files of torch.save are large and old; what reads them would be a thirtieth of the page.
  { importers: ['weights/shards.ts'], source: './pickle', instead: 'no-torch-files.ts' },
  // Its controls always state γ as a number.
  { importers: ['decoding/run.ts'], source: './gamma/automatic', instead: 'no-automatic.ts' },
  { importers: ['decoding/run.ts', 'decoding/batch.ts'], source: './gamma/pair-costs', instead: 'no-automatic.ts' },
  { importers: ['decoding/round.ts'], source: './gamma/timing', instead: 'no-automatic.ts' },
  // No control of the page asks for a draft of a draft, for a table of n-grams, or for log-probabilities.
  { importers: ['decoding/drafters/ngram.ts'], source: './ngram-counts', instead: 'no-tables.ts' },
  { importers: ['decoding/drafters/model.ts'], source: './first-stage', instead: 'no-stages.ts' },
  { importers: ['decoding/sampling/score.ts'], source: './log-probs', instead: 'no-log-probs.ts' },
  { importers: ['decoding/score.ts'], source: './sampling/log-probs', instead: 'no-log-probs.ts' },
  // Expressions that take a search of their own are rare in tokenizers of T5.
  { importers: ['weights/tokenizer/pipeline/pattern.ts'], source: './expression-search', instead: 'no-expressions.ts' },
  // Its controls have no option of another library either.
  { importers: ['decoding/checks.ts', 'decoding/index.ts'], source: './processing-refused', instead: 'no-reasons.ts' },
  // The page's own controls say how it decodes, and it makes no embeddings.
  { importers: ['weights/checkpoint.ts'], source: './stated', instead: 'no-settings.ts' },
  { importers: ['weights/checkpoint.ts'], source: './embedding', instead: 'no-settings.ts' },
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

const OPTIONS = /[\\/](common|weights|kernels|engine|decoding|api)[\\/][^?]*\.ts$/;
const TEXT = '(?:\'(?:[^\'\\\\]|\\\\.)*\'|"(?:[^"\\\\]|\\\\.)*")';
const HELP = new RegExp(`(\\b(?:about|flag):\\s*)${TEXT}(?:\\s*\\+\\s*${TEXT})*`, 'g');

/** Leaves out the flags of options and what the command's help says of them. The page has controls of its own, and messages say what was expected. */
export const withoutHelp = () => ({
  name: 'without-help',
  enforce: 'pre',
  transform: (code, id) => (OPTIONS.test(id) ? { code: code.replaceAll(HELP, "$1''"), map: null } : null),
});

/** The numbers of each `const enum` in a source, by name. */
function numbersIn(source) {
  const enums = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').matchAll(/const enum (\w+) \{([^}]*)\}/g);
  return new Map(
    [...enums].map(([, name, body]) => {
      let next = 0;
      const members = body.split(',').filter((member) => member.trim() !== '');
      return [
        name,
        new Map(
          members.map((member) => {
            const [key, value] = member.split('=').map((part) => part.trim());
            const number = value === undefined ? next : Number(value);
            if (!Number.isInteger(number)) throw new Error(`${name}.${key}: expected a whole number, found ${value}`);
            next = number + 1;
            return [key, number];
          }),
        ),
      ];
    }),
  );
}

/** Puts the numbers of `kernels/wasm/layout.ts` in place of their names: compiled as an object of names it would be 14 kB. */
export const withNumbers = (root) => {
  const folder = join(root, 'kernels', 'wasm');
  const numbers = numbersIn(readFileSync(join(folder, 'layout.ts'), 'utf8'));
  return {
    name: 'layout-as-numbers',
    enforce: 'pre',
    transform(code, id) {
      if (!id.startsWith(folder) || !/from '\.{1,2}\/layout';/.test(code)) return null;
      const named = code.replaceAll(/\b([A-Z]\w+)\.(\w+)\b/g, (all, name, key) => numbers.get(name)?.get(key) ?? all);
      return { code: named, map: null };
    },
  };
};

const BASE64 = /(?<=export const base64 =\s*)'([^']+)'/;
/** Bytes of a module that stand together. Both modules are nearly the same, and the window of deflate has 32 KiB. */
const PIECE = 4096;

/** The file of the worker that settles when both modules are there. */
const UNPACKED = join('explorer', 'engine', 'wasm-code.ts');
const LEVELS = ['simd', 'relaxed'];

/**
 * Carries the two small wasm modules compressed, in place of the base64 of the others, piece beside piece, so that what they have in common is
 * there once: that takes four fifths of what a host sends. The worker inflates them when it starts. No module awaits that at its
 * top: a bundle with such a module runs every other one from a function of its own.
 */
export const withSmallWasm = (root) => ({
  name: 'small-wasm',
  enforce: 'pre',
  apply: 'build',
  transform(_, id) {
    const generated = (name) => join(root, 'kernels', 'wasm', 'generated', `${name}.ts`);
    const small = (level) => readFileSync(generated(`${level}Small`), 'utf8');
    if (id === join(root, UNPACKED)) {
      const modules = LEVELS.map((level) => moduleIn(small(level), level));
      const lengths = modules.map(({ length }) => length);
      const packed = deflateRawSync(Buffer.concat([...pieces(modules)]), { level: 9 }).toString('base64');
      const inflating = `inflated('${packed}', ${JSON.stringify(lengths)}, ${PIECE})`;
      return { code: `export const unpacked = ${inflating};\n${INFLATED}`, map: null };
    }
    const index = LEVELS.findIndex((level) => id === generated(level));
    if (index < 0) return null;
    const own = `let base64 = '';\nunpacked.then((both) => { base64 = both[${index}]; });\nexport { base64 };`;
    const rest = small(LEVELS[index]).replace(/export const base64 =\s*'[^']+';/, own);
    return { code: `import { unpacked } from ${JSON.stringify(join(root, UNPACKED))};\n${rest}`, map: null };
  },
});

function moduleIn(source, level) {
  const [, base64] = BASE64.exec(source) ?? [];
  if (base64 === undefined) throw new Error(`${level}: expected the small module as base64, found none`);
  return Buffer.from(base64, 'base64');
}

function* pieces(modules) {
  const longest = Math.max(...modules.map(({ length }) => length));
  for (let at = 0; at < longest; at += PIECE) for (const one of modules) yield one.subarray(at, at + PIECE);
}

/** A function of the worker, so it is text: both modules as base64. */
const INFLATED = `
async function inflated(base64, lengths, piece) {
  const small = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
  const stream = new Blob([small]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const texts = lengths.map(() => '');
  let from = 0;
  for (let at = 0; from < bytes.length; at += piece) {
    lengths.forEach((length, i) => {
      const end = from + Math.max(0, Math.min(piece, length - at));
      texts[i] += String.fromCharCode(...bytes.subarray(from, end));
      from = end;
    });
  }
  return texts.map((text) => btoa(text));
}`;

const MODELS = 'models';

/** The bundled pair's description, and the files of both models that it names: their directories hold more. */
function modelFiles(root) {
  const { files } = JSON.parse(readFileSync(join(root, MODELS, 'pair.json'), 'utf8'));
  return ['pair.json', ...Object.entries(files).flatMap(([folder, names]) => names.map((name) => `${folder}/${name}`))];
}

/** Puts the bundled pair beside the page: while vite serves it, and, where `copies` says so, when it is built. */
export const bundledModels = (root, copies) => {
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
      if (copies) for (const name of modelFiles(root)) cpSync(join(root, MODELS, name), join(outDir, MODELS, name));
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
