import type * as FastCheck from 'fast-check';
import type { Settings } from '../decoding';
import { DRAFTERS, KINDS, type MakeDrafter, STOPS } from './grid';
import { randomTable, type TableKind, type TableOptions } from './table-model';

const TABLE_KINDS: readonly TableKind[] = ['soft', 'sharp', 'holes', 'one-hot'];

/** Arbitraries of fast-check for laws about decoding. All of them shrink. */
export interface Arbitraries {
  /** A random table: give it to `tableModel` for a model, or to `targetOutcomes` for its distribution. */
  table(vocabulary: number): FastCheck.Arbitrary<TableOptions>;
  /** Source ids, 1 to 12 of them. */
  prompt(vocabulary: number): FastCheck.Arbitrary<number[]>;
  /** Settings that go together: greedy or sampled, rules and truncations, a verification, γ or a tree, a length. */
  settings(vocabulary: number): FastCheck.Arbitrary<Settings>;
  /** One of the drafters that come with Tandem. */
  drafter(): FastCheck.Arbitrary<MakeDrafter>;
  /** How a text ends. */
  stop(): FastCheck.Arbitrary<(typeof STOPS)[string]>;
}

/**
 * Arbitraries made with your fast-check, version 3 or 4. It is handed in, so that Tandem runs without fast-check.
 *
 * ```ts
 * import fc from 'fast-check';
 * const { table, settings } = arbitrariesOf(fc);
 * ```
 */
export function arbitrariesOf(fc: typeof FastCheck.default): Arbitraries {
  const seed = fc.integer({ min: 1, max: 1_000_000 });
  return {
    table: (vocabulary) =>
      fc
        .record({
          seed,
          kind: fc.constantFrom(...TABLE_KINDS),
          eosTokens: fc.uniqueArray(fc.integer({ min: 1, max: vocabulary - 1 }), { maxLength: 2 }),
        })
        .map(({ seed, kind, eosTokens }) => ({ vocabulary, logits: randomTable(vocabulary, seed, kind), eosTokens })),
    prompt: (vocabulary) => fc.array(fc.nat({ max: vocabulary - 1 }), { minLength: 1, maxLength: 12 }),
    settings: (vocabulary) => settingsArbitrary(fc, vocabulary),
    drafter: () => fc.constantFrom(...Object.values(DRAFTERS)),
    stop: () => fc.constantFrom(...Object.values(STOPS)),
  };
}

function settingsArbitrary(fc: typeof FastCheck.default, vocabulary: number): FastCheck.Arbitrary<Settings> {
  const token = fc.nat({ max: vocabulary - 1 });
  const share = fc.double({ min: 0.05, max: 1, noNaN: true });
  const kinds: readonly Settings[] = [...Object.values(KINDS), { verification: 'coupled', gamma: 3 }, { gamma: 0 }];
  const rules = fc.record(
    {
      repetitionPenalty: fc.double({ min: 0.5, max: 2, noNaN: true }),
      noRepeatNgramSize: fc.integer({ min: 2, max: 4 }),
      minNewTokens: fc.integer({ min: 1, max: 3 }),
      suppressTokens: fc.uniqueArray(token, { minLength: 1, maxLength: Math.max(1, vocabulary - 2) }),
      badWords: fc.array(fc.array(token, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const sampled = fc.record(
    {
      temperature: fc.double({ min: 0.3, max: 2, noNaN: true }),
      topK: fc.integer({ min: 1, max: vocabulary }),
      topP: share,
      minP: fc.double({ min: 0, max: 0.5, noNaN: true }),
    },
    { requiredKeys: ['temperature'] },
  );
  const greedy = fc.constant<Settings>({ temperature: 0 });
  return fc
    .tuple(fc.constantFrom(...kinds), rules, fc.oneof(greedy, sampled), fc.integer({ min: 3, max: 4 }))
    .map(([kind, ruled, drawn, maxNewTokens]) => ({ ...ruled, ...drawn, ...kind, maxNewTokens }));
}
