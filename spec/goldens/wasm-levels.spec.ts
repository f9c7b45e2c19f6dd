import { BUNDLED, type Decoded, decode, firstDifference, heldOutSources, openPair } from '../support/equality';

/** Node has relaxed SIMD from version 22 on. */
const HAS_RELAXED = Number(process.versions.node.split('.')[0]) >= 22;
const LEVELS = HAS_RELAXED ? ['simd', 'relaxed-simd'] : ['simd'];
const TYPES = ['f32', 'bf16', 'q8', 'q4'] as const;
/** A short and a long held-out passage, each with a γ. */
const PASSAGES = [
  { passage: 104, gamma: 3 },
  { passage: 7, gamma: 6 },
];

describe('the bundled pair on wasm', () => {
  if (!HAS_RELAXED)
    test.skip(`at level relaxed-simd: skipped, Node ${process.versions.node} does not have it`, () => undefined);

  const runs = LEVELS.flatMap((level) => TYPES.map((type) => ({ level, type })));

  test.each(runs)(
    'at level $level in $type, 1 to 4 threads give the same text and logit bits, with and without the draft',
    async ({ level, type }) => {
      const sources = await heldOutSources();
      const first = new Map<number, Decoded>();
      for (const threads of [1, 2, 3, 4]) {
        const pair = await openPair(BUNDLED, 'wasm', type, { level, threads });
        expect(pair.backend.facts).toMatchObject({ level, threads });
        for (const { passage, gamma } of PASSAGES) {
          const settings = { gamma, maxNewTokens: 24 };
          const drafted = await decode(pair.target, pair.draft, sources[passage], settings);
          const alone = first.get(passage) ?? (await decode(pair.target, null, sources[passage], settings));
          first.set(passage, alone);
          expect({ threads, difference: firstDifference(drafted, alone) }).toEqual({ threads, difference: null });
        }
        await pair.close();
      }
    },
  );
});
