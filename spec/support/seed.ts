/**
 * Generated cases start from another seed in each run. With TANDEM_SEED, a whole number, every property starts from that one. CI takes
 * the one in .ci/seed, so that a change passes or fails wherever it is run; the runs of `npm test` go on looking for other cases.
 */
import fc from 'fast-check';

const { TANDEM_SEED } = process.env;
if (TANDEM_SEED !== undefined) {
  const seed = Number(TANDEM_SEED);
  if (!Number.isInteger(seed)) throw new Error(`TANDEM_SEED: expected a whole number, found '${TANDEM_SEED}'`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}

// Specs do not read what an earlier run has learnt of this machine, and leave nothing behind.
process.env.TANDEM_COSTS = 'off';
