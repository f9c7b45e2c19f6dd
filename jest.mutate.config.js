const folders = (process.env.TANDEM_MUTATE_SPECS ?? 'spec').split(',');

/**
 * The specs that `npm run mutate` runs against each mutant: those of the folders that TANDEM_MUTATE_SPECS names. Left out is what a mutant in
 * this process cannot reach (browsers, other processes, the built package) and what needs a gpu.
 * @type {import('jest').Config}
 */
module.exports = {
  ...require('./jest.config'),
  // Jest finds the specs that reach a source through the files below the roots alone, so that all sources have to be there.
  roots: [
    'api',
    'cli',
    'common',
    'decoding',
    'engine',
    'kernels',
    'server',
    'spec',
    'testing',
    'transformers',
    'weights',
  ].map((name) => `<rootDir>/${name}`),
  testMatch: folders.map((folder) =>
    folder.endsWith('.ts') ? `<rootDir>/${folder}` : `<rootDir>/${folder}/**/*.spec.ts`,
  ),
  testPathIgnorePatterns: [
    'spec/browser',
    'spec/house',
    'spec/bench',
    'spec/cli/serve',
    'spec/cli/signals',
    'spec/kernels/gpu/webgpu',
    'spec/kernels/gpu/headlessgl',
  ],
};
