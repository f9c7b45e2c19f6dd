import { compareSearches, differences, goldenSearches } from '../support/beam-goldens';
import { BUNDLED, heldOutSources, openPair } from '../support/equality';

describe("beam search finds Hugging Face's sequences (equal tokens, scores within 1e-4), and with a draft the same bits", () => {
  test.each(['wasm', 'cpu'] as const)(
    'the bundled target on %s: every golden search',
    async (name) => {
      const pair = await openPair(BUNDLED, name, 'f32');
      const golden = goldenSearches('modernize-target');
      expect(golden).toHaveLength(6 * 8);
      expect(await differences(pair, golden)).toEqual([]);
      await pair.close();
    },
    3_600_000,
  );
});

describe('speculative beam search of the bundled pair equals plain beam search, token for token and score bit for score bit', () => {
  const kinds = ['f32', 'bf16', 'q8'] as const;

  test.each(kinds.flatMap((type) => [0, 1, 2, 3].map((quarter) => ({ type, quarter }))))(
    'on wasm in $type: quarter $quarter of the 200 held-out passages',
    async ({ type, quarter }) => {
      const pair = await openPair(BUNDLED, 'wasm', type);
      const sources = await heldOutSources();
      await compareSearches(pair, sources.slice(50 * quarter, 50 * (quarter + 1)));
      await pair.close();
    },
    3_600_000,
  );
});
