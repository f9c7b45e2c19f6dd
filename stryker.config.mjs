/** Mutation tests (`npm run mutate -- FOLDER`; see scripts/mutate.mjs). @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'jest.mutate.config.js', enableFindRelatedTests: true },
  coverageAnalysis: 'perTest',
  plugins: ['@stryker-mutator/jest-runner'],
  reporters: ['clear-text', 'json', 'html', ...(process.stdout.isTTY ? ['progress'] : ['progress-append-only'])],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  jsonReporter: { fileName: 'build/mutate/report.json' },
  htmlReporter: { fileName: 'build/mutate/report.html' },
  tempDirName: 'build/mutate/sandbox',
  ignorePatterns: ['/dist', '/build', '/docs', '/.venv', '/.git'],
  disableTypeChecks: false,
  // A mutant in code that runs at import needs every spec once more: an option table would take hours. `--static` includes them.
  ignoreStatic: process.env.TANDEM_MUTATE_STATIC !== '1',
  concurrency: 2,
  timeoutMS: 20_000,
  timeoutFactor: 3,
  // Below `break` percent the run ends with exit code 1.
  thresholds: { high: 95, low: 90, break: 85 },
};
