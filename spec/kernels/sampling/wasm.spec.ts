import fc from 'fast-check';
import { philox } from '../../../decoding/sampling/random';
import { blockTops, softmax } from '../../../decoding/sampling/softmax';
import { BLOCK, openSamplingKernel, type SamplingKernel, samplingKernel } from '../../../kernels';
import { samplingBits } from '../../support/sampling-bits';

let kernel: SamplingKernel;

beforeAll(async () => {
  await openSamplingKernel();
  kernel = samplingKernel() as SamplingKernel;
});

/** Whether two lists are the same in every bit; a matcher takes long for as many values. */
function sameBits(found: Float64Array | null, wanted: Float64Array): boolean {
  return found?.length === wanted.length && found.every((value, i) => Object.is(value, wanted[i]));
}

/** Logits of all sizes, with ties and with tokens that are forbidden. */
const logit = fc.oneof(
  fc.float({ min: -40, max: 40, noNaN: true }),
  fc.constantFrom(0, 1, -1, Number.NEGATIVE_INFINITY, Math.fround(1e38), Math.fround(-1e38)),
);
const temperature = fc.constantFrom(1, 0.7, 1e-3, 1e-300, 1.9, 300, 1e300);
const word = fc.nat(2 ** 32 - 1);

describe('the sampling kernel has the bits of the functions in JavaScript', () => {
  it('softmax of float32 and of float64 scores, for any length and temperature', () => {
    fc.assert(
      fc.property(fc.array(logit, { minLength: 1, maxLength: 70 }), temperature, (list, t) => {
        const scores = Float64Array.from(list, Math.fround);
        const largest = Math.max(...scores);
        const wanted = largest === Number.NEGATIVE_INFINITY ? null : softmax(scores, largest, t);
        expect(kernel.softmax(Float32Array.from(list), t)).toEqual(wanted);
        expect(kernel.softmax(scores, t)).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  it('the largest score of each block, and null for the scores that softmax refuses', () => {
    const any = fc.oneof(
      { weight: 20, arbitrary: logit },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity) },
    );
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 140 }), (list) => {
        const scores = Float32Array.from(list);
        const tops = blockTops(scores);
        expect(kernel.blockTops(scores)).toEqual(tops);
        expect(kernel.softmax(scores, 1) === null).toBe(tops === null);
        if (tops === null) return;
        const blocks = Array.from(tops, (_, block) => list.slice(block * BLOCK, (block + 1) * BLOCK));
        expect([...tops]).toEqual(blocks.map((block) => Math.max(...block.map(Math.fround))));
      }),
      { numRuns: 500 },
    );
  });

  it('a vocabulary that its first memory cannot hold', () => {
    const list = Float32Array.from({ length: 300_001 }, (_, i) => ((i * 7919) % 4001) / 100 - 20);
    const largest = list.reduce((most, score) => Math.max(most, score));
    expect(sameBits(kernel.softmax(list, 0.7), softmax(Float64Array.from(list), largest, 0.7))).toBe(true);
    expect(kernel.blockTops(list)).toEqual(blockTops(list));
    const draws = { first: 3, third: 1, fourth: 4, key: [1, 5] as const };
    const few = kernel.uniforms(64, draws);
    expect(kernel.uniforms(2_000_000, draws).slice(0, 64)).toEqual(few);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('a score of %s at any place is refused with null', (wrong) => {
    for (let at = 0; at < 9; at++) {
      const scores = Float64Array.from({ length: 9 }, (_, i) => (i === at ? wrong : i));
      expect(kernel.softmax(scores, 1)).toBeNull();
      expect(kernel.softmax(Float32Array.from(scores), 1)).toBeNull();
    }
  });

  it('a short row after a long one does not see what the long one left', () => {
    kernel.softmax(new Float32Array(1000).fill(50), 1);
    expect(kernel.softmax(Float32Array.of(0, 0, 0), 1)).toEqual(new Float64Array(3).fill(1 / 3));
  });

  it('uniform numbers are those of Philox, for any counter and key', () => {
    fc.assert(
      fc.property(fc.tuple(word, word, word, word, word), fc.integer({ min: 1, max: 40 }), (words, count) => {
        const [first, third, fourth, ...key] = words;
        const found = kernel.uniforms(count, { first, third, fourth, key: [key[0], key[1]] });
        const wanted = Float64Array.from({ length: count }, (_, i) => {
          const [a, b] = philox([first, i, third, fourth], key);
          return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
        });
        expect(found).toEqual(wanted);
      }),
    );
  });

  it('and so for rows of a real vocabulary: one hash over 32,128 tokens', async () => {
    const { kernel: found, reference } = await samplingBits();
    expect(found).toBe(reference);
  });
});
