/**
 * The specs that `npm run mutate` runs against each mutant: those of the folders that TANDEM_MUTATE_SPECS names. Left out is what a mutant in
 * this process cannot reach (browsers, other processes, the built package) and what needs a gpu.
 * @type {import('jest').Config}
 */
module.exports = {
  ...require('./jest.config'),
  roots: (process.env.TANDEM_MUTATE_SPECS ?? 'spec').split(',').map((folder) => `<rootDir>/${folder}`),
  testPathIgnorePatterns: [
    'spec/browser',
    'spec/house',
    'spec/bench',
    'spec/kernels/gpu/webgpu',
    'spec/kernels/gpu/headlessgl',
  ],
};
