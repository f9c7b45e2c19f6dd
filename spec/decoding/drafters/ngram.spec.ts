import fc from 'fast-check';
import { type Distribution, type Draw, NgramTable, ngramDrafter, type Settings } from '../../../decoding';
import { longestKnown } from '../../../decoding/drafters/ngram';
import { mostProbableEntries, tokenAt } from '../../../decoding/sampling/distribution';
import { totalVariation } from '../../support/enumerator';
import { finish, samplerOutcomes, targetOutcomes } from '../../support/exactness';
import { randomTable, tableModel } from '../../support/table-model';

const EOS = 1;
const token = fc.integer({ min: 0, max: 4 });
const text = fc.array(token, { minLength: 1, maxLength: 30 });
const VOCABULARY = 5;

function learned(order: number, ids: readonly number[]): NgramTable {
  const table = new NgramTable(order, VOCABULARY);
  table.learn(ids);
  return table;
}

describe('an n-gram table', () => {
  it('holds the relative frequencies of the tokens after a context, as counting them over does (to 1e-12)', () => {
    const seen = { known: 0, unknown: 0 };
    fc.assert(
      fc.property(text, fc.array(token, { maxLength: 3 }), (ids, context) => {
        const followers = ids.filter(
          (_, i) => i >= context.length && context.every((id, j) => ids[i - context.length + j] === id),
        );
        const found = learned(4, ids).after(context, context.length);
        expect(found === null).toBe(followers.length === 0);
        seen[found ? 'known' : 'unknown']++;
        if (!found) return;
        for (let id = 0; id < VOCABULARY; id++) {
          const at = found.tokens?.indexOf(id) ?? -1;
          const share = followers.filter((other) => other === id).length / followers.length;
          expect(at < 0 ? 0 : found.probabilities[at]).toBeCloseTo(share, 12);
        }
      }),
    );
    expect(Math.min(seen.known, seen.unknown)).toBeGreaterThan(5);
  });

  it('learns piece by piece what it learns at once', () => {
    fc.assert(
      fc.property(text, fc.nat(30), (ids, cut) => {
        const table = new NgramTable(3, VOCABULARY);
        const first = Math.min(cut, ids.length);
        table.learn(ids.slice(0, first));
        table.learn(ids, first);
        expect(table.toJSON()).toEqual(learned(3, ids).toJSON());
      }),
    );
  });

  it('comes back from JSON as it was', () => {
    fc.assert(
      fc.property(text, (ids) => {
        const table = learned(3, ids);
        expect(NgramTable.fromJSON(JSON.parse(JSON.stringify(table))).toJSON()).toEqual(table.toJSON());
      }),
    );
  });

  it.each([
    ['another format', { format: 'other', version: 1 }],
    ['a later version', { format: 'tandem-ngram', version: 2 }],
    ['no vocabulary', { format: 'tandem-ngram', version: 1, order: 2 }],
    ['an order of 0', { format: 'tandem-ngram', version: 1, order: 0, vocabularySize: 5 }],
    ['a token outside', { format: 'tandem-ngram', version: 1, order: 2, vocabularySize: 5, contexts: { '': [5, 1] } }],
    ['a token below 0', { format: 'tandem-ngram', version: 1, order: 2, vocabularySize: 5, contexts: { '': [-1, 1] } }],
    ['a count of 0', { format: 'tandem-ngram', version: 1, order: 2, vocabularySize: 5, contexts: { '': [4, 0] } }],
    ['half a pair', { format: 'tandem-ngram', version: 1, order: 2, vocabularySize: 5, contexts: { '': [4] } }],
    ['nothing', null],
  ])('refuses %s', (_, value) => {
    expect(() => NgramTable.fromJSON(value)).toThrow(expect.objectContaining({ code: 'option-invalid' }));
  });

  it('knows no context as long as its order, even where its file has one, and none longer than the text', () => {
    const contexts = { '': [2, 1], '3': [4, 1], '3,4': [0, 1] };
    const value = { format: 'tandem-ngram', version: 1, order: 2, vocabularySize: VOCABULARY, contexts };
    const table = NgramTable.fromJSON(value);
    expect(table.after([4, 3], 1)?.tokens).toEqual(Int32Array.of(4));
    expect(table.after([3, 4], 2)).toBeNull();
    expect(longestKnown([table], [3, 4])?.tokens).toEqual(Int32Array.of(2));
    expect(NgramTable.fromJSON({ ...value, order: 4 }).after([3], 2)).toBeNull();
  });

  it('the longer context decides between two, and the first of two as long', () => {
    const own = learned(2, [2, 3]);
    const trained = learned(3, [4, 2, 0]);
    expect(longestKnown([own, trained], [4, 2])?.tokens).toEqual(Int32Array.of(0)); // two tokens known by the trained one
    expect(longestKnown([own, trained], [1, 2])?.tokens).toEqual(Int32Array.of(3)); // one token known by both
    expect(longestKnown([own], [1])?.tokens).toEqual(Int32Array.of(2, 3)); // none: what came at all
    expect(longestKnown([], [1])).toBeNull();
  });
});

