import fc from 'fast-check';
import {
  type Drafter,
  draftingWay,
  type KeptWay,
  modelDrafter,
  PairCosts,
  randomDrafter,
  replayGammas,
  type Settings,
  TraceRecorder,
} from '../../../decoding';
import { finish } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const WORDS = 9;
const model = (seed: number, factor = 1) => {
  const logits = randomTable(WORDS, seed);
  return tableModel({
    ...{ vocabulary: WORDS, eosTokens: [1] },
    logits: (ids, sources) => logits(ids, sources).map((logit) => factor * logit),
  });
};

/** Drafts of the target with this seed: one that agrees always, one whose best token is the target's worst, and two others. */
const DRAFTS: Readonly<Record<string, (seed: number) => Drafter>> = {
  'agrees always': (seed) => modelDrafter(model(seed)),
  'never agrees': (seed) => modelDrafter(model(seed, -40)),
  'agrees at times': (seed) => modelDrafter(model(seed + 1)),
  'random tokens': () => randomDrafter(WORDS),
};

const kept = (alpha: number, slope: number, c: number): KeptWay => ({
  ...{ draft: [[1, c]], further: [], opening: 0, alpha },
  target: [
    [1, 1],
    [17, 1 + 16 * slope],
  ],
});
const all = (way: KeptWay) => new PairCosts({ greedy: way, coupled: way, sampled: way });

/** What is known of costs when a text begins. */
const KNOWN: Readonly<Record<string, () => PairCosts | undefined>> = {
  'nothing is known': () => undefined,
  'proposals are known to pay': () => all(kept(0.95, 0.001, 0.001)),
  'proposals are known to be dear': () => all(kept(0, 1, 1.5)),
};

describe('γ by default', () => {
  it('gives the text that every fixed γ gives with the verification in force, and so does decoding without a draft', async () => {
    const cases = fc.record({
      seed: fc.nat(9999),
      draft: fc.constantFrom(...Object.values(DRAFTS)),
      costs: fc.constantFrom(...Object.values(KNOWN)),
      gamma: fc.integer({ min: 0, max: 7 }),
      asked: fc.constantFrom<Settings>(
        {},
        { verification: 'block' },
        { verification: 'coupled' },
        { temperature: 0.7 },
        { temperature: 1.3, topK: 4 },
        { temperature: 1, topP: 0.9, verification: 'coupled' },
        { temperature: 1, repetitionPenalty: 1.4, minNewTokens: 6 },
      ),
    });
    const seen = { proposed: 0, plain: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, draft, costs, gamma, asked }) => {
        const settings: Settings = { ...asked, seed, maxNewTokens: 20 };
        const { verification } = draftingWay(settings);
        const target = model(seed);
        const request = { target, drafter: draft(seed), source: [1] };
        const { ids, metrics } = await finish({ ...request, settings, costs: costs() });
        seen.proposed += metrics.proposed;
        if (metrics.proposed === 0) seen.plain++;
        const fixed = await finish({ ...request, settings: { ...settings, verification, gamma } });
        const alone = await finish({ target, source: [1], settings });
        expect([ids, ids]).toEqual([fixed.ids, alone.ids]);
      }),
      { numRuns: 300 },
    );
    expect(seen.proposed).toBeGreaterThan(100); // γ was above 0 in some texts, and 0 in all rounds of other texts
    expect(seen.plain).toBeGreaterThan(10);
  });

  test.each([
    ['greedy', {}],
    ['sampled', { temperature: 1, seed: 3 }],
    ['sampled by rules', { temperature: 0.8, topK: 5, repetitionPenalty: 1.2, seed: 8 }],
  ] as const)(
    '%s: a program that starts and one that has learnt propose otherwise and give one text',
    async (_, asked) => {
      const run = async (costs: PairCosts) => {
        const trace = new TraceRecorder();
        const settings: Settings = { ...asked, maxNewTokens: 24, minNewTokens: 24 };
        const request = { target: model(5), drafter: modelDrafter(model(5)), source: [1] };
        const { ids } = await finish({ ...request, settings, costs, trace });
        return { ids, first: replayGammas(trace.trace)[0] };
      };
      const [fresh, later] = [await run(new PairCosts()), await run(all(kept(0.95, 0.001, 0.001)))];
      expect([fresh.first, later.first > 0]).toEqual([0, true]);
      expect(later.ids).toEqual(fresh.ids);
      const costs = new PairCosts();
      for (let call = 0; call < 4; call++) expect((await run(costs)).ids).toEqual(fresh.ids);
      expect(costs.rounds).toBeGreaterThan(3);
    },
  );
});
