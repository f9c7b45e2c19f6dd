import { modelDrafter, type Settings } from '../../decoding';
import type { SequenceModel } from '../../engine';
import { chiSquared } from '../support/chi-squared';
import { BUNDLED, heldOutSources, openPair, type Pair } from '../support/equality';
import { counted, encodedOnce, exact, PASSAGE } from '../support/statistics';

describe('the bundled pair samples its target’s distribution (Pearson χ², level 0.005, fixed seeds)', () => {
  let pair: Pair;
  let source: number[];
  let target: SequenceModel;
  let draft: SequenceModel;

  beforeAll(async () => {
    pair = await openPair(BUNDLED, 'wasm', 'bf16');
    source = (await heldOutSources())[PASSAGE];
    target = await encodedOnce(pair.target, source);
    draft = await encodedOnce(pair.draft, source);
  });

  afterAll(async () => {
    await pair.close();
  });

  // Every kind at every temperature, with more texts: statistics.long.ts.
  it.each<[string, Settings]>([
    ['token verification, temperature 1', { temperature: 1, gamma: 2 }],
    ['block, temperature 0.7', { temperature: 0.7, verification: 'block', gamma: 2 }],
    ['coupled, temperature 1, top-p 0.9', { temperature: 1, topP: 0.9, verification: 'coupled', gamma: 2 }],
    ['trees [2, 1], temperature 0.7', { temperature: 0.7, branching: [2, 1] }],
  ])('three tokens of a held-out passage, 120 texts: %s', async (_, how) => {
    const settings = { ...how, maxNewTokens: 3 };
    const expected = await exact(target, source, settings, 3);
    const request = { target, drafter: modelDrafter(draft), source, settings };
    const { statistic, critical, degrees } = chiSquared(await counted(request, 120, expected), expected);
    expect(degrees).toBeGreaterThanOrEqual(3);
    expect(statistic).toBeLessThan(critical);
  });
});
