/**
 * Compiles as jest.config.js does, with one mutant of scripts/named-mutants.json in its file. TANDEM_MUTANT is the mutant's index.
 */
const { createHash } = require('node:crypto');
const { join } = require('node:path');
const { createTransformer } = require('@swc/jest');

const ROOT = join(__dirname, '..');
const { file, from, to } = require('./named-mutants.json')[Number(process.env.TANDEM_MUTANT)];
const path = join(ROOT, file);

module.exports = {
  createTransformer(options) {
    const plain = createTransformer(options);
    const changed = (source, name) => {
      if (name !== path) return source;
      if (source.split(from).length !== 2) throw new Error(`${file}: expected the mutant's text once`);
      return source.replace(from, () => to);
    };
    return {
      ...plain,
      process: (source, name, rest) => plain.process(changed(source, name), name, rest),
      getCacheKey: (source, name, rest) =>
        createHash('sha256')
          .update(plain.getCacheKey(changed(source, name), name, rest))
          .update(changed(source, name))
          .digest('hex'),
    };
  },
};
