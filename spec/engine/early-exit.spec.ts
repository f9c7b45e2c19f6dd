import fc from 'fast-check';
import { type DecoderStream, type Encoded, loadModel } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { type Checkpoint, openFileSet, type T5Config } from '../../weights';
import type { TensorData } from '../../weights/safetensors/writer';
import { HEAD_NAME, t5Shapes, t5Tensors } from '../../weights/tensors';
import { arbitraryConfig } from '../support/arbitrary-config';
import { chain, logitsOf } from '../support/forward';
import { checkpointBytes, randomTensors } from '../support/random-checkpoint';

/** A checkpoint of the encoder, the first `layers` decoder blocks, the final norm and the head, read back from files. */
async function shortened(
  config: T5Config,
  tensors: ReadonlyMap<string, TensorData>,
  layers: number,
): Promise<Checkpoint> {
  const short = { ...config, decoderLayers: layers };
  const names = t5Tensors(short, tensors.has(HEAD_NAME) ? { head: HEAD_NAME } : {});
  const kept = t5Shapes(short, names).map(({ name }) => [name, tensors.get(name) as TensorData] as const);
  return openFileSet(await checkpointBytes({ config: short, tensors: new Map(kept) }));
}

function giveBack(stream: DecoderStream, encoded: Encoded): void {
  stream.dispose();
  encoded.dispose();
}

describe.each(['reference', 'cpu', 'wasm'] as const)('`layers: n` on %s', (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createBackend(name, { threads: 1 });
  });
  afterAll(() => backend.dispose());

  it('gives the bits of a checkpoint that has only the first n decoder blocks, over every n, shape and family', async () => {
    const id = fc.nat(4);
    const calls = fc.array(fc.array(id, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        arbitraryConfig.map((config) => ({ ...config, decoderLayers: 1 + config.decoderLayers })),
        fc.record({ seed: fc.nat(), untied: fc.boolean() }),
        fc.array(id, { minLength: 1, maxLength: 6 }),
        calls,
        async (config, { seed, untied }, source, calls) => {
          const tensors = randomTensors(config, seed, untied);
          using model = await loadModel(await openFileSet(await checkpointBytes({ config, tensors })), backend);
          for (let layers = 1; layers <= config.decoderLayers; layers++) {
            using short = await loadModel(await shortened(config, tensors, layers), backend);
            const early = await logitsOf(model, source, calls, { layers });
            expect(early.flat().every(Number.isFinite)).toBe(true); // two NaNs would count as equal
            expect(early).toEqual(await logitsOf(short, source, calls, {}));
            compared++;
          }
        },
      ),
      { numRuns: 15 },
    );
    expect(compared).toBeGreaterThanOrEqual(2 * 15);
  });

  it('leaves nothing behind: after a rollback a full call gives the bits of a stream that never left early', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryConfig, fc.nat(), fc.nat(), async (config, seed, pick) => {
        const checkpoint = await openFileSet(
          await checkpointBytes({ config, tensors: randomTensors(config, seed, false) }),
        );
        using model = await loadModel(checkpoint, backend);
        const [encoded] = await model.encode([[1, 2, 3]]);
        const stream = encoded.open();
        const layers = 1 + (pick % config.decoderLayers);
        (await model.forward(chain(stream, [0, 3]), {})).dispose();
        (await model.forward(chain(stream, [1, 2, 4]), { layers })).dispose();
        stream.truncate(2);
        const view = await model.forward(chain(stream, [2, 1]));
        const found = [Array.from(await view.read(0)), Array.from(await view.read(1))];
        view.dispose();
        expect(found).toEqual((await logitsOf(model, [1, 2, 3], [[0, 3, 2, 1]], {})).slice(2));
        giveBack(stream, encoded);
      }),
      { numRuns: 10 },
    );
  });
});

it('`layers` out of range is refused by name', async () => {
  const backend = await createBackend('reference');
  const [config] = fc.sample(arbitraryConfig, { numRuns: 1, seed: 1 });
  const files = await checkpointBytes({ config, tensors: randomTensors(config, 1, false) });
  using model = await loadModel(await openFileSet(files), backend);
  const [encoded] = await model.encode([[1]]);
  for (const layers of [0, -1, 1.5, config.decoderLayers + 1, Number.NaN]) {
    const call = model.forward(chain(encoded.open(), [0]), { layers });
    await expect(call).rejects.toThrow(`layers: expected 1 to ${config.decoderLayers}, found ${layers}`);
  }
});
