/** The sweeps that take too long for every run; `npm run test:long`. @type {import('jest').Config} */
module.exports = { ...require('./jest.config'), testMatch: ['**/*.long.ts'], testTimeout: 3_600_000 };
