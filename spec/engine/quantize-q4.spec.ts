import fc from 'fast-check';
import { packQ4, q4Values, q8Blocks, unpackQ4 } from '../../common';
import { loadModel } from '../../engine';
import { createBackend, quantizeRowsQ4 } from '../../kernels';
import type { TensorInfo } from '../../weights';
import { readIndex } from '../../weights/safetensors/header';
import { bufferSource } from '../../weights/source';
import { goldenFiles } from '../support/hub-room';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';
import { logitsOf, open, quantized } from './quantized';

describe('a checkpoint in q4', () => {
  it.each(['reference', 'cpu', 'wasm'] as const)(
    'that is loaded in another type gives the bits of a checkpoint of its values, on %s',
    async (name) => {
      const backend = await createBackend(name);
      const original = await open(goldenFiles('t5-v1.1'));
      const written = await open(await quantized(original, { dtype: 'q4' }));
      const values = await open(await quantized(written, { dtype: 'f32' }));
      for (const dtype of ['f32', 'bf16', 'q8'] as const) {
        expect(await logitsOf(backend, written, dtype)).toEqual(await logitsOf(backend, values, dtype));
      }
      await backend.dispose();
    },
  );

  it('is refused by name by a backend that does not have it, and loads there in a type that is asked for', async () => {
    const gpu = await createBackend('gpu', { level: 'cpu' });
    const written = await open(await quantized(await open(goldenFiles('t5-v1.0')), { dtype: 'q4' }));
    await expect(loadModel(written, gpu)).rejects.toThrow(
      'dtype: expected one of f32, bf16, q8 on backend gpu, found q4, as it is stored',
    );
    const asked = loadModel(written, gpu, { dtype: 'q4' });
    await expect(asked).rejects.toThrow(/on backend gpu, found q4$/);
    const model = await loadModel(written, gpu, { dtype: 'q8' });
    expect(model.dtype).toBe('q8');
    model.dispose();
    await gpu.dispose();
  });

  it('has blocks of 18 bytes for every matrix but the vocabulary, which is in q8, and says so', async () => {
    for (const [family, head] of [
      ['t5-v1.0', ['shared.weight']],
      ['t5-v1.1', ['shared.weight', 'lm_head.weight']],
    ] as const) {
      const original = await open(goldenFiles(family));
      const files = await quantized(original, { dtype: 'q4' });
      const { tensors, metadata } = await readIndex(bufferSource('model', files['model.safetensors']));
      expect(metadata.format).toBe('tandem-q4');
      expect(metadata.layout).toMatch(/bfloat16 scales, one a block, then 16 bytes for each block/);
      const columns: Record<string, number> = {};
      for (const [name, { type, shape }] of tensors) {
        const before = original.tensors.get(name) as TensorInfo;
        if (before.shape.length !== 2 || /relative_attention_bias/.test(name)) {
          expect({ name, type, shape }).toEqual({ name, type: before.type, shape: before.shape });
          continue;
        }
        const [rows, cols] = before.shape;
        const isVocabulary = (head as readonly string[]).includes(name);
        if (!isVocabulary && cols % 32 !== 0) columns[name] = cols;
        const blocks = Math.ceil(cols / 32);
        const expected = isVocabulary ? [rows, cols + 4 * blocks] : [rows, blocks, 18];
        expect({ name, type, shape }).toEqual({ name, type: 'U8', shape: expected });
      }
      expect(JSON.parse(metadata.columns ?? '{}')).toEqual(columns);
    }
  });

  it('has, for any shape and any values, the codes and scales of its original, and keeps them', async () => {
    const shape = fc.record({
      dModel: fc.integer({ min: 1, max: 70 }),
      dKv: fc.integer({ min: 1, max: 20 }),
      heads: fc.integer({ min: 1, max: 4 }),
      dFf: fc.integer({ min: 1, max: 70 }),
      encoderLayers: fc.constant(1),
      decoderLayers: fc.constant(1),
    });
    const spoils = fc.array(
      fc.tuple(fc.nat(), fc.constantFrom(0, 1e-37, 1e-40, 3e38, -1e30, NaN, Infinity, -Infinity)),
      {
        maxLength: 30,
      },
    );
    let short = 0;
    await fc.assert(
      fc.asyncProperty(shape, fc.boolean(), spoils, fc.nat(), async (changes, untied, spoiled, seed) => {
        const config = tinyConfig({ ...changes, tiesHead: !untied });
        const tensors = randomTensors(config, seed, untied);
        const matrices = [...tensors].filter(
          ([name, { shape }]) => shape.length === 2 && !/^shared|lm_head|relative_attention_bias/.test(name),
        );
        for (const [at, value] of spoiled) {
          const { data } = matrices[at % matrices.length][1];
          const values = new Float32Array(data.buffer);
          if (value === 0) values.fill(0, at % values.length, (at % values.length) + 64);
          else values[at % values.length] = value;
        }
        const original = await open(await checkpointBytes({ config, tensors }));
        const files = await quantized(original, { dtype: 'q4' });
        const written = await open(files);
        const asFloats = await open(await quantized(written, { dtype: 'f32' }));
        for (const [name, { shape, data }] of matrices) {
          const [rows, cols] = shape;
          if (cols % 32 !== 0) short++;
          expect(written.tensors.get(name)).toMatchObject({ shape, packing: 'q4', bytes: rows * q8Blocks(cols) * 18 });
          const scales = new Float32Array(rows * q8Blocks(cols));
          const codes = new Uint8Array(scales.length * 16);
          quantizeRowsQ4(new Float32Array(data.buffer), cols, codes, scales);
          const found = await written.read(name);
          const isPacked = Buffer.compare(found, packQ4({ codes, scales }, cols)) === 0;
          const floats = new Float32Array((await asFloats.read(name)).slice().buffer);
          const isDecoded = q4Values(unpackQ4(found, cols), cols).every((value, i) => Object.is(value, floats[i]));
          expect({ name, isPacked, isDecoded, length: floats.length }).toEqual({
            ...{ name, isPacked: true, isDecoded: true },
            length: rows * cols,
          });
        }
        const again = await quantized(written, { dtype: 'q4' });
        expect(Object.keys(again)).toEqual(Object.keys(files));
        for (const [name, bytes] of Object.entries(files))
          expect([name, Buffer.compare(bytes, again[name])]).toEqual([name, 0]);
      }),
      { numRuns: 25 },
    );
    expect(short).toBeGreaterThan(30);
  });
});
