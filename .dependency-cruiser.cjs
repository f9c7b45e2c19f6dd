/**
 * The import rule of docs/decisions.md: cli imports server, both of them and explorer import api, cli and explorer import testing,
 * api and testing import decoding, decoding imports engine, engine imports kernels and weights, everything may import common, and
 * nothing imports the other way. One folder imports another through its index.ts only. Node's own modules are imported only in files
 * that run only in Node. No file imports itself through others.
 */

/** What each folder of the product may import besides itself. */
const MAY_IMPORT = {
  common: [],
  weights: ['common'],
  kernels: ['common'],
  engine: ['common', 'kernels', 'weights'],
  decoding: ['common', 'engine', 'kernels', 'weights'],
  api: ['common', 'decoding', 'engine', 'kernels', 'weights'],
  server: ['common', 'api', 'decoding', 'engine', 'kernels', 'weights'],
  testing: ['common', 'decoding', 'engine', 'kernels', 'weights'],
  cli: ['common', 'api', 'server', 'testing', 'bench', 'decoding', 'engine', 'kernels', 'weights'],
  transformers: ['common', 'api', 'weights'],
  explorer: ['common', 'api', 'testing', 'decoding', 'engine', 'kernels', 'weights'],
};

const PRODUCT = Object.keys(MAY_IMPORT);
const OTHERS = ['bench', 'examples', 'scripts', 'spec'];
/** The package's entries: they export again what the folders export. */
const ENTRIES = '^(index|core|testing|transformers)\\.ts$';
/** What `tandem bench` ships of the benches. */
const SHIPPED_OF_BENCH = '^bench/(index|harness/(figures|kernelBench|probeCode|roofline|scalarProbe|wasmProbe)|kernels/.*)\\.ts$';
/** What builds the explorer runs in Node. */
const EXPLORERS_BUILD = '^explorer/(build/|vite\\.config\\.mjs$)';
const anyOf = (names) => `^(${names.join('|')})/`;

const oneWay = PRODUCT.map((room) => ({
  name: `${room}-imports-downwards`,
  comment: `${room}/ may import ${MAY_IMPORT[room].join(', ') || 'no other folder'}`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: {
    path: [anyOf([...PRODUCT, ...OTHERS].filter((other) => other !== room && !MAY_IMPORT[room].includes(other))), ENTRIES],
  },
}));

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'through-index-only',
      comment: 'a folder is imported through its index.ts; its inner files may change at any time',
      severity: 'error',
      from: { path: '^([^/]+)/', pathNot: anyOf(OTHERS) },
      to: { path: anyOf(PRODUCT), pathNot: ['^$1/', '^[^/]+/index\\.ts$'] },
    },
    {
      name: 'bench-through-index-only',
      comment: 'the command ships what bench/index.ts exports, which imports nothing that only developers install',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^bench/', pathNot: '^bench/index\\.ts$' },
    },
    {
      name: 'root-through-index-only',
      comment: "the package's entries export again what the folders export",
      severity: 'error',
      from: { path: ENTRIES },
      to: { path: anyOf(PRODUCT), pathNot: '^[^/]+/index\\.ts$' },
    },
    {
      name: 'node-modules-in-node-files',
      comment: "Node's own modules are imported in *.node.ts (which has a *.browser.ts twin), in server/ and in cli/: the rest runs in browsers",
      severity: 'error',
      from: { path: [anyOf(PRODUCT), ENTRIES], pathNot: ['\\.node\\.ts$', '^(cli|server)/', EXPLORERS_BUILD] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-development-dependencies',
      comment:
        'what the package imports when it runs must be in dependencies; gpu.js is bundled into dist/ by scripts/build.mjs, and what the explorer needs into its site by vite',
      severity: 'error',
      from: { path: [anyOf(PRODUCT), ENTRIES, SHIPPED_OF_BENCH], pathNot: ['^kernels/wasm/assembly/', EXPLORERS_BUILD] },
      to: {
        path: '.',
        pathNot: '^node_modules/(gpu\\.js|preact)/',
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'resolvable',
      comment: 'an import that cannot be resolved would escape every other rule',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^/' }, // a page of bench/peers imports by URL
    },
    {
      name: 'no-circles',
      comment: 'files that import each other cannot be read one after the other, and depend on the order in which they load',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // sees imports of types too
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^build/', '^docs/api/', '^\\.venv/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'require', 'import', 'types', 'default'] },
  },
};
