import fc from 'fast-check';
import { FUZZERS } from './fuzzers';
import { judge, replayOf } from './law';
import { mutationsOf } from './mutate';

/** Inputs of each kind in a run of all specs. `npm run fuzz -- NAME --minutes 10` tries new ones as long as it is told to. */
const RUNS = 300;
/** The same inputs in every run, so that a change of the code is what a failure means. */
const SEED = 14;

test('there is a fuzzer for every kind of bytes that come from outside', () => {
  const names = ['header', 'index', 'config', 'generation', 'tokenizer', 'spiece', 'pickle', 'trace', 'ngram', 'hub'];
  expect(FUZZERS.map(({ name }) => name)).toEqual(names);
});

describe.each(FUZZERS)('$name', (fuzzer) => {
  it('works with every input that the mutations begin with', async () => {
    for (const seed of await fuzzer.seeds()) expect(await judge(fuzzer, seed)).toEqual({ kind: 'worked' });
  });

  it('works or is refused with a TandemError of one short line, at a cost in proportion to its length', async () => {
    const seen = { worked: 0, refused: 0 };
    for (const input of fc.sample(mutationsOf(await fuzzer.seeds(), fuzzer.kind), { numRuns: RUNS, seed: SEED })) {
      const verdict = await judge(fuzzer, input);
      if (verdict.kind === 'broke') throw new Error(replayOf(fuzzer, input, verdict.how));
      seen[verdict.kind]++;
    }
    expect(seen.refused).toBeGreaterThan(RUNS / 20);
  });

  if (fuzzer.kind === 'bytes') return;

  it('takes 100,000 brackets in the place of any of its values', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect(await judge(fuzzer, Buffer.from(deep))).not.toMatchObject({ kind: 'broke' });
    for (const seed of await fuzzer.seeds()) {
      const text = Buffer.from(seed).toString();
      const keys = Object.keys(JSON.parse(text)).slice(0, 12);
      for (const key of keys) {
        const changed = JSON.stringify({ ...JSON.parse(text), [key]: '@' }).replace('"@"', deep);
        const verdict = await judge(fuzzer, Buffer.from(changed));
        expect({ key, ...verdict }).not.toMatchObject({ kind: 'broke' });
      }
    }
  });
});
