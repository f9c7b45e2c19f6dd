import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend, type WeightType } from '../../kernels';
import { openCheckpoint } from '../../weights';
import {
  type Golden,
  goldenCheckpoint,
  goldenFamilies,
  readGolden,
  readGoldenTensors,
  relativeError,
  type TensorRecorder,
  tensorRecorder,
} from '../support/goldens';
import { chain, greedyTokens } from '../support/greedy';

/** Float32 against float32 summed in another order: of each tensor's largest magnitude. */
const TOLERANCE = 1e-5;

test('there is a golden for every family row and every way to store a head or a table', () => {
  expect(goldenFamilies()).toEqual([
    'byt5',
    'flan-t5-resaved',
    'mt5',
    'mt5-resaved',
    't5-bfloat16',
    't5-deep-decoder',
    't5-float16',
    't5-sharded',
    't5-table-in-decoder',
    't5-table-in-encoder',
    't5-tied-own-head',
    't5-tied-unscaled',
    't5-v1.0',
    't5-v1.1',
    'ul2',
    'umt5',
    'umt5-tied',
  ]);
});

test('no greedy step of a golden is so close that rounding could decide it: every gap is at least 1e-3', () => {
  for (const family of goldenFamilies()) {
    for (const { greedy } of readGolden(family).cases) {
      expect(greedy?.tokens.length).toBeGreaterThanOrEqual(24);
      expect(greedy?.gaps.length).toBe(greedy?.tokens.length);
      expect(Math.min(...(greedy?.gaps ?? []))).toBeGreaterThanOrEqual(1e-3);
    }
  }
});

/** bfloat16 weights hold the same values in either type. */
function typesOf(family: string): WeightType[] {
  return family === 't5-bfloat16' ? ['f32', 'bf16'] : ['f32'];
}

const runs = (['reference', 'cpu', 'wasm'] as const).flatMap((name) =>
  goldenFamilies().flatMap((family) => typesOf(family).map((type) => ({ name, family, type }))),
);

describe.each(runs)('$family in $type on $name agrees with Hugging Face', ({ name, family, type }) => {
  const golden: Golden = readGolden(family);
  const tensors = readGoldenTensors(family);
  let backend: Backend;
  let model: T5Model;
  let recorder: TensorRecorder;

  beforeAll(async () => {
    backend = await createBackend(name);
    recorder = tensorRecorder(backend);
    const checkpoint = await openCheckpoint(goldenCheckpoint(family));
    model = await loadModel(checkpoint, backend, { type, observe: recorder.observe });
    await checkpoint.close();
  });

  afterAll(async () => {
    model?.release();
    await backend?.dispose();
  });

  test('layer tensors: every block, final norm and cross-attention key and value within 1e-5 of scale', async () => {
    const [{ source, decoder }] = golden.cases;
    const found = await recorder.during(async () => {
      const [encoded] = await model.encode([source]);
      const logits = await model.forward(chain(encoded.open(), decoder));
      logits.release();
      encoded.release();
    });
    const expected = [...tensors].filter(([key]) => key.startsWith('0.') && key !== '0.logits');
    const { encoderLayers, decoderLayers } = model.config;
    expect(expected).toHaveLength(encoderLayers + decoderLayers + 4);
    for (const [key, tensor] of expected) {
      const own = found.get(key.slice(2));
      if (own === undefined) throw new Error(`${key}: expected the model to show it, found ${[...found.keys()]}`);
      expect({ key, close: relativeError(own, tensor.values) <= TOLERANCE }).toEqual({ key, close: true });
    }
  });

  test('logits of every case within 1e-5 of scale', async () => {
    for (const [i, { source, decoder, rows }] of golden.cases.entries()) {
      const [encoded] = await model.encode([source]);
      const logits = await model.forward(chain(encoded.open(), decoder));
      const found = await Promise.all(rows.map((row) => logits.read(row)));
      logits.release();
      encoded.release();
      const expected = tensors.get(`${i}.logits`);
      expect(expected?.shape).toEqual([rows.length, model.vocabularySize]);
      found.forEach((row, r) => {
        const values = expected?.values.subarray(r * model.vocabularySize, (r + 1) * model.vocabularySize) ?? [];
        expect(relativeError(row, values)).toBeLessThanOrEqual(TOLERANCE);
      });
    }
  });

  test('greedy tokens of every case, all sources in one ragged call, are equal', async () => {
    const encoded = await model.encode(golden.cases.map(({ source }) => source));
    const count = golden.cases[0].greedy?.tokens.length ?? 0;
    const found = await greedyTokens(model, encoded, count);
    expect(found).toEqual(golden.cases.map(({ greedy }) => greedy?.tokens));
  });
});
