import { differences, goldenSearches } from '../support/beam-goldens';
import { BUNDLED, openPair } from '../support/equality';

describe("beam search finds Hugging Face's sequences (tokens equal, scores within 1e-4), with a draft the same bits", () => {
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
