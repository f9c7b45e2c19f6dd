import { decode, firstDifference, openPair } from '../support/equality';
import { goldenCheckpoint, readGolden } from '../support/goldens';

const GAMMAS = Array.from({ length: 16 }, (_, i) => 1 + i);

describe('speculative decoding of random models, with an int8 copy of the model as the draft, gives equal tokens and logit bits', () => {
  const families = ['t5-v1.0', 't5-v1.1', 't5-deep-decoder', 'umt5'];
  const runs = [
    { name: 'reference', gammas: [1, 4, 16], sources: 2 },
    { name: 'cpu', gammas: GAMMAS, sources: 3 },
    { name: 'wasm', gammas: GAMMAS, sources: 4 },
  ] as const;

  // Two random models never agree. An int8 copy agrees in part, so some drafted tokens are accepted and some are not.
  test.each(runs.flatMap((run) => families.map((family) => ({ ...run, family }))))(
    '$family on $name, γ of $gammas',
    async ({ name, family, gammas, sources }) => {
      const directory = goldenCheckpoint(family);
      const pair = await openPair({ target: directory, draft: directory }, name, 'f32');
      const rough = await openPair({ target: directory, draft: directory }, name, 'q8');
      const settings = { maxNewTokens: 24 };
      for (const { source } of readGolden(family).cases.slice(0, sources)) {
        const expected = await decode(pair.target, null, source, settings);
        for (const gamma of gammas) {
          const found = await decode(pair.target, rough.draft, source, { ...settings, gamma });
          expect({ gamma, difference: firstDifference(found, expected) }).toEqual({ gamma, difference: null });
        }
        // The comparison can fail: int8 has other logits.
        expect(firstDifference(await decode(rough.target, null, source, settings), expected)).not.toBeNull();
      }
      await rough.close();
      await pair.close();
    },
  );
});