describe('the n-gram drafter', () => {
  it.each(['token', 'block'] as const)(
    'is exact, trained and learning, under %s verification (total variation ≤ 1e-12)',
    async (verification) => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(999),
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 0, max: 2 }),
          async (seed, gamma, online) => {
            const table = { vocabulary: 3, logits: randomTable(3, seed), eosTokens: [EOS] };
            const trained = new NgramTable(2, 3);
            trained.learn([2, 0, 2, 2, 1, 0, 0, 2, 1]);
            const settings: Settings = { temperature: 1, maxNewTokens: 4, gamma, verification };
            const drafter = ngramDrafter(3, { table: trained, online });
            const outcomes = await samplerOutcomes({ request: { target: tableModel(table), settings }, drafter });
            expect(totalVariation(outcomes, targetOutcomes(table, settings))).toBeLessThanOrEqual(1e-12);
          },
        ),
        { numRuns: 8 },
      );
    },
  );

  it('learns a text that repeats itself while it is generated', async () => {
    const period = [7, 3, 9, 4, 6];
    const target = tableModel({
      vocabulary: 12,
      logits: (ids) => Array.from({ length: 12 }, (_, id) => (id === period[(ids.length - 1) % 5] ? 9 : 0)),
    });
    const settings = { gamma: 8, maxNewTokens: 100 };
    const { ids, metrics } = await finish({ target, drafter: ngramDrafter(12), source: [1], settings });
    expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => period[i % 5]));
    expect(metrics.targetCalls).toBeLessThan(25);
    expect(metrics.draftCalls).toBe(metrics.proposed);
  });

  it('forgets between sequences: the second run of a drafter equals the first', async () => {
    const target = tableModel({ vocabulary: 12, logits: randomTable(12, 4) });
    const drafter = ngramDrafter(12);
    const settings = { temperature: 1, gamma: 4, seed: 5, maxNewTokens: 30 };
    const run = () => finish({ target, drafter, source: [1], settings });
    const [one, two] = [await run(), await run()];
    expect(two.ids).toEqual(one.ids);
    expect(two.metrics.proposed).toBe(one.metrics.proposed);
    expect(one.metrics.proposed).toBeGreaterThan(0);
  });

  it('refuses a table of another vocabulary', () => {
    expect(() => ngramDrafter(9, { table: new NgramTable(2, 8) })).toThrow(
      expect.objectContaining({ code: 'vocabulary-mismatch' }),
    );
  });
});

it('learns what takes the place of tokens that were taken back, as when it drafts for another draft', async () => {
  const session = await ngramDrafter(VOCABULARY, { online: 2 }).open([1]);
  const draw = (distribution: Distribution) => {
    const [token] = mostProbableEntries(distribution, 1).map((i) => tokenAt(distribution, i));
    return { token, distribution } as Draw;
  };
  const after = async (ids: readonly number[]) => {
    const asked = { ids, gamma: 1, processing: {}, eosTokens: [], draw, drawSeveral: () => [] };
    return (await session.propose(asked)).map(({ draw: { token } }) => token);
  };
  await after([0, 2, 3, 3, 3]);
  session.rewind(3, []); // 2, 3 stay, and after them comes another token
  expect(await after([0, 2, 3, 4, 3, 4, 3, 4, 3])).toEqual([4]); // 3 came twice after 3, before it was taken back, and 4 three times
});
