import { modelDrafter, type Settings } from '../../decoding';
import type { SequenceModel } from '../../engine';
import { chiSquared, twoSamples } from '../support/chi-squared';
import { BUNDLED, heldOutSources, openPair, type Pair } from '../support/equality';
import { finish } from '../support/exactness';
import { counted, encodedOnce, exact, PASSAGE } from '../support/statistics';

const KINDS: [string, Settings][] = [
  ['token', { verification: 'token', gamma: 3 }],
  ['block', { verification: 'block', gamma: 3 }],
  ['coupled', { verification: 'coupled', gamma: 3 }],
  ['trees [3, 1, 1]', { branching: [3, 1, 1] }],
  ['coupled trees [2, 2]', { verification: 'coupled', branching: [2, 2] }],
];
const LAWS: [string, Settings][] = [
  ['temperature 1', { temperature: 1 }],
  ['temperature 0.7', { temperature: 0.7 }],
  ['temperature 1, top-p 0.9', { temperature: 1, topP: 0.9 }],
];

describe.each(KINDS)('the bundled pair under %s verification (χ², level 0.005, fixed seeds)', (_, kind) => {
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

  it.each(LAWS)('has the target’s distribution of three tokens over 1,000 texts, %s', async (_, law) => {
    const settings = { ...kind, ...law, maxNewTokens: 3 };
    const expected = await exact(target, source, settings, 3);
    const request = { target, drafter: modelDrafter(draft), source, settings };
    const { statistic, critical, degrees } = chiSquared(await counted(request, 1000, expected), expected);
    expect(degrees).toBeGreaterThanOrEqual(3);
    expect(statistic).toBeLessThan(critical);
  });

  /** How often each token comes at a position; seeds from `first` on. */
  async function tokensAt(position: number, drafter: boolean, settings: Settings, first: number) {
    const counts = new Map<string, number>();
    for (let seed = first; seed < first + 300; seed++) {
      const request = { target, drafter: drafter ? modelDrafter(draft) : null, source };
      const { ids } = await finish({ ...request, settings: { ...settings, seed } });
      const key = String(ids[position] ?? 'ended');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  it('has the ninth token’s distribution of autoregressive sampling: two samples of 300 texts, temperature 1', async () => {
    const settings = { ...kind, temperature: 1, maxNewTokens: 9 };
    const { branching, ...plain } = settings;
    const alone = await tokensAt(8, false, plain, 1);
    const drafted = await tokensAt(8, true, branching ? { ...plain, branching } : plain, 100_001);
    const { statistic, critical, degrees } = twoSamples(alone, drafted);
    expect(degrees).toBeGreaterThanOrEqual(3);
    expect(statistic).toBeLessThan(critical);
  });
});
