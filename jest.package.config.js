/**
 * Tries of the packed package with other people's tools: `npm run test:package`. They need the npm registry and Chromium.
 * @type {import('jest').Config}
 */
module.exports = {
  ...require('./jest.config'),
  testMatch: ['**/*.try.ts'],
  globalSetup: '<rootDir>/spec/house/package/setup.ts',
  testTimeout: 600_000,
  maxWorkers: 1,
};
