import fc from 'fast-check';
import { confidenceIn } from '../../../decoding/sampling/confidence';
import { oneHot } from '../../../decoding/sampling/distribution';
import type { Draw } from '../../../decoding/sampling/draw';
import { distributionOf, type RowRequest } from '../../../decoding/sampling/processors';
import { loadModel } from '../../../engine';
import { createBackend } from '../../../kernels';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';
import { randomTable, tableModel } from '../../support/table-model';

const VOCABULARY = 9;
const model = (seed: number) => tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, seed) });
const context = { ids: [0], eosTokens: [], source: [], maxNewTokens: 9 };

/** e^(logit / temperature) / Σ, written as it is said. */
function softmaxOf(logits: Float32Array, token: number, temperature: number): number {
  const weights = Array.from(logits, (logit) => Math.exp(logit / temperature));
  return weights[token] / weights.reduce((sum, weight) => sum + weight, 0);
}

async function viewOf(seed: number) {
  const table = model(seed);
  const [encoded] = await table.encode([[3]]);
  return table.forward([{ stream: encoded.open(), token: 0, position: 0, parent: -1 }]);
}

const cases = fc.record({
  seed: fc.nat(9999),
  token: fc.nat(VOCABULARY - 1),
  temperature: fc.constantFrom(0.3, 1, 2.5),
});

describe('how sure a model is of a token', () => {
  it('is the probability that it was drawn with, whether rules changed it or not', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), async ({ seed, token, temperature }, isTruncated) => {
        const view = await viewOf(seed);
        const processing = { temperature, ...(isTruncated && { topK: 3 }) };
        const distribution = distributionOf(await view.read(0), context, processing);
        const at = distribution.tokens?.indexOf(token) ?? token;
        const request: RowRequest = { row: 0, context, processing };
        const found = await confidenceIn(view, request, { token, distribution } as Draw);
        expect(found).toBeCloseTo(at < 0 ? 0 : distribution.probabilities[at], 9);
        const far = await confidenceIn({ ...view, isWhole: false }, request, { token, distribution } as Draw);
        expect(far).toBeCloseTo(found as number, 9);
      }),
    );
  });

  it('is the probability at temperature 1 where the most probable token is taken, by rules or not', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), async ({ seed, token }, hasRules) => {
        const view = await viewOf(seed);
        const processing = { temperature: 0, ...(hasRules && { repetitionPenalty: 1.3 }) };
        const draw = { token, distribution: oneHot(VOCABULARY, token) } as Draw;
        const found = await confidenceIn(view, { row: 0, context, processing }, draw);
        expect(found).toBeCloseTo(softmaxOf(await view.read(0), token, 1), 6);
      }),
    );
  });

  it('is the one at the temperature where a race knows its winner alone', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, token, temperature }) => {
        const view = await viewOf(seed);
        const draw = { token, distribution: oneHot(VOCABULARY, token) } as Draw;
        const found = await confidenceIn(view, { row: 0, context, processing: { temperature } }, draw);
        expect(found).toBeCloseTo(softmaxOf(await view.read(0), token, temperature), 6);
      }),
    );
  });

  it('is not known where the logits are elsewhere, or are not computed, and one token alone is known', async () => {
    const view = { ...(await viewOf(1)), isWhole: false };
    const draw = { token: 3, distribution: oneHot(VOCABULARY, 3) } as Draw;
    for (const temperature of [0, 1]) {
      expect(await confidenceIn(view, { row: 0, context, processing: { temperature } }, draw)).toBeNull();
    }
  });

  it.each(['reference', 'cpu', 'wasm'] as const)('comes from logits of the %s backend', async (name) => {
    const backend = await createBackend(name);
    try {
      const loaded = await loadModel(randomCheckpoint(tinyConfig(), 4), backend);
      const [encoded] = await loaded.encode([[3, 4, 1]]);
      const view = await loaded.forward([{ stream: encoded.open(), token: 0, position: 0, parent: -1 }]);
      const [token] = await view.argMax();
      const logits = await view.read(0);
      expect(view.isWhole).toBe(true);
      const draw = { token, distribution: oneHot(logits.length, token) } as Draw;
      const found = await confidenceIn(view, { row: 0, context, processing: {} }, draw);
      expect(found).toBeCloseTo(softmaxOf(logits, token, 1), 6);
      view.dispose();
      encoded.dispose();
      loaded.dispose();
    } finally {
      await backend.dispose();
    }
  });
});
