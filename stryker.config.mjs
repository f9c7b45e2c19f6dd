const isSample = Boolean(process.env.TANDEM_MUTATE_SAMPLE);

/** Mutation tests (`npm run mutate -- FOLDER`; see scripts/mutate.mjs). @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'jest.mutate.config.js', enableFindRelatedTests: true },
  coverageAnalysis: 'perTest',
  plugins: ['@stryker-mutator/jest-runner', ...(isSample ? ['./scripts/mutants.mjs'] : [])],
  // Refuses the mutants that are not in the sample; scripts/mutate.mjs then counts and prints those that are.
  checkers: isSample ? ['sample'] : [],
  reporters: [
    ...(isSample ? [] : ['clear-text']),
    'json',
    'html',
    ...(process.stdout.isTTY ? ['progress'] : ['progress-append-only']),
  ],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  jsonReporter: { fileName: 'build/mutate/report.json' },
  htmlReporter: { fileName: 'build/mutate/report.html' },
  tempDirName: 'build/mutate/sandbox',
  ignorePatterns: ['/dist', '/build', '/docs', '/.venv', '/.git'],
  disableTypeChecks: false,
  // A mutant in code that runs at import needs every spec once more: an option table would take hours. `--static` includes them.
  ignoreStatic: process.env.TANDEM_MUTATE_STATIC !== '1',
  concurrency: 2,
  dryRunTimeoutMinutes: 60,
  // Generous, because a mutant that is ended by a busy machine would count as killed.
  timeoutMS: 30_000,
  timeoutFactor: 6,
  // Below `break` percent the run ends with exit code 1.
  thresholds: { high: 95, low: 90, break: isSample ? null : 85 },
};
