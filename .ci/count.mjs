/**
 * Adds up jest's own reports: `count.mjs FAILED_STEPS REPORT...`. A report that is missing, empty or without a test that
 * passed is a failure: a run that ran nothing must not look like a pass.
 */
import { existsSync, readFileSync } from 'node:fs';

const [failedSteps, ...reports] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const report of reports) {
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const { numPassedTests = 0, numFailedTests = 0, numRuntimeErrorTestSuites = 0 } = result;
  const nothing = numPassedTests === 0;
  if (nothing) console.log(`${report}: no test passed`);
  passed += numPassedTests;
  failed += numFailedTests + numRuntimeErrorTestSuites + (nothing ? 1 : 0);
}
if (Number(failedSteps) > 0) console.log(`${failedSteps} steps failed`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || Number(failedSteps) > 0 ? 1 : 0);
