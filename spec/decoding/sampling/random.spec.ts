import fc from 'fast-check';
import { seededRandom } from '../../../decoding';
import { inverse, philox } from '../../../decoding/sampling/random';

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
});
