import { modelDrafter, type Settings } from '../../decoding';
import { probabilityOf } from '../../decoding/distribution';
import { distributionOf } from '../../decoding/processors';
import { loadModel, type SequenceModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { chiSquared } from '../support/chi-squared';
import { BUNDLED, heldOutSources, openPair } from '../support/equality';
import { finish } from '../support/exactness';
import { MUTANTS } from '../support/mutants';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

/** The target's exact distribution over the first `length` tokens, by the chain rule over its own logits. */
async function exact(target: SequenceModel, source: readonly number[], settings: Settings, length: number) {
  const outcomes = new Map<string, number>();
  const [encoded] = await target.encode([source]);
  const walk = async (ids: readonly number[], mass: number): Promise<void> => {
    if (ids.length > length || (ids.length > 1 && target.eosTokens.includes(ids[ids.length - 1]))) {
      outcomes.set(ids.slice(1).join(), mass);
      return;
    }
    const stream = encoded.open();
    const rows = ids.map((token, i) => ({ stream, token, position: i, parent: i - 1 }));
    const view = await target.forward(rows);
    const distribution = distributionOf(
      await view.read(ids.length - 1),
      { ids, eosTokens: target.eosTokens },
      settings,
    );
    view.release();
    stream.release();
    for (let token = 0; token < target.vocabularySize; token++) {
      const probability = probabilityOf(distribution, token);
      // What is too rare to be told apart is pooled anyway: one name for all of it.
      if (probability * mass > 1e-4) await walk([...ids, token], mass * probability);
      else if (probability > 0) outcomes.set('rare', (outcomes.get('rare') ?? 0) + mass * probability);
    }
  };
  await walk([target.startToken], 1);
  encoded.release();
  return outcomes;
}

/** The same model, with the source encoded once for all runs. */
async function encodedOnce(model: T5Model, source: readonly number[]): Promise<SequenceModel> {
  const [encoded] = await model.encode([source]);
  const shared = { source, open: () => encoded.open(), release: () => undefined };
  const { vocabularySize, startToken, eosTokens, padToken } = model;
  const forward: SequenceModel['forward'] = (rows, options) => model.forward(rows, options);
  return { vocabularySize, startToken, eosTokens, padToken, forward, encode: async () => [shared] };
}

/** A held-out passage whose first words are open: several translations have mass. */
const PASSAGE = 0;

type Request = Parameters<typeof finish>[0];

/** Counts of the texts of `runs` generations with seeds 1, 2, …; texts not among `known` count as rare. */
async function counted(request: Request, runs: number, known: ReadonlyMap<string, number>) {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= runs; seed++) {
    const { ids } = await finish({ ...request, settings: { ...request.settings, seed } });
    const key = known.has(ids.join()) ? ids.join() : 'rare';
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe('the real T5 engine samples the target distribution (Pearson χ², level 0.005, fixed seeds)', () => {
  let backend: Backend;
  let target: T5Model;
  let draft: T5Model;

  beforeAll(async () => {
    backend = await createBackend('cpu');
    target = await loadModel(randomCheckpoint(tinyConfig(), 21), backend);
    draft = await loadModel(randomCheckpoint(tinyConfig({ decoderLayers: 1 }), 22), backend);
  });

  afterAll(async () => {
    await backend.dispose();
  });

  it.each<[string, Settings]>([
    ['temperature 1', { temperature: 1 }],
    ['temperature 0.7, top-p 0.9', { temperature: 0.7, topP: 0.9 }],
    ['temperature 1.2, top-k 8, repetition penalty 1.3', { temperature: 1.2, topK: 8, repetitionPenalty: 1.3 }],
  ])('random models, three tokens, 3,000 texts, γ = 3, %s', async (_, processing) => {
    const settings = { ...processing, maxNewTokens: 3, gamma: 3 };
    const source = [5, 9, 2, 1];
    const expected = await exact(target, source, settings, 3);
    const counts = await counted({ target, drafter: modelDrafter(draft), source, settings }, 3000, expected);
    const { statistic, critical, degrees } = chiSquared(counts, expected);
    expect(degrees).toBeGreaterThan(10);
    expect(statistic).toBeLessThan(critical);
  });

  it('and the test has teeth: the same run with a wrong residual fails it', async () => {
    const settings = { temperature: 1, maxNewTokens: 3, gamma: 3 };
    const source = [5, 9, 2, 1];
    const expected = await exact(target, source, settings, 3);
    const { parts } = MUTANTS.find((mutant) => mutant.name === 'corrects from the target itself') ?? {};
    expect(parts).toBeDefined();
    const request = { target, drafter: modelDrafter(draft), source, settings, parts };
    const { statistic, critical } = chiSquared(await counted(request, 3000, expected), expected);
    expect(statistic).toBeGreaterThan(critical);
  });
});

describe('the bundled pair samples its target’s distribution (Pearson χ², level 0.005, fixed seeds)', () => {
  it.each<[string, Settings]>([
    ['temperature 1', { temperature: 1 }],
    ['temperature 0.7', { temperature: 0.7 }],
    ['temperature 1, top-p 0.9', { temperature: 1, topP: 0.9 }],
  ])('three tokens of a held-out passage, 300 texts, γ = 2, %s', async (_, processing) => {
    const pair = await openPair(BUNDLED, 'wasm', 'bf16');
    const source = (await heldOutSources())[PASSAGE];
    const settings = { ...processing, maxNewTokens: 3, gamma: 2 };
    const target = await encodedOnce(pair.target, source);
    const drafter = modelDrafter(await encodedOnce(pair.draft, source));
    const expected = await exact(target, source, settings, 3);
    const request = { target, drafter, source, settings };
    const { statistic, critical, degrees } = chiSquared(await counted(request, 300, expected), expected);
    expect(degrees).toBeGreaterThanOrEqual(3);
    expect(statistic).toBeLessThan(critical);
    await pair.close();
  });
});
