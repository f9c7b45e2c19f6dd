import fc from 'fast-check';
import type { Processing } from '../../../decoding';
import type { Distribution } from '../../../decoding/sampling/distribution';
import { race, raceSeveral } from '../../../decoding/sampling/draw';
import { distributionOf } from '../../../decoding/sampling/processors';
import { type Random, seededRandom } from '../../../decoding/sampling/random';
import { openSamplingKernel, samplingKernel } from '../../../kernels';

const context = { ids: [0, 3, 5], eosTokens: [1] };

beforeAll(async () => {
  await openSamplingKernel();
  expect(samplingKernel()).not.toBeNull();
});

const good = fc.oneof(
  { weight: 5, arbitrary: fc.float({ min: -20, max: 20, noNaN: true }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 2, Number.NEGATIVE_INFINITY) },
);
const bad = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY);
const rowOf = (logit: fc.Arbitrary<number>) =>
  fc.array(logit, { minLength: 6, maxLength: 50 }).map((list) => Float32Array.from(list));
const rows = fc.oneof(
  { weight: 9, arbitrary: rowOf(good) },
  { weight: 1, arbitrary: rowOf(fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: bad })) },
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const processing: fc.Arbitrary<Processing> = fc.record({
  temperature: fc.constantFrom(1, 0.7, 1e-4, 1e-300, 2, 1e6),
  topK: maybe(fc.integer({ min: 1, max: 60 })),
  topP: maybe(fc.constantFrom(0.1, 0.5, 0.9, 1)),
  minP: maybe(fc.constantFrom(0, 0.05, 0.5, 1)),
  typicalP: maybe(fc.constantFrom(0.2, 0.9, 1)),
  epsilonCutoff: maybe(fc.constantFrom(0, 0.01, 0.2)),
  etaCutoff: maybe(fc.constantFrom(0, 0.01, 0.2)),
  topH: maybe(fc.constantFrom(0.3, 1)),
  repetitionPenalty: maybe(fc.constantFrom(0.8, 1.3)),
  suppressTokens: maybe(fc.constantFrom([2], [0, 1, 2, 3])),
});

/** What distributionOf gives: a distribution, or the message of its error. */
function outcome(act: () => Distribution): Distribution | string {
  try {
    return act();
  } catch (error) {
    return (error as Error).message;
  }
}

/** The same random numbers, asked for one token at a time. */
function oneByOne(random: Random): Random {
  return { ...random, exponential: (token, at) => random.exponential(token, at) };
}

describe('the kernel and the reference in JavaScript make the same decisions', () => {
  it('distributions are equal in every bit under any rules, and errors of NaN and +∞ are the same', () => {
    let errors = 0;
    fc.assert(
      fc.property(rows, processing, (logits, rules) => {
        const wanted = outcome(() => distributionOf(logits, context, rules, null));
        expect(outcome(() => distributionOf(logits, context, rules, samplingKernel()))).toEqual(wanted);
        if (typeof wanted === 'string') {
          expect(wanted).toMatch(
            /^target: position 3: expected logits below infinity, found (NaN|Infinity) for token \d+$/,
          );
          errors++;
        }
      }),
      { numRuns: 1000, examples: [[Float32Array.of(1, 2, Number.NaN, 4, 5, 6), { temperature: 1 }]] },
    );
    expect(errors).toBeGreaterThan(0);
  });

  it('a race has the same winners, in the same order, with ties and with tokens that have no mass', () => {
    fc.assert(
      fc.property(
        rowOf(good),
        fc.maxSafeNat(),
        fc.nat(1e6),
        fc.integer({ min: 1, max: 5 }),
        (logits, seed, position, count) => {
          const distribution = distributionOf(logits, context, { temperature: 1 }, null);
          if (distribution.probabilities.length === 0) return;
          const random = seededRandom(seed);
          const at = { sequence: `s${seed % 7}`, position };
          const wanted = raceSeveral(distribution, count, oneByOne(random), at);
          expect(raceSeveral(distribution, count, random, at).map(({ token }) => token)).toEqual(
            wanted.map(({ token }) => token),
          );
          expect(race(distribution, random, at).token).toBe(wanted[0].token);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('numbers and bounds that are asked for again, by another vocabulary or after many others, are the same', () => {
    const { exponential } = seededRandom(5);
    const boundsAt = (vocabulary: number, position: number) =>
      exponential.bounds?.(vocabulary, { sequence: 'main', position });
    const first = boundsAt(300, 4)?.slice();
    const numbers = (position: number) =>
      Array.from({ length: 300 }, (_, x) => exponential(x, { sequence: 'main', position }));
    const wanted = numbers(4);
    for (let position = 0; position < 400; position++) boundsAt(32_128, position);
    numbers(5);
    expect(boundsAt(300, 4)).toEqual(first);
    expect(boundsAt(130, 4)).toEqual(first?.slice(0, 5));
    expect(numbers(4)).toEqual(wanted);
    expect(Array.from({ length: 300 }, (_, i) => exponential(299 - i, { sequence: 'main', position: 4 }))).toEqual(
      wanted.toReversed(),
    );
  });
});
