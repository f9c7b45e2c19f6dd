const { relative } = require('node:path');
const Sequencer = require('@jest/test-sequencer').default;

/** Specs against one mutant run in the order in which TANDEM_MUTATE_SPECS names them: the first failure ends the run. */
module.exports = class extends Sequencer {
  sort(tests) {
    const order = (process.env.TANDEM_MUTATE_SPECS ?? '').split(',');
    const place = ({ path, context }) => order.indexOf(relative(context.config.rootDir, path).replaceAll('\\', '/'));
    return [...tests].sort((a, b) => place(a) - place(b));
  }
};
