/**
 * Adds up a run of .ci/run: `count.mjs FOLDER`. FOLDER/steps.tsv has a line for each step: its name, its exit status, and the
 * names of the reports that jest wrote to FOLDER. A step with reports counts its tests, any other step counts as one. A report
 * that is missing, empty or without a test that passed is a failure: a run that ran nothing must not look like a pass. So is a
 * step that failed although its reports show no failure.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const total = { passed: 0, failed: 0 };

function count(passed, failed, complaint) {
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) console.log(complaint);
}

/** Passed and failed tests of a report; a suite that could not run is one failure. */
function readReport(name) {
  const file = join(folder, `${name}.json`);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const { numPassedTests = 0, numFailedTests = 0, numRuntimeErrorTestSuites = 0 } = text === '' ? {} : JSON.parse(text);
  const ranNothing = numPassedTests === 0 ? 1 : 0;
  if (ranNothing) console.log(`${name}: no test passed`);
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites + ranNothing };
}

const file = join(folder, 'steps.tsv');
const steps = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
for (const step of steps) {
  const [name, status, reports] = step.split('\t');
  const hasFailed = status !== '0';
  if (reports === '') {
    count(hasFailed ? 0 : 1, hasFailed ? 1 : 0, `${name}: failed`);
    continue;
  }
  const found = reports.split(',').map(readReport);
  const passed = found.reduce((sum, report) => sum + report.passed, 0);
  const failed = found.reduce((sum, report) => sum + report.failed, 0);
  count(passed, failed === 0 && hasFailed ? 1 : failed, `${name}: failed`);
}
if (steps.length === 0) count(0, 1, `${file}: no step`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);
