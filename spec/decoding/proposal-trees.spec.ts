import fc from 'fast-check';
import { copyDrafter, earlyExitDrafter, firstOf, modelDrafter, type Settings, TraceRecorder } from '../../decoding';
import { totalVariation } from '../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../support/exactness';
import { randomTable, type TableKind, tableModel } from '../support/table-model';

const LIMIT = 1e-12;
const seeds = fc.integer({ min: 1, max: 999 });
const model = (seed: number, vocabulary = 3, kind: TableKind = 'soft') =>
  tableModel({ vocabulary, logits: randomTable(vocabulary, seed, kind), eosTokens: [1] });

async function distance(seed: number, settings: Settings, kinds: [TableKind, TableKind] = ['soft', 'soft']) {
  const table = { vocabulary: 3, logits: randomTable(3, seed, kinds[0]), eosTokens: [1] };
  const target = tableModel(table);
  const draft = model(seed + 1000, 3, kinds[1]);
  const found = await samplerOutcomes({ request: { target, settings }, drafter: modelDrafter(draft) });
  expect(target.open() + draft.open()).toBe(0);
  return totalVariation(found, targetOutcomes(table, settings));
}

describe('decoding with proposal trees', () => {
  const shapes = [[2], [3], [5], [2, 1], [1, 2], [2, 2]];
  it.each(shapes.map((shape) => [shape]))(
    'has the target distribution with %j tokens at each depth, by enumeration of the shipped loop (total variation ≤ 1e-12)',
    async (branching) => {
      await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
          expect(await distance(seed, { branching, temperature: 1, maxNewTokens: 3 })).toBeLessThanOrEqual(LIMIT);
        }),
        { numRuns: branching.length > 1 ? 4 : 10 },
      );
    },
  );

  const kinds: [TableKind, TableKind][] = [
    ['soft', 'holes'],
    ['holes', 'soft'],
    ['holes', 'holes'],
    ['one-hot', 'soft'],
    ['soft', 'one-hot'],
    ['sharp', 'sharp'],
  ];
  it.each(kinds)('is exact for a %s target and a %s draft (total variation ≤ 1e-12)', async (target, draft) => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom([2], [3, 1]), async (seed, branching) => {
        const settings = { branching, temperature: 0.8, topK: 2, maxNewTokens: 3 };
        expect(await distance(seed, settings, [target, draft])).toBeLessThanOrEqual(LIMIT);
      }),
      { numRuns: 5 },
    );
  });

  const trees = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });

  it('is the greedy text without a draft, for any tree and draft', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, seeds, trees, async (seed, draftSeed, branching) => {
        const target = model(seed, 9);
        const settings = { maxNewTokens: 20, minNewTokens: 8 };
        const alone = await finish({ target, source: [4, 5, 1], settings });
        const drafters = [modelDrafter(model(draftSeed, 9)), modelDrafter(target), earlyExitDrafter(target, 1)];
        for (const drafter of [...drafters, firstOf([copyDrafter(9), drafters[0]])]) {
          const found = await finish({ target, drafter, source: [4, 5, 1], settings: { ...settings, branching } });
          expect(found.ids).toEqual(alone.ids);
        }
        expect(target.open()).toBe(0);
      }),
    );
  });

  it('gives one text for a seed with coupled verification, for any tree and draft', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, seeds, trees, async (seed, draftSeed, branching) => {
        const target = model(seed, 9);
        const settings: Settings = { temperature: 1, seed, maxNewTokens: 16, verification: 'coupled' };
        const alone = await finish({ target, source: [1], settings });
        const drafter = modelDrafter(model(draftSeed, 9));
        const found = await finish({ target, drafter, source: [1], settings: { ...settings, branching } });
        expect(found.ids).toEqual(alone.ids);
      }),
    );
  });

  it('with one token at each depth makes the same decisions as a chain', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 4 }), async (seed, gamma) => {
        const pair = { target: model(seed, 9), drafter: modelDrafter(model(seed + 1, 9)), source: [1] };
        const settings: Settings = { temperature: 1, seed, maxNewTokens: 16 };
        const chain = await finish({ ...pair, settings: { ...settings, gamma } });
        const tree = await finish({ ...pair, settings: { ...settings, branching: new Array(gamma).fill(1) } });
        expect(tree.ids).toEqual(chain.ids);
        expect(tree.metrics.accepted).toBe(chain.metrics.accepted);
      }),
    );
  });

  it('accepts more often with three siblings than with one, over 200 seeds', async () => {
    const share = async (branching: number[]) => {
      let [accepted, rounds] = [0, 0];
      for (let seed = 0; seed < 200; seed++) {
        const pair = { target: model(7, 9), drafter: modelDrafter(model(8, 9)), source: [1] };
        const { metrics } = await finish({ ...pair, settings: { temperature: 1, seed, maxNewTokens: 12, branching } });
        accepted += metrics.accepted;
        rounds += metrics.rounds;
      }
      return accepted / rounds;
    };
    expect(await share([3])).toBeGreaterThan(await share([1]));
  });

  it('makes one target call a round and one draft call a depth, and computes nothing twice after a whole line was accepted', async () => {
    const target = model(3, 9);
    const draft = model(3, 9);
    let rows = 0;
    const counted = {
      ...draft,
      forward: (all: Parameters<typeof draft.forward>[0]) => {
        rows += all.length;
        return draft.forward(all);
      },
    };
    const settings = { branching: [2, 1, 1], maxNewTokens: 12, minNewTokens: 12 };
    const { metrics } = await finish({ target, drafter: modelDrafter(counted), source: [1], settings });
    expect(target.calls()).toBe(3); // the draft is the target: four tokens a round
    expect(metrics.draftCalls).toBe(9);
    // The depths have 1, 2 and 2 rows. From the second round on, the last accepted token comes first.
    expect(rows).toBe(1 + 2 + 2 + (2 + 2 + 2) + (2 + 2 + 2));
  });

  it('records in the trace which token follows which', async () => {
    const trace = new TraceRecorder();
    const settings = { branching: [2, 2], maxNewTokens: 6, temperature: 1, seed: 4 };
    const pair = { target: model(3, 9), drafter: modelDrafter(model(4, 9)) };
    const { ids } = await finish({ ...pair, source: [1], settings, trace });
    const [round] = trace.trace.rounds;
    expect(round.proposal.slice(0, 2).map(({ parent }) => parent)).toEqual([-1, -1]);
    expect(new Set(round.proposal.slice(2).map(({ parent }) => parent))).toEqual(new Set([0, 1]));
    expect(trace.trace.rounds.flatMap(({ tokens }) => tokens)).toEqual(ids);
    for (const { path, proposal, tokens } of trace.trace.rounds) {
      expect(path.map((candidate) => proposal[candidate].token)).toEqual(tokens.slice(0, path.length));
    }
  });

  it.each([
    [[], {}, 'branching'],
    [[0], {}, 'branching'],
    [[1.5], {}, 'branching'],
    [[16, 16], {}, 'branching'],
    [[2], { gamma: 3 }, 'gamma'],
    [[2], { costs: { c: 0, v: [1] } }, 'costs'],
    [[2], { verification: 'block' }, 'branching'],
    [[2], { lenience: 0.5 }, 'branching'],
  ] as [number[], Settings, string][])('refuses %j beside %j', async (branching, settings, name) => {
    const run = finish({ target: model(1), source: [1], settings: { ...settings, branching } });
    await expect(run).rejects.toMatchObject({ code: 'option-invalid', message: expect.stringContaining(name) });
  });
});
