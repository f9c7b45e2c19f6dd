import { modelDrafter, type Settings } from '../../decoding';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { chiSquared } from '../support/chi-squared';
import { MUTANTS } from '../support/mutants';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';
import { counted, exact } from '../support/statistics';

describe('the real T5 engine samples the target distribution (Pearson χ², level 0.005, fixed seeds)', () => {
  let backend: Backend;
  let target: T5Model;
  let draft: T5Model;
  const source = [5, 9, 2, 1];

  beforeAll(async () => {
    backend = await createBackend('cpu');
    target = await loadModel(randomCheckpoint(tinyConfig(), 21), backend);
    draft = await loadModel(randomCheckpoint(tinyConfig({ decoderLayers: 1 }), 22), backend);
  });

  afterAll(async () => {
    await backend.dispose();
  });

  it.each<[string, Settings]>([
    ['token verification, temperature 1', { temperature: 1, topK: 4, gamma: 3 }],
    ['token, temperature 1.2, repetition penalty 1.3', { temperature: 1.2, topK: 4, repetitionPenalty: 1.3, gamma: 2 }],
    ['block, temperature 1.5, top-p 0.9', { temperature: 1.5, topK: 4, topP: 0.9, verification: 'block', gamma: 3 }],
    ['coupled, temperature 2', { temperature: 2, topK: 4, verification: 'coupled', gamma: 3 }],
    ['trees [3, 2], temperature 1.5, top-p 0.9', { temperature: 1.5, topK: 4, topP: 0.9, branching: [3, 2] }],
  ])('random models, three tokens, top-k 4, 1,000 texts: %s', async (_, how) => {
    const settings = { ...how, maxNewTokens: 3 };
    const expected = await exact(target, source, settings, 3);
    const counts = await counted({ target, drafter: modelDrafter(draft), source, settings }, 1000, expected);
    const { statistic, critical, degrees } = chiSquared(counts, expected);
    expect(degrees).toBeGreaterThanOrEqual(4);
    expect(statistic).toBeLessThan(critical);
  });

  it('fails the test when the residual is wrong', async () => {
    const settings = { temperature: 1, maxNewTokens: 3, gamma: 3 };
    const expected = await exact(target, source, settings, 3);
    const { rule } = MUTANTS.find((mutant) => mutant.name === 'corrects from the target itself') ?? {};
    expect(rule).toBeDefined();
    const request = { target, drafter: modelDrafter(draft), source, settings, rule };
    const { statistic, critical } = chiSquared(await counted(request, 1000, expected), expected);
    expect(statistic).toBeGreaterThan(critical);
  });
});
