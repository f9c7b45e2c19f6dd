import { loadModel } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { fileSet, openFileSet } from '../../weights';
import { goldenBytes } from '../support/golden-files.node';
import { readGolden } from '../support/goldens';
import { greedyTokens } from '../support/greedy';
import { hubRoom } from '../support/hub-room';

const torch = (name: string) => goldenBytes(`torch-files/${name}`);
const SHARDS = Object.fromEntries(
  ['pytorch_model.bin.index.json', 'pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'].map(
    (name) => [name, torch(name)],
  ),
);

/** Files of torch.save, each with the weights of a golden. */
const CHECKPOINTS: readonly [what: string, family: string, files: Record<string, Uint8Array>][] = [
  ['pytorch_model.bin', 't5-tied-unscaled', { 'pytorch_model.bin': torch('tied.bin') }],
  ['one from before PyTorch 1.6', 't5-table-in-encoder', { 'pytorch_model.bin': torch('tied-before-1.6.bin') }],
  ['shards', 't5-table-in-encoder', SHARDS],
];

describe('a checkpoint saved by torch', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createBackend('reference');
  });
  afterAll(() => backend.dispose());

  it.each(CHECKPOINTS)(
    'in %s says what Hugging Face says of the same weights in safetensors',
    async (_, family, weights) => {
      const config = goldenBytes(`${family}/config.json`);
      const checkpoint = await openFileSet(fileSet({ 'config.json': config, ...weights }, family));
      const model = await loadModel(checkpoint, backend);
      for (const { source, greedy } of readGolden(family).cases) {
        if (!greedy) continue;
        const [encoded] = await model.encode([source]);
        expect(await greedyTokens(model, [encoded], greedy.tokens.length)).toEqual([greedy.tokens]);
        encoded.dispose();
      }
      // The table under its four names is one matrix, as in a safetensors file that holds it once.
      if (!('pytorch_model.bin.index.json' in weights)) {
        const plain = await openFileSet(
          fileSet({ 'config.json': config, 'model.safetensors': goldenBytes(`${family}/model.safetensors`) }),
        );
        const other = await loadModel(plain, backend);
        expect(model.weightBytes).toBe(other.weightBytes);
        other.dispose();
      }
      model.dispose();
      await checkpoint.dispose();
    },
  );

  it('gives way to safetensors, on the hub too', async () => {
    const safetensors = goldenBytes('t5-table-in-encoder/model.safetensors');
    const config = goldenBytes('t5-table-in-encoder/config.json');
    const both = { 'config.json': config, 'model.safetensors': safetensors, 'pytorch_model.bin': new Uint8Array(9) };
    await (await openFileSet(fileSet(both))).dispose();
    const room = await hubRoom({ ...both, ...SHARDS });
    try {
      await (await room.get()).dispose();
      expect(room.hub.requests.map(({ path }) => path).sort()).toEqual(['config.json', 'model.safetensors']);
    } finally {
      await room.dispose();
    }
  });

  it.each([
    ['in one file', { 'pytorch_model.bin': torch('tied-before-1.6.bin'), ...SHARDS }, ['pytorch_model.bin']],
    ['in shards', SHARDS, Object.keys(SHARDS)],
  ])(
    '%s is downloaded from the hub, and nothing beside it; lazily it is read by ranges',
    async (_, weights, wanted) => {
      const room = await hubRoom({
        'config.json': goldenBytes('t5-table-in-encoder/config.json'),
        'tf_model.h5': new Uint8Array(9),
        ...weights,
      });
      try {
        const lazy = await room.get({ lazy: true });
        const table = await lazy.read('shared.weight');
        await lazy.dispose();
        expect(room.hub.requests.filter(({ path, range }) => path.endsWith('.bin') && range === null)).toEqual([]);
        room.hub.requests.length = 0;
        const checkpoint = await room.get();
        expect(room.hub.requests.map(({ path }) => path).sort()).toEqual(['config.json', ...wanted].sort());
        expect(await checkpoint.read('shared.weight')).toEqual(table);
        await checkpoint.dispose();
      } finally {
        await room.dispose();
      }
    },
  );
});
