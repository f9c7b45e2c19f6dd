/**
 * The import rule of docs/decisions.md: cli, explorer → api → decoding → engine → kernels, and engine → weights; one
 * folder sees another through its index.ts alone; Node's own modules only where Node is certain.
 */

/** What each folder of the product may import besides itself. */
const MAY_IMPORT = {
  common: [],
  weights: ['common'],
  kernels: ['common'],
  engine: ['common', 'kernels', 'weights'],
  decoding: ['common', 'engine', 'kernels', 'weights'],
  api: ['common', 'decoding', 'engine', 'kernels', 'weights'],
  cli: ['common', 'api', 'decoding', 'engine', 'kernels', 'weights'],
  explorer: ['common', 'api', 'decoding', 'engine', 'kernels', 'weights'],
};

const PRODUCT = Object.keys(MAY_IMPORT);
const ROOMS = [...PRODUCT, 'bench', 'scripts', 'spec'];
const anyOf = (names) => `^(${names.join('|')})/`;

const oneWay = PRODUCT.map((room) => ({
  name: `${room}-imports-downwards`,
  comment: `${room}/ may import ${MAY_IMPORT[room].join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: [anyOf(ROOMS.filter((other) => other !== room && !MAY_IMPORT[room].includes(other))), '^(index|core)\\.ts$'] },
}));

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'through-index-only',
      comment: "another folder is seen through its index.ts; its inner files are its own business",
      severity: 'error',
      from: { path: '^([^/]+)/', pathNot: '^(spec|bench|scripts)/' },
      to: { path: anyOf(PRODUCT), pathNot: ['^$1/', '^[^/]+/index\\.ts$'] },
    },
    {
      name: 'root-through-index-only',
      comment: 'the entries of the package re-export what the folders export',
      severity: 'error',
      from: { path: '^(index|core)\\.ts$' },
      to: { path: anyOf(PRODUCT), pathNot: '^[^/]+/index\\.ts$' },
    },
    {
      name: 'node-modules-in-node-files',
      comment: "Node's own modules belong in *.node.ts (with a *.browser.ts twin) or in cli/",
      severity: 'error',
      from: { path: [anyOf(PRODUCT), '^(index|core)\\.ts$'], pathNot: ['\\.node\\.ts$', '^cli/'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-development-dependencies',
      comment: 'what the package needs at run time stands in dependencies',
      severity: 'error',
      from: { path: [anyOf(PRODUCT), '^(index|core)\\.ts$'], pathNot: '^kernels/wasm/assembly/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'an import that resolves to nothing would hide from every rule above',
      severity: 'error',
      from: { path: [anyOf(PRODUCT), '^(index|core)\\.ts$'] },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-circles',
      comment: 'files that run each other on load depend on the order of loading',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^kernels/wasm/assembly/', '^dist/', '^build/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'require', 'import', 'types', 'default'] },
  },
};
