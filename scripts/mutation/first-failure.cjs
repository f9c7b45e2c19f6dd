const { writeFileSync } = require('node:fs');

/** A reporter that ends the run at the first test that fails, and writes its spec's name to the file TANDEM_MUTATE_OUTCOME. */
module.exports = class {
  onTestCaseResult(test, { status }) {
    if (status === 'failed') this.end(test);
  }
  onTestResult(test, { numFailingTests, testExecError }) {
    if (numFailingTests > 0 || testExecError) this.end(test);
  }
  getLastError() {}
  end({ path }) {
    writeFileSync(process.env.TANDEM_MUTATE_OUTCOME, path);
    process.kill(process.pid, 'SIGKILL');
  }
};
