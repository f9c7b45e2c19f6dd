import fc from 'fast-check';
import {
  type KeptWay,
  modelDrafter,
  PairCosts,
  readTrace,
  replayGammas,
  replayRandom,
  type Settings,
  TraceRecorder,
} from '../../decoding';
import { topEntries } from '../../decoding/trace';

import { finish } from '../support/exactness';
import { randomTable, tableModel } from '../support/table-model';

const target = tableModel({ vocabulary: 9, logits: randomTable(9, 1), eosTokens: [1] });
const drafter = modelDrafter(tableModel({ vocabulary: 9, logits: randomTable(9, 2), eosTokens: [1] }), 'other');
const source = [4, 5, 1];

/** Costs by which much is proposed. */
const CHEAP: KeptWay = {
  ...{ draft: [[1, 0.01]], further: [], opening: 0, alpha: 0.9 },
  target: [
    [1, 1],
    [17, 1.1],
  ],
};

async function traced(settings: Settings) {
  const trace = new TraceRecorder();
  const result = await finish({ target, drafter, source, settings, trace });
  return { result, trace: readTrace(JSON.parse(JSON.stringify(trace.trace))) };
}

const settingsOf = fc
  .record({
    temperature: fc.constantFrom(0, 0.7, 1),
    gamma: fc.integer({ min: 0, max: 4 }),
    seed: fc.nat(9999),
    verification: fc.constantFrom('token' as const, 'block' as const, 'coupled' as const),
    maxNewTokens: fc.integer({ min: 1, max: 20 }),
    topP: fc.constantFrom(0.8, 1),
  })
  .map(({ topP, ...settings }): Settings => (settings.temperature > 0 ? { ...settings, topP } : settings));

const timeless = (rounds: readonly object[]) => rounds.map((round) => ({ ...round, milliseconds: null }));

