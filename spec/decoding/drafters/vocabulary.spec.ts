import fc from 'fast-check';
import { beamSearch, generate, modelDrafter, probabilityOf, type Settings, withVocabulary } from '../../../decoding';
import { type LogitsView, loadModel, type SequenceModel } from '../../../engine';
import { createBackend } from '../../../kernels';
import { totalVariation } from '../../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';
import { randomTable, type TableOptions, tableModel } from '../../support/table-model';

/** Sizes of target and draft: either may have more ids. */
const SIZES = [
  { target: 4, draft: 3 },
  { target: 3, draft: 4 },
  { target: 3, draft: 5 },
];

async function rowOf(model: SequenceModel, ids: readonly number[], use: (view: LogitsView) => Promise<void>) {
  const [encoded] = await model.encode([[1]]);
  const stream = encoded.open();
  const view = await model.forward(ids.map((token, i) => ({ stream, token, position: i, parent: i - 1 })));
  await use(view);
  for (const one of [view, stream, encoded]) one.dispose();
}

describe('a draft with another number of ids', () => {
  it('answers every query as one whose missing logits are −∞ and whose additional ones are not there', async () => {
    const sizes = fc.record({ own: fc.integer({ min: 2, max: 7 }), size: fc.integer({ min: 2, max: 7 }) });
    const kind = fc.constantFrom('soft' as const, 'holes' as const, 'sharp' as const);
    let unequal = 0;
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(9999), kind, async ({ own, size }, seed, kind) => {
        const logits = randomTable(own, seed, kind);
        const wanted: TableOptions['logits'] = (ids) => {
          const row = logits(
            ids.map((id) => (id < own ? id : 0)),
            [],
          );
          return Array.from({ length: size }, (_, id) => row[id] ?? Number.NEGATIVE_INFINITY);
        };
        const inner = tableModel({ vocabulary: own, logits });
        const found = withVocabulary(inner, size);
        const plain = tableModel({ vocabulary: size, logits: wanted });
        if (own !== size) unequal++;
        const ids = [0, size - 1, 1];
        await rowOf(plain, ids, (expected) =>
          rowOf(found, ids, async (view) => {
            expect(found.vocabularySize).toBe(size);
            expect([view.rows, view.vocabulary]).toEqual([3, size]);
            for (const row of [0, 1, 2]) {
              const read = await expected.read(row);
              expect((await view.argMax())[row]).toBe((await expected.argMax())[row]);
              expect([...(await view.read(row))]).toEqual([...read]);
              const [sum, other] = [await view.logSumExp(row, 0.7), await expected.logSumExp(row, 0.7)];
              expect(sum === other || Math.abs(sum - other) < 1e-12).toBe(true);
              for (let k = 1; k <= size; k++) {
                const [top, best] = [await view.topK(row, k), await expected.topK(row, k)];
                expect([...top.values]).toEqual([...best.values]);
                expect(new Set(top.ids).size).toBe(k);
                for (const [i, id] of top.ids.entries()) expect(read[id]).toBe(best.values[i]);
              }
              const tokens = Int32Array.from({ length: size }, (_, id) => id);
              expect([...(await view.at(new Int32Array(size).fill(row), tokens))]).toEqual([...read]);
            }
          }),
        );
        expect([inner.open(), plain.open()]).toEqual([0, 0]);
      }),
    );
    expect(unequal).toBeGreaterThan(50);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'has no largest logit in a row with %s among the ids that count, and one where only others have it',
    async (bad) => {
      const ids = [1, 2, 4]; // each of them is the token after which its own logit is bad
      const logits: TableOptions['logits'] = (before) => {
        const last = before[before.length - 1];
        return [0.5, 0, 1, 0.2, -1].map((logit, id) => (id === last ? bad : logit));
      };
      await rowOf(withVocabulary(tableModel({ vocabulary: 5, logits }), 4), ids, async (view) => {
        expect([...(await view.argMax()).slice(0, 2)]).toEqual([-1, -1]);
      });
      const past: TableOptions['logits'] = () => [0.5, 0, 1, 0.2, bad];
      await rowOf(withVocabulary(tableModel({ vocabulary: 5, logits: past }), 4), ids, async (view) => {
        expect([...(await view.argMax())]).toEqual([2, 2, 2]);
      });
    },
  );

  const kinds: [string, Settings][] = [
    ['token', { gamma: 2 }],
    ['block', { gamma: 2, verification: 'block' }],
    ['trees', { branching: [2, 1] }],
  ];
  it.each(kinds)('is exact by enumeration: %s verification (total variation ≤ 1e-12)', async (_, kind) => {
    for (const { target: size, draft: own } of SIZES) {
      for (const processing of [{ temperature: 1 }, { temperature: 0.7, topK: 2, repetitionPenalty: 1.4 }]) {
        for (let seed = 1; seed <= 3; seed++) {
          const table = { vocabulary: size, logits: randomTable(size, seed), eosTokens: [1] };
          const target = tableModel(table);
          const draft = tableModel({ ...table, vocabulary: own, logits: randomTable(own, seed + 500) });
          const settings: Settings = { ...kind, ...processing, maxNewTokens: 3 };
          const drafter = modelDrafter(withVocabulary(draft, size));
          const outcomes = await samplerOutcomes({ request: { target, settings }, drafter });
          expect(totalVariation(outcomes, targetOutcomes(table, settings))).toBeLessThanOrEqual(1e-12);
          expect(draft.calls()).toBeGreaterThan(0);
        }
      }
    }
  });

  it('gives ids that it lacks probability 0, and is refused where nothing says that the sizes may differ', async () => {
    const target = tableModel({ vocabulary: 5, logits: randomTable(5, 1), eosTokens: [1] });
    const draft = tableModel({ vocabulary: 3, logits: randomTable(3, 2) });
    const inner = modelDrafter(withVocabulary(draft, 5));
    const drawn: number[][] = [];
    const session = await inner.open([1]);
    await session.propose({
      ...{ ids: [0, 4], gamma: 4, processing: { temperature: 1 }, eosTokens: [] },
      draw: (distribution, position) => {
        drawn.push([0, 1, 2, 3, 4].map((id) => probabilityOf(distribution, id)));
        return { token: position % 3, distribution } as never;
      },
      drawSeveral: () => [],
    });
    session.dispose();
    expect(drawn).toHaveLength(4);
    for (const row of drawn) {
      expect(row.slice(3)).toEqual([0, 0]);
      expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    }
    const run = generate({ target, drafter: modelDrafter(draft), source: [1] }).next();
    await expect(run).rejects.toMatchObject({ code: 'vocabulary-mismatch' });
  });
});

