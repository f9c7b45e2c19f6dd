import { loadModel, type T5Model } from '../../engine';
import type { Backend, Dtype } from '../../kernels';
import { openGolden } from './golden-files.node';
import {
  type Golden,
  readGolden,
  readGoldenTensors,
  relativeError,
  type TensorRecorder,
  tensorRecorder,
} from './goldens';
import { chain, greedyTokens } from './greedy';

/** Float32 against float32 summed in another order: of each tensor's largest magnitude. */
const TOLERANCE = 1e-5;

export interface FamilyRun {
  /** Backend, as the title shows it. */
  readonly name: string;
  readonly family: string;
  readonly type: Dtype;
  readonly create: () => Promise<Backend>;
}

/** bfloat16 weights hold the same values in either type. */
export function typesOf(family: string): Dtype[] {
  return family === 't5-bfloat16' ? ['f32', 'bf16'] : ['f32'];
}

/** Declares the specs of one family's golden on one backend. */
export function describeFamily({ name, family, type, create }: FamilyRun): void {
  describe(`${family} in ${type} on ${name} agrees with Hugging Face`, () => {
    const golden: Golden = readGolden(family);
    const tensors = readGoldenTensors(family);
    let backend: Backend;
    let model: T5Model;
    let recorder: TensorRecorder;

    beforeAll(async () => {
      backend = await create();
      recorder = tensorRecorder(backend);
      const checkpoint = await openGolden(family);
      model = await loadModel(checkpoint, backend, { dtype: type, observe: recorder.observe });
      await checkpoint.dispose();
    });

    afterAll(async () => {
      model?.dispose();
      await backend?.dispose();
    });

    test('layer tensors: every block, final norm and cross-attention key and value within 1e-5 of scale', async () => {
      const [{ source, decoder }] = golden.cases;
      const found = await recorder.during(async () => {
        const [encoded] = await model.encode([source]);
        const logits = await model.forward(chain(encoded.open(), decoder));
        logits.dispose();
        encoded.dispose();
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
        logits.dispose();
        encoded.dispose();
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
}
