import fc from 'fast-check';
import type { GenerateOptions } from '../../api';
import { comparison } from '../../api/comparison';
import type { Result } from '../../api/types';
import { addTallies, metricsOf } from '../../decoding';
import { tableTandem } from '../support/table-tandem';

const tally = {
  ...addTallies([]),
  newTokens: 4,
  rounds: 2,
  targetCalls: 2,
  draftCalls: 4,
  seconds: 2,
  targetSeconds: 1,
  draftSeconds: 1,
};

function resultOf(ids: readonly number[], seconds: number): Result {
  const metrics = metricsOf({ ...tally, seconds }, { gamma: 2 });
  return { text: '', ids, stopReason: 'length', metrics, sequences: [] } as unknown as Result;
}

describe('a comparison', () => {
  it('is equal exactly where both runs gave the same ids and as many', () => {
    const ids = fc.array(fc.nat(2), { maxLength: 4 });
    const pairs = fc.oneof(
      fc.tuple(ids, ids),
      ids.map((list) => [list, list]),
      fc.tuple(ids, ids).map(([list, more]) => [list, [...list, ...more]]),
      fc.tuple(ids, ids).map(([list, more]) => [[...list, ...more], list]),
    );
    let longer = 0;
    fc.assert(
      fc.property(pairs, ([speculative, plain]) => {
        const { equal } = comparison(resultOf(speculative, 1), resultOf(plain, 1));
        expect(equal).toBe(speculative.join() === plain.join());
        if (speculative.length > plain.length && plain.every((id, i) => id === speculative[i])) longer++;
      }),
      { numRuns: 400 },
    );
    expect(longer).toBeGreaterThan(20);
  });

  it('measures how many times the run without a draft took as long', () => {
    const { measuredSpeedup, speculative } = comparison(resultOf([1], 1), resultOf([1], 3));
    expect(measuredSpeedup).toBe(3);
    expect(speculative.metrics.costRatio).not.toBeNull();
  });
});

describe('a comparison of samples', () => {
  it('draws both in one way: by default the seed fixes both, with γ as a number and token verification it does not', async () => {
    const { tandem } = tableTandem({ seed: 3 });
    const equal = async (options: GenerateOptions) => {
      const found = await Promise.all(
        [1, 2, 3, 4, 5, 6].map((seed) => tandem.compare('abc', { temperature: 1, maxNewTokens: 12, seed, ...options })),
      );
      return found.map((one) => one.equal);
    };
    expect(await equal({})).toEqual(Array(6).fill(true));
    expect(await equal({ gamma: 3, verification: 'coupled' })).toEqual(Array(6).fill(true));
    expect(await equal({ gamma: 4 })).toContain(false);
  });
});
