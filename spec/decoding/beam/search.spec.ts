import fc from 'fast-check';
import { beamSearch } from '../../../decoding';
import type { DecoderRow, SequenceModel } from '../../../engine';
import { BEAM_MUTANTS, type BeamCase, beamCase, referenceBeams, runCase } from '../../support/beam-reference';
import { finish } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const RUNS = { numRuns: 1500 };

describe('beam search over tables', () => {
  it("finds the reference's sequences and scores in every bit, with one target call a step", async () => {
    await fc.assert(
      fc.asyncProperty(beamCase, async (chosen) => {
        const { sequences, metrics, target } = await runCase(chosen, false);
        expect(sequences).toEqual(referenceBeams(chosen.table, chosen.settings));
        expect(target.calls()).toBe(metrics.steps);
        expect(metrics).toMatchObject({ targetCalls: metrics.steps, rounds: metrics.steps, draftCalls: 0 });
        expect(target.open()).toBe(0);
      }),
      RUNS,
    );
  });

  it('with any draft, width and γ finds the same sequences and scores in every bit, with no more target calls', async () => {
    let [fewer, partly] = [0, 0];
    await fc.assert(
      fc.asyncProperty(beamCase, async (chosen) => {
        const plain = await runCase(chosen, false);
        const { sequences, metrics, target, draft, longest } = await runCase(chosen, true);
        expect(sequences).toEqual(plain.sequences);
        expect(longest).toBeLessThanOrEqual(chosen.settings.maxNewTokens); // nothing is scored that could not come out
        expect(metrics.steps).toBe(plain.metrics.steps);
        expect(metrics.targetCalls).toBe(target.calls());
        expect(metrics.draftCalls).toBe(draft.calls());
        expect(metrics.targetCalls).toBeLessThanOrEqual(metrics.steps);
        expect(metrics.acceptedSteps).toBe(metrics.steps - metrics.rounds);
        expect(metrics.acceptedSteps).toBeLessThanOrEqual(metrics.proposedSteps);
        const { numBeams: beams } = chosen.settings;
        expect(metrics.targetRows).toBeLessThanOrEqual(beams * metrics.rounds + chosen.width * metrics.proposedSteps);
        expect(metrics.newTokens).toBeLessThanOrEqual(chosen.settings.maxNewTokens);
        expect(target.open() + draft.open()).toBe(0);
        if (metrics.acceptedSteps > 0) fewer++;
        if (metrics.acceptedSteps > 0 && metrics.acceptedSteps < metrics.proposedSteps) partly++;
      }),
      RUNS,
    );
    expect(Math.min(fewer, partly)).toBeGreaterThan(50); // it did speculate, and it did go wrong
  });

  it('spends no more seconds on its parts than in all, with a draft and without', async () => {
    await fc.assert(
      fc.asyncProperty(beamCase, fc.boolean(), async (chosen, isDrafted) => {
        const { metrics } = await runCase(chosen, isDrafted);
        const { seconds, targetSeconds, draftSeconds } = metrics;
        for (const part of [targetSeconds, draftSeconds]) expect(part).toBeGreaterThanOrEqual(0);
        expect(targetSeconds + draftSeconds).toBeLessThanOrEqual(seconds * (1 + 1e-9));
      }),
    );
  });

  it('finds the same with any processors, too', async () => {
    const id = fc.nat(6);
    const processors = fc.record(
      {
        repetitionPenalty: fc.constantFrom(0.7, 1.5),
        noRepeatNgramSize: fc.integer({ min: 1, max: 3 }),
        minNewTokens: fc.nat(4),
        badWords: fc.array(fc.array(id, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
        suppressTokens: fc.array(id, { maxLength: 2 }),
        forcedPrefix: fc.array(id, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    const outcome = async (chosen: BeamCase, speculative: boolean) => {
      try {
        return (await runCase(chosen, speculative)).sequences;
      } catch (error) {
        return String(error);
      }
    };
    await fc.assert(
      fc.asyncProperty(beamCase, processors, fc.nat(100_000), async (chosen, processing, seed) => {
        const logits = randomTable(7, seed);
        const table = { ...chosen.table, vocabulary: 7, logits };
        const draftTable = { ...table, logits: randomTable(7, seed + (seed % 2)) };
        const edited = { ...chosen, table, draftTable, settings: { ...chosen.settings, ...processing } };
        expect(await outcome(edited, true)).toEqual(await outcome(edited, false));
      }),
      RUNS,
    );
  });

  it('has one target stream for each hypothesis and one draft stream for each proposed one, and computes no draft prefix twice', async () => {
    await fc.assert(
      fc.asyncProperty(beamCase, async (chosen) => {
        const { metrics, widest, draftRows } = await runCase(chosen, true);
        const { width, gamma } = chosen;
        const { numBeams: beams } = chosen.settings;
        const ahead = width * Math.max(0, gamma - 1); // the last level's hypotheses are not run
        expect(widest.target).toBeLessThanOrEqual(beams + 2); // and the source and the view
        expect(widest.draft).toBeLessThanOrEqual(beams + ahead + 2);
        // A hypothesis that goes on adds at most its last token and one that was a leaf.
        expect(draftRows).toBeLessThanOrEqual((2 * beams + ahead) * metrics.rounds);
      }),
      RUNS,
    );
  });

  it('with the target as the draft makes ⌈steps / (γ + 1)⌉ target calls, for any width', async () => {
    await fc.assert(
      fc.asyncProperty(beamCase, async (chosen) => {
        const { metrics } = await runCase({ ...chosen, draftTable: chosen.table }, true);
        expect(metrics.targetCalls).toBe(Math.ceil(metrics.steps / (chosen.gamma + 1)));
      }),
      RUNS,
    );
  });

  it('does so too where rules leave a hypothesis no token, which ends it with several beams and not with one', async () => {
    const ids = fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 3 });
    const closing = fc.record({ allowed: fc.array(ids, { minLength: 2, maxLength: 4 }), suppressTokens: ids });
    let closed = 0;
    await fc.assert(
      fc.asyncProperty(beamCase, fc.nat(100_000), closing, async (chosen, seed, { allowed, suppressTokens }) => {
        const table = { ...chosen.table, vocabulary: 7, logits: randomTable(7, seed) };
        const prefixAllowedTokens = (prefix: readonly number[]) => {
          const list = allowed[prefix.reduce((sum, id) => sum + id, prefix.length) % allowed.length];
          if (list.every((id) => suppressTokens.includes(id))) closed++;
          return list;
        };
        const settings = { ...chosen.settings, prefixAllowedTokens, badWords: suppressTokens.map((id) => [id]) };
        const { numBeams: beams } = settings;
        const run = await runCase({ ...chosen, table, draftTable: table, settings }, true).catch((error) => error.code);
        if (run === 'no-token-left') expect(beams).toBeGreaterThan(1);
        else expect(run.metrics.targetCalls).toBe(Math.ceil(run.metrics.steps / (chosen.gamma + 1)));
      }),
      RUNS,
    );
    expect(closed).toBeGreaterThan(100);
  });

  it('with one beam is greedy decoding, for every way to end', async () => {
    await fc.assert(
      fc.asyncProperty(beamCase, async (chosen) => {
        const settings = { ...chosen.settings, numBeams: 1, numReturnSequences: 1 };
        const target = tableModel(chosen.table);
        const { maxNewTokens } = settings;
        const greedy = await finish({ target, source: [1], settings: { temperature: 0, maxNewTokens } });
        const { sequences } = await runCase({ ...chosen, settings, width: 2 }, true);
        expect(sequences.map(({ ids }) => ids)).toEqual([greedy.ids]);
      }),
      RUNS,
    );
  });

  it('with more beams than sequences finds the sequence with the highest score', async () => {
    const table = { vocabulary: 3, logits: randomTable(3, 11, 'soft'), eosTokens: [2] };
    const settings = { numBeams: 81, maxNewTokens: 4, earlyStopping: 'never' as const, numReturnSequences: 81 };
    const { sequences } = await beamSearch({ target: tableModel(table), source: [1], settings });
    const mass = sequences.reduce((sum, { ids, score }) => sum + Math.exp(score * ids.length), 0);
    expect(sequences).toHaveLength(1 + 2 + 4 + 8 + 16); // EOS after 0 to 3 tokens, and 16 that the limit ends
    expect(mass).toBeCloseTo(1, 12);
  });

  it.each(BEAM_MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    'the same checks catch one that %s',
    async (_, { parts, plain }) => {
      const caught = async (chosen: BeamCase) => {
        const found = await runCase(chosen, !plain, parts);
        return JSON.stringify(found.sequences) !== JSON.stringify(referenceBeams(chosen.table, chosen.settings));
      };
      const cases = fc.sample(beamCase, { numRuns: 600, seed: 1 });
      let count = 0;
      for (const chosen of cases) if (await caught(chosen)) count++;
      expect(count).toBeGreaterThan(3);
    },
  );
});

/** A model whose forward call number `fatal` fails, in one of two ways. */
function failing(model: SequenceModel, fatal: number, fail: () => void): SequenceModel {
  let calls = 0;
  return {
    ...model,
    forward: async (rows: readonly DecoderRow[]) => {
      if (calls++ === fatal) fail();
      return model.forward(rows);
    },
  };
}

describe('a beam search that ends early', () => {
  const table = { vocabulary: 5, logits: randomTable(5, 3), eosTokens: [4] };
  const settings = { numBeams: 3, maxNewTokens: 8 };

  it.each(['target', 'draft'] as const)('because the %s fails gives every stream back', async (which) => {
    for (let fatal = 0; fatal < 4; fatal++) {
      const models = { target: tableModel(table), draft: tableModel({ ...table, logits: randomTable(5, 4) }) };
      const lost = () => {
        throw new Error('device lost');
      };
      const broken = { ...models, [which]: failing(models[which], fatal, lost) };
      const drafter = { model: broken.draft, gamma: 2, width: 4 };
      await expect(beamSearch({ target: broken.target, source: [1], settings, drafter })).rejects.toThrow(
        'device lost',
      );
      expect([models.target.open(), models.draft.open()]).toEqual([0, 0]);
    }
  });

  it('because it is cancelled gives every stream back', async () => {
    const [target, draft] = [tableModel(table), tableModel(table)];
    const abort = new AbortController();
    const { signal } = abort;
    const run = beamSearch({
      target: failing(target, 1, () => abort.abort()),
      source: [1],
      settings,
      drafter: { model: draft, gamma: 1 },
      signal,
    });
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(target.calls()).toBe(2);
    expect([target.open(), draft.open()]).toEqual([0, 0]);
  });

  it('because a timer cancels it: the event loop turns between rounds', async () => {
    const target = tableModel({ ...table, eosTokens: [] });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 0);
    const long = { numBeams: 3, maxNewTokens: 20_000 }; // far more than the rounds of one turn
    const run = beamSearch({ target, source: [1], settings: long, signal: abort.signal });
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(target.calls()).toBeLessThan(20_000);
    expect(target.open()).toBe(0);
  });

  it('because every token is forbidden says where', async () => {
    const target = tableModel(table);
    const run = beamSearch({ target, source: [1], settings: { ...settings, suppressTokens: [0, 1, 2, 3, 4] } });
    await expect(run).rejects.toMatchObject({ code: 'no-token-left' });
    expect(target.open()).toBe(0);
  });
});
