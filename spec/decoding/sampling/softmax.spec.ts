import fc from 'fast-check';
import { type Random, seededRandom } from '../../../decoding';
import { type Distribution, isEmpty } from '../../../decoding/sampling/distribution';
import { race, raceSeveral } from '../../../decoding/sampling/draw';
import { distributionOf } from '../../../decoding/sampling/processors';
import { fastestByScores, type RaceNumbers } from '../../../decoding/sampling/race';
import { type Scores, scoresOf, softmaxDistribution } from '../../../decoding/sampling/softmax';
import { BLOCK, exponentialOf, openSamplingKernel } from '../../../kernels';
import { numbersOf } from '../../support/race-numbers';

beforeAll(openSamplingKernel);

const context = { ids: [0], eosTokens: [1] };
const at = { sequence: 'main', position: 3 };
const temperature = fc.constantFrom(1, 0.7, 1e-4, 1e-300, 2, 300, 1e300);

const logit = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -20, max: 20, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, 20, Math.fround(1e38), Math.fround(-1e38)) },
  { weight: 1, arbitrary: fc.constant(Number.NEGATIVE_INFINITY) },
);
/** The most tokens of a row: three blocks, the last one not full. */
const MOST = 90;
const logits = fc.array(logit, { minLength: 2, maxLength: MOST }).map((list) => Float32Array.from(list));

/** u with ties, with 0, and with numbers of any size: what a generator hardly ever gives. */
const uniform = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((n) => n / 2 ** 31),
  fc.integer({ min: 1, max: 52 }).map((n) => 2 ** -n),
  fc.constantFrom(0, 0.25, 0.5, 0.5 + 2 ** -53, 1 - 2 ** -53),
);

const uniforms = fc.array(uniform, { minLength: MOST, maxLength: MOST });

/** The reference: the time of every token, by its probability. */
function slowRace({ probabilities }: Distribution, { of }: RaceNumbers): number {
  const times = [...probabilities].map((share, i) => (share > 0 ? of(i) / share : Number.POSITIVE_INFINITY));
  return times.indexOf(Math.min(...times));
}

