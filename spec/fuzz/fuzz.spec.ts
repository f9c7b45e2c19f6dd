import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { FUZZERS } from './fuzzers';
import { judge, replayOf } from './law';
import { everyPlace, mutationsOf } from './mutate';

/** Inputs of each kind in a run of all specs. `npm run fuzz -- NAME --minutes 10` tries new ones as long as it is told to. */
const RUNS = 300;
/** The same inputs in every run, so that a change of the code is what a failure means. */
const SEED = 14;
/** Where `npm run fuzz` keeps inputs as well. */
const FOLDER = join(__dirname, '..', '..', 'build', 'fuzz');

test('there is a fuzzer for every kind of bytes that come from outside', () => {
  const names = ['header', 'index', 'config', 'generation', 'tokenizer', 'spiece', 'pickle', 'trace', 'ngram', 'hub'];
  expect(FUZZERS.map(({ name }) => name)).toEqual(names);
});

it('an input that broke the law is shown by its beginning, and written whole to a file that is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-fuzz-'));
  const input = Buffer.from(`["\u001b[31m${'x'.repeat(5000)}`);
  const text = replayOf(FUZZERS[1], input, { how: 'it broke', folder });
  expect(text.length).toBeLessThan(800);
  expect(text).toMatch(/^it broke\ninput, as text: \["\\x1b\[31mx+ … \(the first 300 of 5007 bytes\)\n/);
  const file = /npm run fuzz -- index --input (.*)$/.exec(text)?.[1] ?? 'none';
  expect(readFileSync(file).equals(input)).toBe(true);
  expect(replayOf(FUZZERS[0], new Uint8Array([1, 2]), { how: 'it broke', folder })).toContain('as base64: AQI=\n');
  rmSync(folder, { recursive: true });
});

describe.each(FUZZERS)('$name', (fuzzer) => {
  it('works with every input that the mutations begin with', async () => {
    for (const seed of await fuzzer.seeds()) expect(await judge(fuzzer, seed)).toEqual({ kind: 'worked' });
  });

  it('works or is refused with a TandemError of one short line, at a cost in proportion to its length', async () => {
    const seen = { worked: 0, refused: 0 };
    for (const input of fc.sample(mutationsOf(await fuzzer.seeds(), fuzzer.kind), { numRuns: RUNS, seed: SEED })) {
      const verdict = await judge(fuzzer, input);
      if (verdict.kind === 'broke') throw new Error(replayOf(fuzzer, input, { how: verdict.how, folder: FOLDER }));
      seen[verdict.kind]++;
    }
    expect(seen.refused).toBeGreaterThan(RUNS / 20);
  });

  if (fuzzer.kind === 'bytes') return;

  it('takes an odd value at every kind of place', async () => {
    let tried = 0;
    for (const seed of await fuzzer.seeds()) {
      for (const input of everyPlace(seed)) {
        tried++;
        const verdict = await judge(fuzzer, input);
        if (verdict.kind === 'broke') throw new Error(replayOf(fuzzer, input, { how: verdict.how, folder: FOLDER }));
      }
    }
    expect(tried).toBeGreaterThan(20);
  });

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
