/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // Programs in examples/ import the package as its users do.
  moduleNameMapper: { '^tandem-t5$': '<rootDir>/index.ts', '^tandem-t5/core$': '<rootDir>/core.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
  testTimeout: 120_000,
  maxWorkers: 2,
};
