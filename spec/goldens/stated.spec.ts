import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { fileSet, openFileSet } from '../../weights';
import { ACTIVATIONS, OTHER_ACTIVATIONS } from '../../weights/activations';
import { goldenBytes } from '../support/golden-files.node';
import { readGoldenTensors, relativeError } from '../support/goldens';
import { greedyTokens } from '../support/greedy';
import { statedGolden } from '../support/stated-golden';

const { activations, int8 } = statedGolden;
const tensors = readGoldenTensors('stated');
const TOLERANCE = 1e-5;

const files = (folder: string) => ({
  config: JSON.parse(new TextDecoder().decode(goldenBytes(`stated/${folder}/config.json`))) as object,
  weights: goldenBytes(`stated/${folder}/model.safetensors`),
});

describe('what config.json states of the model', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createBackend('reference');
  });
  afterAll(() => backend.dispose());

  async function load(folder: string, changes: object): Promise<T5Model> {
    const { config, weights } = files(folder);
    const text = new TextEncoder().encode(JSON.stringify({ ...config, ...changes }));
    return loadModel(await openFileSet(fileSet({ 'config.json': text, 'model.safetensors': weights })), backend);
  }

  /** Logits at the golden's rows of its decoder ids. */
  async function logitsOf(model: T5Model): Promise<number[]> {
    const [encoded] = await model.encode([activations.source]);
    const stream = encoded.open();
    const rows = activations.decoder.map((token, position) => ({ stream, token, position, parent: position - 1 }));
    using view = await model.forward(rows);
    const found = await Promise.all(activations.rows.map(async (row) => Array.from(await view.read(row))));
    encoded.dispose();
    return found.flat();
  }

  async function greedyOf(model: T5Model, count: number): Promise<number[]> {
    const [encoded] = await model.encode([activations.source]);
    const [found] = await greedyTokens(model, [encoded], count);
    encoded.dispose();
    return found;
  }

  it.each(activations.cases.map((one, i) => [JSON.stringify(one.config), i] as const))(
    '%s: logits and greedy tokens are those of Hugging Face',
    async (_, i) => {
      const { config, greedy } = activations.cases[i];
      const model = await load('model', config);
      expect(relativeError(await logitsOf(model), golden(`${i}.logits`))).toBeLessThan(TOLERANCE);
      expect(await greedyOf(model, greedy.length)).toEqual(greedy);
      model.dispose();
    },
  );

  it('has a function for every name that Hugging Face has, or refuses it by name', async () => {
    const named = new Set(activations.cases.map(({ config }) => config.feed_forward_proj));
    for (const name of Object.keys(ACTIVATIONS))
      expect([name, named.has(name), named.has(`gated-${name}`)]).toEqual([name, true, true]);
    expect([...OTHER_ACTIVATIONS].sort()).toEqual(activations.others);
    for (const name of OTHER_ACTIVATIONS) {
      for (const stated of [name, `gated-${name}`]) {
        const refused = load('model', { feed_forward_proj: stated });
        await expect(refused).rejects.toThrow(`feed_forward_proj: expected one of relu, gelu, `);
        await expect(refused).rejects.toThrow(
          `found ${stated}, a function of Hugging Face's that is not computed here`,
        );
      }
    }
  });

  it('int8 with SCB scales is read as code · SCB / 127: logits and greedy tokens are those of Hugging Face', async () => {
    const model = await load('int8', {});
    expect(relativeError(await logitsOf(model), golden('int8.logits'))).toBeLessThan(TOLERANCE);
    expect(await greedyOf(model, int8.greedy.length)).toEqual(int8.greedy);
    const plain = await load('model', {});
    expect(relativeError(await logitsOf(plain), golden('int8.logits'))).toBeGreaterThan(10 * TOLERANCE);
    model.dispose();
    plain.dispose();
  });
});

function golden(name: string): Float32Array {
  const found = tensors.get(name);
  if (!found) throw new Error(`no golden ${name}`);
  return found.values;
}