describe('a trace', () => {
  it('can be run again: after JSON and back, the same models make the same rounds from it', async () => {
    await fc.assert(
      fc.asyncProperty(settingsOf, async (settings) => {
        const { result, trace } = await traced(settings);
        const again = new TraceRecorder();
        const request = { target, drafter, source: trace.source, settings: trace.settings };
        const { ids } = await finish({ ...request, random: replayRandom(trace), trace: again });
        expect(ids).toEqual(result.ids);
        expect(timeless(again.trace.rounds)).toEqual(timeless(trace.rounds));
      }),
    );
  });

  it('of γ that adapts can be run again with its rounds, sampled by coupled and by token verification', async () => {
    const ways: Settings[] = [
      { gamma: 'auto', temperature: 1, seed: 4, maxNewTokens: 20, minNewTokens: 20 },
      { gamma: 'auto', temperature: 1, verification: 'token', maxNewTokens: 20, minNewTokens: 20 },
    ];
    for (const settings of ways) {
      const recorder = new TraceRecorder();
      const costs = new PairCosts({ sampled: CHEAP, coupled: CHEAP });
      const result = await finish({ target, drafter, source, settings, trace: recorder, costs });
      const trace = readTrace(JSON.parse(JSON.stringify(recorder.trace)));
      const gammas = replayGammas(trace);
      expect(gammas[0]).toBeGreaterThan(1);
      const again = new TraceRecorder();
      const request = { target, drafter, source, settings: trace.settings, random: replayRandom(trace), gammas };
      expect((await finish({ ...request, trace: again })).ids).toEqual(result.ids);
      expect(timeless(again.trace.rounds)).toEqual(timeless(trace.rounds));
    }
  });

  it('has a masked source with the ids that are hidden, and can be run again from it', async () => {
    const masked = { ids: [7, 4, 5, 1], mask: Uint8Array.of(0, 1, 1, 1) };
    const settings = { temperature: 1, gamma: 4, seed: 5, maxNewTokens: 9 };
    const recorder = new TraceRecorder();
    const result = await finish({ target, drafter, source: masked, settings, trace: recorder });
    const trace = readTrace(JSON.parse(JSON.stringify(recorder.trace)));
    expect(trace.source).toEqual({ ids: [7, 4, 5, 1], mask: [0, 1, 1, 1] });
    const again = await finish({ target, drafter, source: trace.source, settings, random: replayRandom(trace) });
    expect(again.ids).toEqual(result.ids);
    for (const source of [{ ids: [4] }, { ids: [4], mask: [2] }, { ids: [4], mask: [] }, { mask: [1] }, null]) {
      expect(() => readTrace({ ...trace, source })).toThrow(/expected source to be a list of ids, or ids and a mask/);
    }
  });

  it('does not change the text', async () => {
    await fc.assert(
      fc.asyncProperty(settingsOf, async (settings) => {
        const plain = await finish({ target, drafter, source, settings });
        expect((await traced(settings)).result.ids).toEqual(plain.ids);
      }),
      { numRuns: 30 },
    );
  });

  it('has the rounds of the run: they add up to the text, to the metrics and to the times', async () => {
    await fc.assert(
      fc.asyncProperty(settingsOf, async (settings) => {
        const { result, trace } = await traced(settings);
        const { ids, metrics, stopReason } = result;
        expect(trace.rounds.flatMap((round) => round.tokens)).toEqual(ids);
        expect(trace).toMatchObject({ ids, stopReason, drafter: 'other', source, settings });
        const sum = (value: (round: (typeof trace.rounds)[number]) => number) =>
          trace.rounds.reduce((total, round) => total + value(round), 0);
        expect(sum((round) => round.proposal.length)).toBe(metrics.proposed);
        expect(sum((round) => round.accepted)).toBe(metrics.accepted);
        expect(sum((round) => round.milliseconds.target)).toBeCloseTo(metrics.targetSeconds * 1000, 6);
        expect(sum((round) => round.milliseconds.draft)).toBeCloseTo(metrics.draftSeconds * 1000, 6);
        for (const round of trace.rounds) {
          const kept = round.proposal.slice(0, round.accepted).map((draft) => draft.token);
          expect([...kept, round.next.token].slice(0, round.tokens.length)).toEqual(round.tokens);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses to replay a run that has changed', async () => {
    const { trace } = await traced({ temperature: 1, seed: 3, maxNewTokens: 8, gamma: 2 });
    const settings = { ...trace.settings, sequence: 'another' };
    await expect(finish({ target, drafter, source, settings, random: replayRandom(trace) })).rejects.toThrow(
      /trace: expected/,
    );
  });

  it('refuses a trace in which a round is missing, comes twice or has other tokens than the text', async () => {
    const { trace } = await traced({ temperature: 1, seed: 3, maxNewTokens: 12, minNewTokens: 12, gamma: 2 });
    const { rounds } = trace;
    expect(rounds.length).toBeGreaterThan(3);
    for (const i of rounds.keys()) {
      const wrong = [
        rounds.toSpliced(i, 1),
        rounds.toSpliced(i, 0, rounds[i]),
        rounds.with(i, { ...rounds[i], tokens: rounds[i].tokens.with(0, (rounds[i].tokens[0] + 1) % 9) }),
      ];
      for (const changed of wrong) {
        expect(() => readTrace({ ...trace, rounds: changed })).toThrow(/^trace: expected rounds/);
      }
    }
    expect(() => readTrace({ ...trace, ids: trace.ids.slice(1) })).toThrow(/^trace: expected rounds/);
    expect(() => readTrace({ ...trace, ids: [...trace.ids, 3] })).toThrow(
      /expected rounds to have all 13 ids, found 12/,
    );
  });

  it('refuses other formats and versions, and a recorder used twice', async () => {
    const { trace } = await traced({ maxNewTokens: 2 });
    const wrong = [null, {}, { ...trace, version: 1 }, { ...trace, format: 'x' }, { ...trace, rounds: 3 }];
    for (const value of wrong) {
      expect(() => readTrace(value)).toThrow(expect.objectContaining({ code: 'option-invalid' }));
    }
    const recorder = new TraceRecorder();
    expect(() => recorder.trace).toThrow(/none begun/);
    await finish({ target, source, settings: { maxNewTokens: 2 }, trace: recorder });
    await expect(finish({ target, source, trace: recorder })).rejects.toThrow(/already used/);
    expect(target.open()).toBe(0);
  });
});

describe('top entries', () => {
  it('are the first of all tokens with mass, sorted by probability and then id', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 6 }), (values, count) => {
        const probabilities = Float64Array.from(values);
        const all = values
          .map((value, token) => [token, value] as const)
          .filter(([, value]) => value > 0)
          .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
        const distribution = { vocabulary: values.length, tokens: null, probabilities };
        expect(topEntries(distribution, count)).toEqual(all.slice(0, count));
      }),
    );
  });
});
