import fc from 'fast-check';
import type { GenerateOptions } from '../../api';
import { comparison } from '../../api/comparison';
import type { Result } from '../../api/types';
import { addTallies, metricsOf } from '../../decoding';
import type { TableModel } from '../support/table-model';
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

describe('how often a comparison times both ways', () => {
  afterEach(() => jest.restoreAllMocks());

  /** A pair whose calls of the target take `milliseconds` in a run, from 1, by a clock of their own, and what runs there were. */
  function clockedTandem(milliseconds: (run: number) => number) {
    const clock = { now: 0, runs: 0 };
    jest.spyOn(performance, 'now').mockImplementation(() => clock.now);
    const around = (model: TableModel, role: string): TableModel => {
      if (role === 'draft') return model;
      const forward: TableModel['forward'] = (...call) => {
        clock.now += milliseconds(clock.runs);
        return model.forward(...call);
      };
      const encode: TableModel['encode'] = (...call) => {
        clock.runs++;
        return model.encode(...call);
      };
      return { ...model, forward, encode };
    };
    return { clock, tandem: tableTandem({ seed: 2, around }).tandem };
  }

  /** Runs of a comparison: a warm-up of both ways, and then both in each turn. */
  const turnsOf = ({ runs }: { runs: number }) => runs / 2 - 1;
  const OPTIONS = { maxNewTokens: 6, minNewTokens: 6, gamma: 2 };

  it('is three times where a run without a draft takes less than 0.75 s, else once', async () => {
    const times = fc.oneof(fc.constantFrom(124, 125, 126), fc.integer({ min: 1, max: 400 }));
    await fc.assert(
      fc.asyncProperty(times, async (milliseconds) => {
        const { clock, tandem } = clockedTandem(() => milliseconds);
        const { autoregressive } = await tandem.compare('abc', OPTIONS);
        expect(autoregressive.metrics.seconds).toBeCloseTo((6 * milliseconds) / 1000, 9);
        expect([milliseconds, turnsOf(clock)]).toEqual([milliseconds, 6 * milliseconds >= 750 ? 1 : 3]);
      }),
      { numRuns: 60 },
    );
  });

  it('the fastest run of each way counts, wherever it stands among them', async () => {
    // Runs 1 and 2 are the warm-up; then come a speculative run and one without a draft, three times.
    for (const fastest of [3, 4, 5, 6, 7, 8]) {
      const { clock, tandem } = clockedTandem((run) => (run === fastest ? 10 : 20));
      const { speculative, autoregressive } = await tandem.compare('abc', OPTIONS);
      expect(turnsOf(clock)).toBe(3);
      const perCall = [speculative, autoregressive].map(
        ({ metrics }) => (metrics.seconds * 1000) / metrics.targetCalls,
      );
      expect(perCall.map((one) => Math.round(one))).toEqual(fastest % 2 === 1 ? [10, 20] : [20, 10]);
    }
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
