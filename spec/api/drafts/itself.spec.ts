import { type LoadOptions, Tandem } from '../../../api';
import type { TensorData } from '../../../weights';
import { checkpointBytes, randomTensors, tinyConfig } from '../../support/random-checkpoint';

const CONFIG = tinyConfig({ decoderLayers: 2 });
const SOURCE = [5, 9, 2, 7, 1];

const filesOf = (tensors: ReadonlyMap<string, TensorData>) => checkpointBytes({ config: CONFIG, tensors });

async function load(options: LoadOptions = {}): Promise<Tandem> {
  return Tandem.load(await filesOf(randomTensors(CONFIG, 21)), { backend: 'wasm', threads: 1, ...options });
}

async function drafterOf(options: LoadOptions): Promise<string | null> {
  await using tandem = await load(options);
  return tandem.drafter;
}

describe('a target for which no draft is named', () => {
  it('drafts for itself where its weights are float32, on wasm, and writes what it writes without a draft', async () => {
    await using alone = await load({ draft: null });
    await using itself = await load();
    await using asked = await load({ draft: 'self:q8:copy' });
    expect([alone.drafter, itself.drafter]).toEqual([null, asked.drafter]);
    expect(itself.drafter).toMatch(/ in q8, drafted by copy$/);
    for (const options of [{ gamma: 3 }, { gamma: 3, temperature: 1, verification: 'coupled' as const, seed: 4 }, {}]) {
      const settings = { ...options, maxNewTokens: 24, minNewTokens: 24 };
      const [plain, drafted] = [await alone.generate(SOURCE, settings), await itself.generate(SOURCE, settings)];
      expect(drafted.ids).toEqual(plain.ids);
      if (options.gamma) expect(drafted.metrics.accepted).toBeGreaterThan(10);
    }
  });

  it('does not where it has no decoder', async () => {
    const tensors = [...randomTensors(CONFIG, 21)].filter(([name]) => !name.startsWith('decoder.'));
    await using tandem = await Tandem.load(await filesOf(new Map(tensors)), { threads: 1 });
    expect(tandem.drafter).toBeNull();
  });

  it.each<[string, LoadOptions]>([
    ['its weights are q8', { dtype: 'q8' }],
    ['its weights are bf16', { dtype: 'bf16' }],
    ['the backend is cpu', { backend: 'cpu', threads: undefined }],
    ['no draft is asked for', { draft: null }],
    ['a list of drafts is empty', { draft: [] }],
  ])('does not where %s', async (_, options) => {
    expect(await drafterOf(options)).toBeNull();
  });

  it('has the draft that is named alone', async () => {
    expect(await drafterOf({ draft: 'copy' })).toBe('copy');
    expect(await drafterOf({ draft: 'self:q4:copy' })).toMatch(/ in q4, drafted by copy$/);
  });

  it('drafts for a beam search only where γ is asked for', async () => {
    await using itself = await load();
    await using alone = await load({ draft: null });
    const settings = { numBeams: 3, maxNewTokens: 9 };
    const [plain, drafted] = [
      await itself.generate(SOURCE, settings),
      await itself.generate(SOURCE, { ...settings, gamma: 3 }),
    ];
    expect([plain.metrics.proposed, drafted.metrics.proposed > 0]).toEqual([0, true]);
    const expected = await alone.generate(SOURCE, settings);
    expect([plain.ids, drafted.ids]).toEqual([expected.ids, expected.ids]);
  });
});
