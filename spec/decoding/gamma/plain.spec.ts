import { type Drafter, generateBatch, type KeptWay, modelDrafter, PairCosts, type Settings } from '../../../decoding';
import { finish } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const target = tableModel({ vocabulary: 9, logits: randomTable(9, 1) });
const draft = modelDrafter(tableModel({ vocabulary: 9, logits: randomTable(9, 2) }));

/** A drafter that counts how often it is opened and asked. */
function counted(): { drafter: Drafter; opened: () => number; asked: () => number } {
  let [opened, asked] = [0, 0];
  const open: Drafter['open'] = async (source, encoded, signal) => {
    opened++;
    const session = await draft.open(source, encoded, signal);
    return {
      propose: (request) => {
        asked++;
        return session.propose(request);
      },
      rewind: (length, path) => session.rewind(length, path),
      dispose: () => session.dispose(),
      get calls() {
        return session.calls;
      },
    };
  };
  const { name, vocabularySize } = draft;
  return { drafter: { name, vocabularySize, open }, opened: () => opened, asked: () => asked };
}

const way = (alpha: number, slope: number, c: number): KeptWay => ({
  ...{ draft: [[1, c]], further: [], opening: 2, alpha },
  target: [
    [1, 1],
    [17, 1 + 16 * slope],
  ],
});
const all = (kept: KeptWay) => new PairCosts({ greedy: kept, coupled: kept, sampled: kept });

describe("γ 'auto' where no draft pays", () => {
  test.each([
    ['greedy', {}],
    ['sampled', { temperature: 1, seed: 3 }],
  ] as const)('%s: is plain decoding, in which the draft is not opened', async (_, way0: Settings) => {
    const { drafter, opened, asked } = counted();
    const settings: Settings = { ...way0, gamma: 'auto', maxNewTokens: 48 };
    const costs = all(way(0, 1, 1.5));
    const { metrics } = await finish({ target, drafter, source: [1], settings, costs });
    expect([opened(), asked(), metrics.proposed, metrics.draftCalls]).toEqual([0, 0, 0, 0]);
    expect(metrics.targetCalls).toBe(48);
    const alone = await finish({ target, source: [1], settings: { ...settings, verification: 'coupled' } });
    expect((await finish({ target, drafter, source: [1], settings, costs })).ids).toEqual(alone.ids);
  });

  it('and one that pays is opened once, by the round that first proposes', async () => {
    const { drafter, opened, asked } = counted();
    const settings: Settings = { gamma: 'auto', maxNewTokens: 24 };
    await finish({ target, drafter, source: [1], settings, costs: all(way(0.95, 0.01, 0.01)) });
    expect(opened()).toBe(1);
    expect(asked()).toBeGreaterThan(0);
  });

  it('a batch that is given no costs learns them once for all its sequences, and comes to propose', async () => {
    let ticks = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => ticks++);
    try {
      const requests = [1, 2, 3].map((seed) => ({ source: [seed], settings: { maxNewTokens: 30, minNewTokens: 30 } }));
      let proposed = 0;
      for await (const event of generateBatch({ target, drafter: modelDrafter(target) }, requests)) {
        if (event.kind === 'done') proposed += event.result.metrics.proposed;
      }
      expect(proposed).toBeGreaterThan(0);
    } finally {
      clock.mockRestore();
    }
  });

  it('sequences of one batch share what they learn, by their way of drawing', async () => {
    const costs = all(way(0.9, 0.01, 0.01));
    const before = target.open();
    const requests = [1, 2, 3].map((seed) => ({
      source: [seed],
      settings: { gamma: 'auto' as const, temperature: 1, seed, maxNewTokens: 20 },
    }));
    let done = 0;
    for await (const { kind } of generateBatch({ target, drafter: draft, costs }, requests))
      if (kind === 'done') done++;
    expect(done).toBe(3);
    expect(costs.coupled.rounds).toBeGreaterThan(0);
    expect([costs.greedy.rounds, costs.sampled.rounds]).toEqual([0, 0]);
    expect(target.open()).toBe(before);
  });
});
