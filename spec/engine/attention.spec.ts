import fc from 'fast-check';
import { loadModel, type MaskedSource, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { openCheckpoint } from '../../weights';
import { goldenCheckpoint, relativeError, tensorRecorder } from '../support/goldens';
import { chain } from '../support/greedy';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';
import { readUses, readUsesTensors } from '../support/uses';

interface Case {
  readonly source: readonly number[];
  readonly mask: readonly number[];
  readonly output: readonly number[];
}

const golden = readUses<Readonly<Record<string, Case>>>('attentions');
const tensors = readUsesTensors('attentions');
const TOLERANCE = 1e-5;

describe.each(Object.keys(golden))('attention of %s', (name) => {
  it.each(['reference', 'cpu', 'wasm'] as const)("is Hugging Face's, within 1e-5, on %s", async (on) => {
    const backend = await createBackend(on, { threads: 1 });
    const checkpoint = await openCheckpoint(goldenCheckpoint(name));
    const model = await loadModel(checkpoint, backend);
    await checkpoint.dispose();
    const { source: ids, mask, output } = golden[name];
    const source = mask.includes(0) ? { ids, mask } : ids;
    const { encoder, cross, ...sizes } = await model.attention(source, output);
    const seen = mask.filter((one) => one === 1).length;
    expect(sizes).toEqual({ heads: model.config.heads, source: seen, output: output.length });
    expect([encoder.length, cross.length]).toEqual([model.config.encoderLayers, model.config.decoderLayers]);
    for (const [kind, maps] of Object.entries({ encoder, cross })) {
      for (const [layer, map] of maps.entries()) {
        const expected = tensors.get(`${name}.${kind}.${layer}`)?.values ?? [];
        expect(relativeError(map, expected)).toBeLessThan(TOLERANCE);
      }
    }
    model.dispose();
    await backend.dispose();
  });
});

it('of a layer is that of its own weights, in a model with more than ten layers as well', async () => {
  const layers = 12;
  const config = tinyConfig({ encoderLayers: layers, decoderLayers: layers });
  const backend = await createBackend('cpu');
  const model = await loadModel(randomCheckpoint(config, 7), backend);
  const { encoder, cross } = await model.attention([5, 9, 11, 1], [7, 3]);
  for (const maps of [encoder, cross]) {
    expect(maps).toHaveLength(layers);
    expect(new Set(maps.map((map) => map.join())).size).toBe(layers);
  }
  model.dispose();
  await backend.dispose();
});

describe('attention maps', () => {
  const config = tinyConfig();
  let backend: Backend;
  let model: T5Model;
  let recorder: ReturnType<typeof tensorRecorder>;
  beforeAll(async () => {
    backend = await createBackend('wasm', { threads: 1 });
    recorder = tensorRecorder(backend);
    model = await loadModel(randomCheckpoint(config, 5), backend, { observe: recorder.observe });
  });
  afterAll(async () => {
    model.dispose();
    await backend.dispose();
  });

  const ids = (most: number) => fc.array(fc.integer({ min: 2, max: 36 }), { minLength: 1, maxLength: most });
  /** A source of which some ids may be hidden, and an output. */
  const texts = fc
    .tuple(ids(30), ids(9), fc.infiniteStream(fc.boolean()))
    .map(([source, output, hidden]): [MaskedSource, number[]] => [
      { ids: source, mask: source.map((_, i) => (i === 0 || !hidden.next().value ? 1 : 0)) },
      [config.startToken, ...output],
    ]);

  /** Σ weights · values, [rows, heads · dKv]. */
  function weighted(weights: Float32Array, values: Float32Array, rows: number): Float32Array {
    const { heads, dKv } = config;
    const inner = heads * dKv;
    const keys = values.length / inner;
    return Float32Array.from({ length: rows * inner }, (_, at) => {
      const [row, column] = [Math.floor(at / inner), at % inner];
      const first = (Math.floor(column / dKv) * rows + row) * keys;
      let sum = 0;
      for (let key = 0; key < keys; key++) sum += weights[first + key] * values[key * inner + column];
      return sum;
    });
  }

  it('sum to 1, and weight the values to what the layer itself mixed (within 1e-5 of scale)', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async ([source, output]) => {
        const shown = await recorder.during(async () => {
          const [encoded] = await model.encode([source]);
          (await model.forward(chain(encoded.open(), output))).dispose();
          encoded.dispose();
        });
        const { encoder, cross, source: seen } = await model.attention(source, output);
        for (const map of [...encoder, ...cross]) {
          for (let row = 0; row < map.length / seen; row++) {
            const sum = map.subarray(row * seen, (row + 1) * seen).reduce((all, weight) => all + weight, 0);
            expect(Math.abs(sum - 1)).toBeLessThan(1e-5);
          }
        }
        const of = (name: string) => shown.get(name) as Float32Array;
        encoder.forEach((map, i) => {
          const mixed = weighted(map, of(`encoder.self.${i}.value`), seen);
          expect(relativeError(mixed, of(`encoder.self.${i}.mixed`))).toBeLessThan(TOLERANCE);
        });
        cross.forEach((map, i) => {
          const mixed = weighted(map, of(`cross.${i}.values`), output.length);
          expect(relativeError(mixed, of(`decoder.cross.${i}.mixed`))).toBeLessThan(TOLERANCE);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('leave streams and memory as they were, also when they are refused', async () => {
    const [encoded] = await model.encode([[5, 6, 7, 1]]);
    const stream = encoded.open();
    const first = await (await model.forward([{ stream, position: 0, token: 0, parent: -1 }])).read(0);
    await model.attention([9, 8, 7, 6, 5], [0, 4, 4]);
    const before = backend.facts.allocatedBytes();
    await model.attention([9, 8, 7, 6, 5], [0, 4, 4]);
    await expect(model.attention([9, 8], [0, 37])).rejects.toMatchObject({
      code: 'token-invalid',
      message: 'attention: output 1: token: expected 0 to 36, found 37',
    });
    await expect(model.attention([9, 8], [])).rejects.toMatchObject({ code: 'row-invalid' });
    await expect(model.attention([], [0])).rejects.toMatchObject({ code: 'source-invalid' });
    await expect(model.attention([9, 8], [0], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(backend.facts.allocatedBytes()).toBe(before);
    stream.truncate(0);
    expect(await (await model.forward([{ stream, position: 0, token: 0, parent: -1 }])).read(0)).toEqual(first);
    encoded.dispose();
  });
});
