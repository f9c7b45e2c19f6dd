/** Mutation tests (`npm run mutate`, which chooses the mutants and prints the score; see scripts/mutate.mjs). @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'jest.mutate.config.js', enableFindRelatedTests: true },
  coverageAnalysis: 'perTest',
  plugins: ['@stryker-mutator/jest-runner', './scripts/mutation/plugins.mjs'],
  checkers: ['choice'],
  reporters: ['results', 'html', ...(process.stdout.isTTY ? ['progress'] : ['progress-append-only'])],
  htmlReporter: { fileName: 'build/mutate/report.html' },
  tempDirName: 'build/mutate/sandbox',
  ignorePatterns: ['/dist', '/build', '/docs/pictures', '/.venv', '/.git'],
  disableTypeChecks: false,
  // A mutant in code that runs at import needs every spec once more: an option table would take hours. `--static` includes them.
  ignoreStatic: process.env.TANDEM_MUTATE_STATIC !== '1',
  concurrency: 2,
  dryRunTimeoutMinutes: 60,
  // Generous, because a mutant that is ended by a busy machine would count as killed.
  timeoutMS: 30_000,
  timeoutFactor: Number(process.env.TANDEM_MUTATE_PATIENCE ?? 6),
};
