import type { ProveJob } from '../../../cli/prove/job';
import { checkAllKernels, checkGreedy, checkStatistics } from '../../../cli/prove/models';
import * as testing from '../../../testing/index';

jest.mock('../../../testing/index', () => {
  const actual = jest.requireActual<typeof testing>('../../../testing/index');
  return {
    ...actual,
    ...{ decode: jest.fn(), firstDifference: jest.fn(), checkKernels: jest.fn() },
    ...{ encodedOnce: jest.fn(async (model) => model), exact: jest.fn(), counted: jest.fn(), chiSquared: jest.fn() },
  };
});
const mocked = jest.mocked(testing);
beforeEach(() => {
  jest.clearAllMocks();
  mocked.firstDifference.mockReset();
});

const { signal } = new AbortController();

/** What is to be proved, and what is heard of it. */
function jobOf(more: Partial<ProveJob> = {}) {
  const steps: unknown[][] = [];
  const backends = [
    { name: 'reference', available: true, reason: 'slow' },
    { name: 'gpu', available: false, reason: 'no device' },
    { name: 'wasm', available: true, reason: 'simd; as asked' },
  ];
  const job = { seed: 5, texts: 3, backends, signal, onStep: (...step: unknown[]) => steps.push(step), ...more };
  return { job: job as unknown as ProveJob, steps };
}

describe('tandem prove says what failed', () => {
  it('of greedy decoding: the first passage and γ whose tokens or logits differ', async () => {
    for (const wrong of [null, 0, 1, 2, 5]) {
      mocked.decode.mockImplementation(async (_target, draft) => {
        return { ids: [3, 4, 5], targetCalls: draft === null ? 3 : 2 } as never;
      });
      let calls = 0;
      mocked.firstDifference.mockImplementation(() => {
        const call = calls++;
        return wrong !== null && call >= wrong ? `difference ${call}` : null;
      });
      const { job, steps } = jobOf({
        backends: [{ name: 'wasm', available: true, reason: 'simd; as asked' }] as never,
      });
      const [check] = await checkGreedy(job);
      expect(calls).toBe(2 * 3); // two γ for each passage
      const passage = 1 + ((wrong ?? 0) >> 1);
      const gamma = (wrong ?? 0) % 2 === 0 ? 1 + ((5 + passage - 1) % 8) : 4;
      const failure = wrong === null ? null : `passage ${passage}, γ = ${gamma}: difference ${wrong}`;
      expect(check).toEqual({
        ...{ group: 'greedy', name: 'wasm (simd): the bits of decoding without a draft' },
        ...{ passed: wrong === null, failure, measured: expect.stringMatching(/^18 tokens .* 12 .* 18$/) },
      });
      expect(steps).toEqual([['greedy', 1, 1]]);
      const sources = mocked.decode.mock.calls.filter(([, draft]) => draft === null).map(([, , source]) => source);
      expect(new Set(sources.map((source) => JSON.stringify(source))).size).toBe(3);
      mocked.decode.mockReset();
    }
  });

  it('of greedy decoding: each passage runs once alone and with two γ, all to the same length', async () => {
    for (const [name, most] of [
      ['wasm', {}],
      ['cpu', { maxNewTokens: 8 }],
      ['reference', { maxNewTokens: 3 }],
    ] as const) {
      mocked.decode.mockReset();
      mocked.decode.mockResolvedValue({ ids: [3], targetCalls: 1 } as never);
      mocked.firstDifference.mockReturnValue(null);
      const { job } = jobOf({ backends: [{ name, available: true, reason: 'x' }] as never });
      await checkGreedy(job);
      const asked = mocked.decode.mock.calls.map(([, draft, , settings]) => [draft !== null, settings]);
      const passages = name === 'wasm' ? 3 : 1; // one is enough where it is slow
      const expected = Array.from({ length: passages }, (_, i) => [
        [false, most],
        [true, { ...most, gamma: 1 + ((5 + i) % 8) }],
        [true, { ...most, gamma: 4 }],
      ]);
      expect(asked).toEqual(expected.flat());
      const sources = mocked.decode.mock.calls.map(([, , source]) => source);
      for (const [i, source] of sources.entries()) expect(source).toEqual(sources[i - (i % 3)]);
    }
    mocked.decode.mockReset();
  });

  it('of kernels: the first law whose finding is above its limit, or no number', async () => {
    const finding = (law: string, measured: number) => ({ law, measured, limit: 0.5 });
    for (const [measured, failure] of [
      [0.5, null],
      [0.75, 'b: expected at most 0.5, found 0.75'],
      [Number.NaN, 'b: expected at most 0.5, found NaN'],
    ] as const) {
      mocked.checkKernels.mockResolvedValue([finding('a', 0), finding('b', measured), finding('c', measured)] as never);
      const { job, steps } = jobOf();
      const checks = await checkAllKernels(job);
      expect(checks).toEqual([
        {
          ...{ group: 'kernels', name: expect.stringMatching(/^wasm \(.+\)$/), passed: failure === null, failure },
          measured: expect.stringMatching(/^3 laws/),
        },
      ]);
      expect(steps).toEqual([['kernels', 1, 1]]);
      expect(mocked.checkKernels.mock.lastCall?.[2]).toBe(5);
    }
  });

  it('of samples: each way whose p is not above one in a million', async () => {
    for (const [tail, passed] of [
      [1, true],
      [1.1e-6, true],
      [1e-6, false],
      [0, false],
    ] as const) {
      mocked.counted.mockClear();
      mocked.chiSquared.mockReturnValue({ statistic: 12.34, degrees: 7, tail } as never);
      const { job, steps } = jobOf();
      const checks = await checkStatistics(job);
      expect(new Set(checks.map(({ name }) => name)).size).toBe(4);
      for (const check of checks) {
        expect(check).toEqual({
          ...{ group: 'statistics', name: expect.stringContaining('temperature'), passed },
          measured: `100 texts, χ² 12.3 at 7 degrees, p = ${tail.toPrecision(2)}`,
          failure: passed ? null : `expected p above 0.000001, found ${tail}`,
        });
      }
      expect(steps).toEqual([1, 2, 3, 4].map((step) => ['statistics', step, 4]));
      const asked = mocked.counted.mock.calls.map(([{ settings }, count, , seed]) => ({ settings, count, seed }));
      expect(asked.map(({ settings }) => settings)).toEqual([
        { temperature: 1, gamma: 2, maxNewTokens: 3 },
        { temperature: 0.7, verification: 'block', gamma: 2, maxNewTokens: 3 },
        { temperature: 1, topP: 0.9, verification: 'coupled', gamma: 2, maxNewTokens: 3 },
        { temperature: 0.7, branching: [2, 1], maxNewTokens: 3 },
      ]);
      for (const { count, seed } of asked) expect([count, seed]).toEqual([100, 5_000_000]);
    }
  });
});
