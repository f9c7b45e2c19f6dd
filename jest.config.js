/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  setupFiles: ['<rootDir>/spec/support/seed.ts', '<rootDir>/spec/support/quiet-machine.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // Programs in examples/ import the package as its users do.
  moduleNameMapper: {
    '^tandem-t5$': '<rootDir>/index.ts',
    '^tandem-t5/(core|testing|transformers)$': '<rootDir>/$1.ts',
  },
  // A spec's globals are looked up in a sandbox, which makes Math in a loop over a vocabulary many times slower than in a program.
  sandboxInjectedGlobals: [
    'Math',
    'Number',
    'Object',
    'Array',
    'Float32Array',
    'Float64Array',
    'Int32Array',
    'Uint8Array',
    'Uint32Array',
  ],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
  testTimeout: 120_000,
  maxWorkers: 2,
};
