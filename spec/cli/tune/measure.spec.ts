import fc from 'fast-check';
import type { GenerateOptions, Tandem } from '../../../api';
import { LARGEST_GAMMA, measureDraft, plainSpeed } from '../../../cli/tune/measure';
import { bestOf, predictedCurve } from '../../../cli/tune/predict';
import { addTallies, metricsOf, smoothed, type Tally } from '../../../decoding';

/** What a run of some length took; seconds are powers of two, so that sums of them are exact. */
const tally = fc.record({ tokens: fc.integer({ min: 1, max: 40 }), power: fc.integer({ min: -4, max: 3 }) });

function tallyOf({ tokens, power }: { tokens: number; power: number }): Tally {
  return {
    ...{ newTokens: tokens, rounds: tokens, targetCalls: tokens, draftCalls: 4 * tokens, proposed: 4 * tokens },
    ...{ accepted: 0, proposedDepth: 3 * tokens, acceptanceSum: tokens, acceptancePositions: 2 * tokens },
    ...{ seconds: 2 ** power, targetSeconds: 0, draftSeconds: 0 },
  };
}

/** Each text's tallies with and without a draft, and whether the texts were equal. */
const runs = fc.array(fc.record({ drafted: tally, plain: tally, equal: fc.boolean() }), { minLength: 1, maxLength: 5 });
const COSTS = { c: 0.01, v: [1, 1.1, 1.2, 1.3] };

/** A pair that answers with what it was given, and notes what it was asked for. */
function pairOf(
  list: readonly { drafted: Parameters<typeof tallyOf>[0]; plain: Parameters<typeof tallyOf>[0]; equal: boolean }[],
) {
  const asked: { readonly call: string; readonly input: unknown; readonly options: GenerateOptions }[] = [];
  const note = (call: string, input: unknown, options: object) => asked.push({ call, input, options });
  const metrics = (input: number) => ({ metrics: tallyOf(list[input].plain) });
  const tandem = {
    measureCosts: async (input: unknown, options: object) => {
      note('measureCosts', input, options);
      return COSTS;
    },
    generate: async (input: number | number[], options: object) => {
      note('generate', input, options);
      return Array.isArray(input) ? input.map(metrics) : metrics(input);
    },
    compare: async (input: number, options: object) => {
      note('compare', input, options);
      const { drafted, plain, equal } = list[input];
      return { speculative: { metrics: tallyOf(drafted) }, autoregressive: { metrics: tallyOf(plain) }, equal };
    },
  } as unknown as Tandem;
  const texts = list.map((_, i) => i) as unknown as string[];
  return { asked, tandem, texts };
}

const { signal } = new AbortController();
const options = { maxNewTokens: 7, truncate: 9 };

describe('the figures of a draft', () => {
  it('are tokens over seconds of all texts, with and without it, and their ratio, for each γ once, upwards', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 3 }), async (list, gammas) => {
        const { asked, tandem, texts } = pairOf(list);
        const steps: number[] = [];
        const figures = await measureDraft(tandem, {
          texts,
          options,
          gammas,
          signal,
          onStep: (one) => steps.push(one),
        });
        const trial = addTallies(list.map(({ plain }) => tallyOf(plain)));
        const costs = { c: smoothed(COSTS).c, v: smoothed(COSTS).v };
        const alpha = metricsOf(trial).acceptanceRate;
        expect(figures).toMatchObject({ alpha, costs, proposing: 0.75 });
        expect(figures.curve).toEqual(predictedCurve({ alpha, proposing: 0.75, costs }, LARGEST_GAMMA));
        expect(figures.gamma).toBe(bestOf(figures.curve));
        const timed = [...new Set([...gammas, figures.gamma])].filter((gamma) => gamma > 0).sort((a, b) => a - b);
        expect(figures.points.map(({ gamma }) => gamma)).toEqual(timed);
        const sum = (side: 'drafted' | 'plain', value: 'newTokens' | 'seconds') =>
          list.reduce((all, one) => all + tallyOf(one[side])[value], 0);
        const speed = (side: 'drafted' | 'plain') => sum(side, 'newTokens') / sum(side, 'seconds');
        for (const point of figures.points) {
          expect(point).toMatchObject({
            ...{ tokensPerSecond: speed('drafted'), plainTokensPerSecond: speed('plain') },
            equal: list.every(({ equal }) => equal),
            predicted: predictedCurve({ alpha, proposing: 0.75, costs }, point.gamma)[point.gamma],
          });
          expect(point.measured).toBeCloseTo(speed('drafted') / speed('plain'), 9);
        }
        const compared = asked.filter(({ call }) => call === 'compare');
        expect(compared.map(({ input, options: { gamma } }) => [input, gamma])).toEqual(
          timed.flatMap((gamma) => texts.map((text) => [text, gamma])),
        );
        for (const one of asked) expect(one.options).toMatchObject({ truncate: 9, signal });
        expect(steps).toHaveLength(timed.length * texts.length);
        for (const [i, share] of steps.entries()) expect(share).toBeCloseTo((i + 1) / steps.length, 12);
      }),
      { numRuns: 50 },
    );
  });

  it('take costs from the text in the middle, v where it is not known, and α from γ = 4', async () => {
    const one = { drafted: { tokens: 1, power: 0 }, plain: { tokens: 1, power: 0 }, equal: true };
    for (const v of [undefined, [1, 1.5]]) {
      const { asked, tandem, texts } = pairOf([one, one, one, one]);
      const found = await measureDraft(tandem, { texts, options, gammas: [], signal, v, onStep: () => undefined });
      const [costs, trial] = asked;
      expect([costs.call, costs.input, costs.options]).toEqual([
        ...['measureCosts', 2],
        { rows: v === undefined ? LARGEST_GAMMA + 1 : 1, repeats: 5, truncate: 9, signal },
      ]);
      expect([trial.call, trial.input, trial.options]).toEqual([
        ...['generate', texts],
        { ...options, gamma: 4, signal },
      ]);
      expect(found.costs.v).toEqual(v ?? smoothed(COSTS).v);
    }
  });

  it('are none where a text fails, and a draft that never had a round proposes nothing', async () => {
    const failure = new Error('lost');
    const { tandem, texts } = pairOf([]);
    const job = { texts, options, gammas: [], signal, onStep: () => undefined };
    const failing = { ...tandem, generate: async () => [{ error: failure }] } as unknown as Tandem;
    await expect(measureDraft(failing, job)).rejects.toBe(failure);
    const silent = { ...tandem, generate: async () => [] } as unknown as Tandem;
    expect(await measureDraft(silent, job)).toMatchObject({ alpha: 0, proposing: 0, gamma: 0, points: [] });
  });
});

describe('the speed without a draft', () => {
  it('is that of all texts after the first one was decoded once to warm up', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (list) => {
        const { asked, tandem, texts } = pairOf(list);
        const found = await plainSpeed(tandem, { texts, options, gammas: [], signal, onStep: () => undefined });
        const all = addTallies(list.map(({ plain }) => tallyOf(plain)));
        expect(found).toBe(all.newTokens / all.seconds);
        expect(asked.map(({ input }) => input)).toEqual([texts[0], ...texts]);
        for (const { options: given } of asked) expect(given).toEqual({ ...options, speculative: false, signal });
      }),
    );
  });
});
