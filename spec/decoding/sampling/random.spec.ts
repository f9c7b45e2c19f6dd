import fc from 'fast-check';
import { seededRandom } from '../../../decoding';
import { inverse, philox } from '../../../decoding/sampling/random';
import { BLOCK, exponentialOf, openSamplingKernel } from '../../../kernels';

describe('counter-based randomness', () => {
  const hex = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));

  // Known answers of the Random123 distribution (kat_vectors, philox4x32 10 rounds).
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('philox of counter %s under key %s is %s', (counter, key, words) => {
    expect(Array.from(philox(hex(counter), hex(key)))).toEqual(hex(words));
  });

  const at = { sequence: 'main', round: 0, position: 0, purpose: 'accept' as const };

  it('gives the same number at the same address, whatever was drawn before', () => {
    const address = fc.record({
      sequence: fc.string(),
      round: fc.nat(),
      position: fc.nat(),
      purpose: fc.constant('accept' as const),
    });
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(address, { minLength: 1 }), (seed, addresses) => {
        const flat = { vocabulary: 64, tokens: null, probabilities: new Float64Array(64).fill(1 / 64) };
        const one = seededRandom(seed);
        const other = seededRandom(seed);
        const forwards = addresses.map((at) => one.categorical(flat, at));
        const backwards = [...addresses].reverse().map((at) => other.categorical(flat, at));
        expect(backwards.reverse()).toEqual(forwards);
      }),
    );
  });

  it('changes with each part of the address and with either half of the seed', () => {
    const wide = { vocabulary: 1 << 16, tokens: null, probabilities: new Float64Array(1 << 16).fill(2 ** -16) };
    const draw = (seed: number, changes: object) => seededRandom(seed).categorical(wide, { ...at, ...changes });
    const all = [
      draw(1, {}),
      draw(2, {}),
      draw(1 + 2 ** 40, {}),
      draw(1, { round: 1 }),
      draw(1, { position: 1 }),
      draw(1, { purpose: 'propose' }),
      draw(1, { sequence: 'other' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('has the exponential numbers that Philox gives at their counters, so that a seed has one text in every version', () => {
    const address = { sequence: fc.string(), position: fc.nat(), token: fc.nat(70_000) };
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(fc.record(address), { minLength: 1 }), (seed, addresses) => {
        const { exponential } = seededRandom(seed);
        for (const { sequence, position, token } of addresses) {
          // FNV-1a of the name, then the block or the token, the position, and a word that no other use of a number has.
          const name = [...Array(sequence.length).keys()].reduce(
            (hash, i) => Math.imul(hash ^ sequence.charCodeAt(i), 0x01000193),
            0x811c9dc5,
          );
          const words = (second: number, last: number) =>
            Array.from(philox([name >>> 0, second, position, last], [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]));
          const uniform = ([high, low]: number[]) => ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
          const block = Math.floor(token / BLOCK);
          const ofBlock = words(block, 2 ** 31);
          const least = exponentialOf(uniform(ofBlock)) / BLOCK;
          const isFirst = token === block * BLOCK + (ofBlock[0] % BLOCK);
          const above = isFirst ? 0 : exponentialOf(uniform(words(token, 2 ** 31 + 1)));
          expect(exponential(token, { sequence, position })).toBe(least + above);
        }
      }),
    );
  });

  it('never accepts weight 0, and always accepts weight ≥ of', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(), fc.double({ min: 1e-300, max: 1, noNaN: true }), (seed, position, of) => {
        const random = seededRandom(seed);
        expect(random.accept(0, of, { ...at, position })).toBe(false);
        expect(random.accept(of, of, { ...at, position })).toBe(true);
      }),
    );
  });

  it('the inverse of a distribution gives only tokens with mass; past the end it gives the last of them', () => {
    const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (weights, u) => {
        fc.pre(weights.some((weight) => weight > 0));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const probabilities = Float64Array.from(weights, (weight) => weight / total);
        const distribution = { vocabulary: weights.length, tokens: null, probabilities };
        expect(probabilities[inverse(distribution, u)]).toBeGreaterThan(0);
        expect(inverse(distribution, 2)).toBe(weights.findLastIndex((weight) => weight > 0));
      }),
    );
  });

  describe('exponential numbers', () => {
    const { exponential } = seededRandom(2 ** 33 + 5);
    const at = (position: number) => ({ sequence: 'main', position });
    const PLACES = 4000;
    const uniformOf = (token: number, position: number) => -Math.expm1(-exponential(token, at(position)));
    /** χ² of counts that should be equal, over its critical value at level 0.001. */
    const unevenness = (counts: readonly number[]) => {
      const wanted = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      const statistic = counts.reduce((sum, count) => sum + (count - wanted) ** 2 / wanted, 0);
      const [freedom, z] = [counts.length - 1, 3.09];
      return statistic / (freedom * (1 - 2 / (9 * freedom) + z * Math.sqrt(2 / (9 * freedom))) ** 3);
    };

    it('have the law of exponential numbers, whatever place a token has in its block', () => {
      for (const token of [0, 1, 31, 32, 77, 4095]) {
        const counts = new Array<number>(20).fill(0);
        for (let position = 0; position < PLACES; position++) counts[Math.floor(uniformOf(token, position) * 20)]++;
        expect([token, unevenness(counts) < 1]).toEqual([token, true]);
      }
    });

    it.each([
      ['two tokens of a block', 3, 9],
      ['the first and the last token of a block', 32, 63],
      ['tokens of two blocks', 3, 35],
      ['a token at two positions', 3, null],
    ])('are independent: %s', (_, token, other) => {
      const counts = new Array<number>(25).fill(0);
      for (let position = 0; position < PLACES; position++) {
        const pair = [uniformOf(token, position), uniformOf(other ?? token, position + (other === null ? 1 : 0))];
        counts[Math.floor(pair[0] * 5) * 5 + Math.floor(pair[1] * 5)]++;
      }
      expect(unevenness(counts)).toBeLessThan(1);
    });

    it('let each token of a block be the least one equally often, and that one is exponential of mean 1 / 32', () => {
      const firsts = new Array<number>(BLOCK).fill(0);
      const sizes = new Array<number>(10).fill(0);
      for (let position = 0; position < PLACES; position++) {
        const numbers = Array.from({ length: BLOCK }, (_, i) => exponential(BLOCK + i, at(position)));
        const least = Math.min(...numbers);
        firsts[numbers.indexOf(least)]++;
        sizes[Math.floor(-Math.expm1(-least * BLOCK) * 10)]++;
      }
      expect(unevenness(firsts)).toBeLessThan(1);
      expect(unevenness(sizes)).toBeLessThan(1);
    });

    it('are not below the bound of their block, with and without the kernel', async () => {
      const law = () =>
        fc.assert(
          fc.property(
            fc.maxSafeNat(),
            fc.string(),
            fc.nat(1e6),
            fc.integer({ min: 1, max: 200 }),
            (seed, sequence, position, size) => {
              const numbers = seededRandom(seed).exponential;
              const bounds = numbers.bounds?.(size, { sequence, position }) as Float64Array;
              expect(bounds.length).toBe(Math.ceil(size / BLOCK));
              for (const [block, bound] of bounds.entries()) {
                const list = Array.from({ length: BLOCK }, (_, i) =>
                  numbers(block * BLOCK + i, { sequence, position }),
                );
                const least = Math.min(...list);
                expect(least).toBeGreaterThanOrEqual(bound * (1 - 2 ** -50));
                expect(-Math.expm1(-least * BLOCK) / BLOCK).toBeCloseTo(bound, 12); // the bound is as near as it is said to be
              }
            },
          ),
          { numRuns: 50 },
        );
      law();
      await openSamplingKernel();
      law();
    });
  });
});