describe('a real pair with tables of different sizes', () => {
  const KINDS: Settings[] = [
    { gamma: 3 },
    { gamma: 2, verification: 'block' },
    { gamma: 4, verification: 'coupled', temperature: 1, seed: 5 },
    { branching: [3, 2, 1] },
  ];

  it.each(['cpu', 'wasm'] as const)(
    'on %s: the text of the target alone, and the beams of the target alone',
    async (name) => {
      const backend = await createBackend(name, { threads: 1 });
      const load = (size: number, seed: number) =>
        loadModel(randomCheckpoint(tinyConfig({ vocabularySize: size }), seed), backend);
      let missing = 0;
      for (const [seed, [size, own]] of [
        [45, 37],
        [37, 45],
        [37, 33],
      ].entries()) {
        const target = await load(size, seed + 1);
        const draft = withVocabulary(await load(own, seed + 10), size);
        for (const settings of KINDS.map((kind) => ({ ...kind, maxNewTokens: 24 }))) {
          const source = [size - 1, 5, 9, 1];
          const { branching: _, gamma: __, ...alone } = settings;
          const { ids } = await finish({ target, source, settings: alone });
          missing += ids.filter((id) => id >= own).length;
          const found = await finish({ target, drafter: modelDrafter(draft), source, settings });
          expect({ settings, ids: found.ids }).toEqual({ settings, ids });
        }
        const settings = { numBeams: 3, numReturnSequences: 3, maxNewTokens: 12 };
        const plain = await beamSearch({ target, source: [3, 1], settings });
        const drafted = await beamSearch({ target, source: [3, 1], settings, drafter: { model: draft, gamma: 3 } });
        expect(drafted.sequences).toEqual(plain.sequences);
      }
      expect(missing).toBeGreaterThan(2); // the draft reads past ids that it lacks
      await backend.dispose();
    },
  );
});
