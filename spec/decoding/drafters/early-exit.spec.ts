import { earlyExitDrafter } from '../../../decoding';
import { loadModel, type T5Model } from '../../../engine';
import { type Backend, createBackend } from '../../../kernels';
import { finish } from '../../support/exactness';
import { randomCheckpoint, tinyConfig } from '../../support/random-checkpoint';

const SOURCE = [5, 9, 2, 7, 1];

describe("drafting by the target's own first layers", () => {
  let backend: Backend;
  let target: T5Model;

  beforeAll(async () => {
    backend = await createBackend('cpu');
    target = await loadModel(randomCheckpoint(tinyConfig({ decoderLayers: 3 }), 21), backend);
  });

  afterAll(async () => {
    target.dispose();
    await backend.dispose();
  });

  it.each([1, 2, 3])('%i of 3 layers: greedy text is that of plain decoding', async (layers) => {
    const settings = { maxNewTokens: 24, minNewTokens: 24, gamma: 3 };
    const alone = await finish({ target, source: SOURCE, settings });
    const drafted = await finish({ target, drafter: earlyExitDrafter(target, layers), source: SOURCE, settings });
    expect(drafted.ids).toEqual(alone.ids);
    expect(drafted.metrics.proposed).toBeGreaterThan(0);
  });

  it.each([1, 3])('%i of 3 layers: coupled text is that of plain decoding, sampled', async (layers) => {
    const settings = { temperature: 1, seed: 4, maxNewTokens: 24, gamma: 3, verification: 'coupled' as const };
    const alone = await finish({ target, source: SOURCE, settings });
    const drafted = await finish({ target, drafter: earlyExitDrafter(target, layers), source: SOURCE, settings });
    expect(drafted.ids).toEqual(alone.ids);
  });

  it('all layers agree with the target throughout: every proposal stands', async () => {
    const settings = { maxNewTokens: 25, minNewTokens: 25, gamma: 4 };
    const { metrics } = await finish({ target, drafter: earlyExitDrafter(target, 3), source: SOURCE, settings });
    expect(metrics.accepted).toBe(metrics.proposed);
    expect(metrics.targetCalls).toBe(5);
  });

  it('encodes the source once, and refuses layers that the target does not have', async () => {
    let encoded = 0;
    const counting = Object.create(target, {
      encode: {
        value: (sources: number[][]) => {
          encoded++;
          return target.encode(sources);
        },
      },
    });
    const settings = { maxNewTokens: 6, gamma: 2 };
    await finish({ target: counting, drafter: earlyExitDrafter(counting, 1), source: SOURCE, settings });
    expect(encoded).toBe(1);
    const drafter = earlyExitDrafter(target, 4);
    await expect(finish({ target, drafter, source: SOURCE, settings })).rejects.toThrow(/layers: expected 1 to 3/);
  });
});
