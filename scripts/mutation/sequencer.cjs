const { readFileSync, statSync } = require('node:fs');
const { basename } = require('node:path');
const Sequencer = require('@jest/test-sequencer').default;

/**
 * The order of specs against one mutant, where the first failure ends the run: first those that import the source that has it
 * (TANDEM_MUTATE_FILE), then the shorter ones.
 */
module.exports = class extends Sequencer {
  sort(tests) {
    const source = basename(process.env.TANDEM_MUTATE_FILE ?? '').replace(/\.ts$/, '');
    const rank = ({ path }) => (source !== '' && readFileSync(path, 'utf8').includes(`/${source}'`) ? 0 : 1);
    const size = ({ path }) => statSync(path).size;
    return [...tests].sort((a, b) => rank(a) - rank(b) || size(a) - size(b));
  }
};