describe('a race by logits', () => {
  it('has the winner of the race by probabilities, or says that it does not know, for any logits and any numbers', () => {
    let [known, unknown] = [0, 0];
    fc.assert(
      fc.property(logits, temperature, uniforms, fc.constantFrom(1, 0.9, 0.1, 0), (row, t, list, part) => {
        const distribution = softmaxDistribution(row, t);
        fc.pre(distribution !== null);
        const numbers = numbersOf(list.slice(0, row.length).map(exponentialOf), part);
        const found = fastestByScores(scoresOf(distribution as Distribution) as Scores, numbers);
        if (found === null) unknown++;
        else known++;
        const wanted = slowRace(distribution as Distribution, numbers);
        if (found !== null) expect(found).toBe(wanted);
        const random = { ...seededRandom(1), exponential: Object.assign(numbers.of, { bounds: () => numbers.bounds }) };
        const { probabilities } = distribution as Distribution;
        const byProbabilities = { vocabulary: row.length, tokens: null, probabilities };
        for (const one of [byProbabilities, distribution as Distribution]) {
          expect(race(one, random, at).token).toBe(wanted);
        }
      }),
      { numRuns: 3000 },
    );
    expect(known).toBeGreaterThan(1000);
    expect(unknown).toBeGreaterThan(10);
  });

  it('has it for rows of a real vocabulary, as peaked and as flat as models give them, and nearly always knows', () => {
    const random = seededRandom(7);
    let unknown = 0;
    for (let position = 0; position < 60; position++) {
      const spread = [0.1, 1, 3, 8][position % 4];
      const row = Float32Array.from({ length: 8000 }, (_, x) => {
        const [a, b] = [
          random.exponential(x, { sequence: 'a', position }),
          random.exponential(x, { sequence: 'b', position }),
        ];
        return spread * (a - b);
      });
      const distribution = softmaxDistribution(row, 1) as Distribution;
      const numbers = {
        of: (token: number) => random.exponential(token, { sequence: 'main', position }),
        bounds: random.exponential.bounds?.(8000, { sequence: 'main', position }) as Float64Array,
      };
      const found = fastestByScores(scoresOf(distribution) as Scores, numbers);
      if (found === null) unknown++;
      else expect(found).toBe(slowRace(distribution, numbers));
    }
    expect(unknown).toBe(0);
  });

  it('finds a token of any small weight that is only just faster than the most probable one, and none that is only just slower', () => {
    const near = fc.constantFrom(1e-3, 1e-6, 1e-9);
    // A token is far from 6 temperatures on.
    const apart = fc.oneof(
      fc.float({ min: 4, max: 20, noNaN: true }),
      fc.nat(20).map((n) => 6 + 2 ** -n),
    );
    fc.assert(
      fc.property(apart, near, fc.boolean(), (distance, gap, isFaster) => {
        const far = BLOCK * 2 + 3;
        const row = new Float32Array(far + 1).fill(-90);
        [row[0], row[far]] = [5, 5 - distance];
        const weight = Math.exp(row[far] - row[0]);
        const list = new Array(far + 1).fill(0.7);
        [list[0], list[far]] = [1e-4, 1e-4 * weight * (isFaster ? 1 - gap : 1 + gap)];
        const scores = scoresOf(softmaxDistribution(row, 1) as Distribution) as Scores;
        for (const part of [1, 0.5, 0]) expect(fastestByScores(scores, numbersOf(list, part))).toBe(isFaster ? far : 0);
      }),
    );
  });

  it('asks for few numbers: of the blocks that can win, and of none else', () => {
    const row = Float32Array.from({ length: 40 * BLOCK }, (_, x) => (x === 500 ? 20 : (x % 7) / 7));
    const asked = new Set<number>();
    const { exponential } = seededRandom(3);
    const of = (token: number) => {
      asked.add(token);
      return exponential(token, at);
    };
    const scores = scoresOf(softmaxDistribution(row, 1) as Distribution) as Scores;
    expect(fastestByScores(scores, { of, bounds: exponential.bounds?.(row.length, at) as Float64Array })).toBe(500);
    expect([...asked]).toEqual([500]);
  });

  it('leaves to the probabilities what rounding may decide: two tokens whose times are equal', () => {
    const row = Float32Array.of(1, 1, -3);
    const scores = scoresOf(softmaxDistribution(row, 1) as Distribution) as Scores;
    const winner = (...list: number[]) => fastestByScores(scores, numbersOf(list));
    expect(winner(0.25, 0.25, 0.9)).toBeNull();
    expect(winner(0.25, 0.25 + 2 ** -44, 0.9)).toBeNull();
    expect(winner(0.25 + 2 ** -20, 0.25, 0.9)).toBe(1);
    expect(winner(0.25, 0.5, 0)).toBeNull(); // 0 wins whatever its weight
    const list = numbersOf([0.25, 0.25, 0.9]);
    const exponential = Object.assign(list.of, { bounds: () => list.bounds });
    const random = { ...seededRandom(1), exponential } as Random;
    expect(race(softmaxDistribution(row, 1) as Distribution, random, at).token).toBe(0); // the lower id, as by probabilities
  });
});

describe('a distribution whose probabilities wait', () => {
  it('is the one of distributionOf, bit for bit, and races to the same tokens', () => {
    fc.assert(
      fc.property(logits, temperature, fc.nat(999), fc.integer({ min: 1, max: 4 }), (row, t, seed, count) => {
        const wanted = distributionOf(row, context, { temperature: t }, null);
        const found = softmaxDistribution(row, t);
        if (isEmpty(wanted)) return expect(found).toBeNull();
        const random = seededRandom(seed);
        const tokens = (of: Distribution) => raceSeveral(of, count, random, at).map(({ token }) => token);
        expect(tokens(found as Distribution)).toEqual(tokens(wanted));
        expect(found).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('does not exist where a logit is %s, at any place', (wrong) => {
    for (let place = 0; place < 5; place++) {
      expect(
        softmaxDistribution(
          Float32Array.from([0, 1, 2, 3, 4], (x) => (x === place ? wrong : x)),
          1,
        ),
      ).toBeNull();
    }
    expect(softmaxDistribution(new Float32Array(3).fill(Number.NEGATIVE_INFINITY), 1)).toBeNull();
  });

  it('computes its probabilities once, and not to race', () => {
    const row = Float32Array.of(3, 1, 0);
    const distribution = softmaxDistribution(row, 1) as Distribution;
    race(distribution, seededRandom(3), at);
    row.fill(0); // nobody may do this: it shows when the probabilities are computed
    expect(distribution.probabilities).toEqual(new Float64Array(3).fill(1 / 3));
    expect(distribution.probabilities).toBe(distribution.probabilities);
  });
});
