import type { BackendName } from '../../kernels';
import { compareSearches, differences, goldenSearches, goldenSettings } from '../support/beam-goldens';
import { BUNDLED, heldOutSources, openPair } from '../support/equality';
import { goldenCheckpoint } from '../support/goldens';

describe("beam search finds Hugging Face's sequences (equal tokens, scores within 1e-4), and with a draft the same bits", () => {
  const families = ['t5-v1.0', 't5-v1.1', 't5-deep-decoder'];
  const runs: BackendName[] = ['cpu', 'wasm'];

  test.each(runs.flatMap((name) => families.map((family) => ({ name, family }))))(
    '$family on $name: endings, length penalties, processors, rules over whole rows, one EOS and two',
    async ({ name, family }) => {
      const directory = goldenCheckpoint(family);
      const pair = await openPair({ target: directory, draft: directory }, name, 'f32');
      const rough = await openPair({ target: directory, draft: directory }, name, 'q8');
      const rules = goldenSettings(family, 'beam-rules');
      const searches = [...goldenSearches(family), ...goldenSettings(family, 'beam-settings'), ...rules];
      expect(searches).toHaveLength(2 * 8 + 2 * 19 + 2 * 12);
      expect(await differences({ ...pair, draft: rough.draft }, searches)).toEqual([]);
      // The comparison can fail: int8 has other scores.
      expect(await differences(rough, searches.slice(0, 4))).not.toEqual([]);
      await rough.close();
      await pair.close();
    },
  );

  test.each([
    { name: 'wasm' as const, searches: 3 * 8, every: 1 },
    { name: 'cpu' as const, searches: 2, every: 5 },
  ])('the bundled target on $name: $searches searches of held-out passages', async ({ name, searches, every }) => {
    const pair = await openPair(BUNDLED, name, 'f32');
    const golden = goldenSearches('modernize-target').filter((_, i) => i % every === 0);
    expect(await differences(pair, golden.slice(0, searches))).toEqual([]);
    await pair.close();
  });
});

describe('speculative beam search of the bundled pair equals plain beam search, token for token and score bit for score bit', () => {
  test('on wasm in float32: every tenth held-out passage, each with settings of its own, for half of the target calls', async () => {
    const pair = await openPair(BUNDLED, 'wasm', 'f32');
    const sources = (await heldOutSources()).filter((_, i) => i % 10 === 0);
    const { plain, speculative } = await compareSearches(pair, sources);
    expect(speculative).toBeLessThan(plain / 2);
    await pair.close();
  });
});
