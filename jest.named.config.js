const base = require('./jest.config');

/** One mutant of scripts/named-mutants.json against its spec; `npm run mutate -- --named`. @type {import('jest').Config} */
module.exports = {
  ...base,
  transform: { '^.+\\.ts$': ['<rootDir>/scripts/named-transform.cjs', base.transform['^.+\\.ts$'][1]] },
};
