/** Times in metrics: every millisecond of a model's calls belongs to one run, and is counted once. */
import fc from 'fast-check';
import { beamSearch, generateBatch, modelDrafter } from '../../decoding';
import { finish } from '../support/exactness';
import { randomTable, type TableModel, tableModel } from '../support/table-model';

const VOCABULARY = 7;
/** Milliseconds of a call. */
const [TARGET, DRAFT] = [10, 3];
/** Milliseconds that a draft takes to read the source. */
const OPENING = 7;

let now = 0;
let clock: jest.SpyInstance;
beforeEach(() => {
  clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => clock.mockRestore());

/** A model whose calls take so many milliseconds of the clock above. Nothing else takes time. */
function timed(seed: number, milliseconds: number): TableModel {
  const model = tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed), eosTokens: [1] });
  return {
    ...model,
    forward: async (rows, options) => {
      now += milliseconds;
      return model.forward(rows, options);
    },
  };
}

const run = fc.record({ gamma: fc.nat(4), maxNewTokens: fc.integer({ min: 1, max: 9 }), seed: fc.nat(99) });

describe('times in metrics', () => {
  it('of a batch are shares that add up to the calls of both models, whichever runs shared a call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 4 }),
        async (runs, concurrency) => {
          const [target, draft] = [timed(3, TARGET), timed(4, DRAFT)];
          const requests = runs.map(({ seed, ...settings }) => ({
            source: [2 + (seed % 4), 1],
            settings: { ...settings, temperature: 1, seed },
          }));
          const begun = now;
          const sum = { target: 0, draft: 0 };
          for await (const event of generateBatch({ target, drafter: modelDrafter(draft) }, requests, {
            concurrency,
          })) {
            if (event.kind !== 'done') continue;
            const { targetSeconds, draftSeconds, targetCalls, seconds } = event.result.metrics;
            sum.target += targetSeconds;
            sum.draft += draftSeconds;
            expect(targetSeconds).toBeLessThanOrEqual((targetCalls * TARGET) / 1000 + 1e-9);
            expect(targetSeconds + draftSeconds).toBeLessThanOrEqual(seconds + 1e-9);
          }
          expect(sum.target).toBeCloseTo((TARGET * target.calls()) / 1000, 9);
          expect(sum.draft).toBeCloseTo((DRAFT * draft.calls()) / 1000, 9);
          expect((now - begun) / 1000).toBeCloseTo(sum.target + sum.draft, 9);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('of one text are those of its calls, from its begin to its end', async () => {
    for (const gamma of [0, 1, 3]) {
      const [target, draft] = [timed(5, TARGET), timed(6, DRAFT)];
      now += 12_345;
      const settings = { gamma, maxNewTokens: 8, minNewTokens: 8 };
      const { metrics } = await finish({ target, drafter: modelDrafter(draft), source: [3, 1], settings });
      expect([metrics.targetCalls, metrics.draftCalls]).toEqual([target.calls(), draft.calls()]);
      expect(metrics.targetSeconds).toBeCloseTo((TARGET * target.calls()) / 1000, 9);
      expect(metrics.draftSeconds).toBeCloseTo((DRAFT * draft.calls()) / 1000, 9);
      expect(metrics.seconds).toBeCloseTo(metrics.targetSeconds + metrics.draftSeconds, 9);
    }
  });

  it('of one text count the opening of its draft as well, with a fixed γ as with one that adapts, and no opening that does not happen', async () => {
    const opened: number[] = [];
    for (const gamma of [0, 3, 'auto'] as const) {
      const [target, draft] = [timed(5, TARGET), timed(5, DRAFT)];
      let openings = 0;
      const drafter = modelDrafter({
        ...draft,
        encode: async (...given) => {
          openings++;
          now += OPENING;
          return draft.encode(...given);
        },
      });
      const settings = { gamma, maxNewTokens: 24, minNewTokens: 24 };
      const { metrics } = await finish({ target, drafter, source: [3, 1], settings });
      const calls = metrics.targetSeconds + metrics.draftSeconds;
      expect(metrics.seconds).toBeCloseTo(calls + (openings * OPENING) / 1000, 9);
      opened.push(openings);
    }
    expect(opened).toEqual([0, 1, 1]);
  });

  it('of a beam search are those of its calls, with a draft and without', async () => {
    for (const gamma of [0, 2]) {
      const [target, draft] = [timed(5, TARGET), timed(5, DRAFT)];
      const encode = jest.spyOn(draft, 'encode');
      const settings = { numBeams: 3, maxNewTokens: 6 };
      const { metrics } = await beamSearch({ target, drafter: { model: draft, gamma }, source: [3, 1], settings });
      expect([metrics.targetCalls, metrics.draftCalls]).toEqual([target.calls(), draft.calls()]);
      expect(metrics.draftCalls > 0).toBe(gamma > 0);
      expect(encode).toHaveBeenCalledTimes(gamma > 0 ? 1 : 0);
      expect(metrics.targetSeconds).toBeCloseTo((TARGET * target.calls()) / 1000, 9);
      expect(metrics.draftSeconds).toBeCloseTo((DRAFT * draft.calls()) / 1000, 9);
      expect(metrics.seconds).toBeCloseTo(metrics.targetSeconds + metrics.draftSeconds, 9);
    }
  });
});
