import fc from 'fast-check';
import { packQ8, q8Blocks, q8Values, unpackQ8 } from '../../common';
import { quantizeCheckpoint } from '../../engine';
import { type Backend, createBackend, quantizeRows } from '../../kernels';
import { readIndex } from '../../weights/safetensors/header';
import { writeSafetensors } from '../../weights/safetensors/writer';
import { bufferSource } from '../../weights/source';
import { goldenFiles } from '../support/hub-room';
import { memoryCheckpoint, randomTensors, tinyConfig } from '../support/random-checkpoint';
import { bytesIn, narrowType } from './narrowed';
import { logitsOf, open, quantized } from './quantized';

describe('a quantised checkpoint', () => {
  describe.each(['reference', 'cpu', 'wasm'] as const)('on %s', (name) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await createBackend(name);
    });
    afterAll(() => backend.dispose());

    it.each([
      ['t5-v1.0', 'q8'],
      ['t5-v1.0', 'q4'],
      ['t5-v1.0', 'bf16'],
      ['t5-bfloat16', 'q8'],
      ['t5-bfloat16', 'q4'],
      ['t5-bfloat16', 'f32'],
      ['t5-float16', 'q8'],
      ['t5-float16', 'bf16'],
      ['umt5', 'q8'],
      ['umt5', 'q4'],
      ['t5-sharded', 'q8'],
      ['t5-sharded', 'q4'],
    ] as const)('of %s in %s gives the bits of the original loaded in that type', async (family, dtype) => {
      const original = await open(goldenFiles(family));
      const written = await open(await quantized(original, { dtype }));
      const expected = await logitsOf(backend, original, dtype);
      // Without being told the type. Of a file of bfloat16 in float32 what a step reads is kept in half the bytes.
      const weightBytes = dtype === 'f32' ? bytesIn(backend, written.tensors, narrowType) : expected.weightBytes;
      expect(await logitsOf(backend, written)).toEqual({ ...expected, weightBytes });
      expect(new Set(expected.logits).size).toBe(3);
      const again = await open(await quantized(written, { dtype }));
      expect(await logitsOf(backend, again)).toEqual({ ...expected, weightBytes });
      if (dtype !== 'q8' && dtype !== 'q4') return;
      expect(await logitsOf(backend, written, 'f32')).not.toEqual(expected); // any type can be asked for
    });
  });

  it('in q8 has another type and shape for every matrix, so that a reader which does not know it refuses it', async () => {
    const original = await open(goldenFiles('t5-v1.1'));
    const files = await quantized(original, { dtype: 'q8' });
    const { tensors, metadata } = await readIndex(bufferSource('model', files['model.safetensors']));
    expect(metadata.format).toBe('tandem-q8');
    expect(metadata.layout).toMatch(/float32 scales, then cols int8 codes/);
    let matrices = 0;
    for (const [name, { type, shape }] of tensors) {
      const before = original.tensors.get(name);
      if (shape.length !== 2 || /relative_attention_bias/.test(name)) {
        expect({ name, type, shape }).toEqual({ name, type: before?.type, shape: before?.shape });
        continue;
      }
      matrices++;
      const cols = before?.shape[1] ?? 0;
      expect({ type, shape }).toEqual({ type: 'U8', shape: [before?.shape[0], cols + 4 * Math.ceil(cols / 32)] });
    }
    expect(matrices).toBeGreaterThan(20);
  });

  it('keeps the settings, the tokenizer and other files of the model, and none of other weights', async () => {
    const { 'config.json': config, ...weights } = goldenFiles('t5-bfloat16');
    const json = JSON.parse(Buffer.from(config).toString());
    const named = {
      ...json,
      dtype: 'bfloat16',
      own_key: [1, { a: null }],
      quantization_config: { load_in_8bit: false },
    };
    const files = {
      ...weights,
      'config.json': Buffer.from(JSON.stringify(named)),
      'tokenizer.json': Buffer.from('{"a": 1}'),
      'spiece.model': Buffer.from([1, 2, 3]),
      'pytorch_model.bin': Buffer.from('x'),
      'README.md': Buffer.from('x'),
    };
    const written = await quantized(await open(files), { dtype: 'f32' });
    expect(Object.keys(written).sort()).toEqual(['config.json', 'model.safetensors', 'spiece.model', 'tokenizer.json']);
    expect(JSON.parse(Buffer.from(written['config.json']).toString())).toEqual({
      ...json,
      dtype: 'float32',
      own_key: [1, { a: null }],
    });
    expect(Buffer.from(written['spiece.model'])).toEqual(Buffer.from([1, 2, 3]));
  });

  it.each([
    ['bf16', 'shared.weight', { vocabularySize: 300_000 }],
    ['q4', 'encoder.block.0.layer.1.DenseReluDense.wi.weight', { dFf: 300_000 }],
  ] as const)(
    'in %s is written in chunks, with progress up to the end, and a cancel is heard',
    async (dtype, name, one) => {
      const config = tinyConfig({ encoderLayers: 1, decoderLayers: 1, ...one });
      const tensors = randomTensors(config, 1);
      const shape = [300_000, config.dModel];
      tensors.set(name, { type: 'F32', shape, data: new Uint8Array(300_000 * config.dModel * 4) });
      const checkpoint = memoryCheckpoint('large', config, tensors);
      const seen: number[] = [];
      let most = 0;
      const options = {
        dtype,
        onProgress: ({ loaded, total }: { loaded: number; total: number }) => seen.push(loaded / total),
      };
      const [weights] = await quantizeCheckpoint(checkpoint, options);
      for await (const chunk of weights.chunks()) most = Math.max(most, chunk.length);
      expect(most).toBeLessThan(8 << 20);
      expect(seen.at(-1)).toBe(1);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      const abort = new AbortController();
      const [cancelled] = await quantizeCheckpoint(checkpoint, {
        ...options,
        signal: abort.signal,
        onProgress: () => abort.abort(),
      });
      const read = async () => {
        for await (const chunk of cancelled.chunks()) expect(chunk.length).toBeGreaterThan(0);
      };
      await expect(read()).rejects.toMatchObject({ code: 'aborted' });
    },
  );

  it('is refused where a block of weights is too small for q8', async () => {
    const config = tinyConfig();
    const tensors = randomTensors(config, 1);
    const small = new Float32Array(37 * 16).fill(1e-35);
    tensors.set('shared.weight', { type: 'F32', shape: [37, 16], data: new Uint8Array(small.buffer) });
    for (const dtype of ['q8', 'q4'] as const) {
      const [file] = await quantizeCheckpoint(memoryCheckpoint('small', config, tensors), { dtype });
      const read = async () => {
        for await (const chunk of file.chunks()) expect(chunk.length).toBeGreaterThan(0);
      };
      await expect(read()).rejects.toThrow(/shared.weight: expected blocks of zeros or with a weight above 1e-34/);
    }
  });

  it('with rows of a width that no matrix has is refused', async () => {
    const { 'config.json': config } = goldenFiles('t5-v1.1');
    for (const width of [4, 40]) {
      const tensor = { type: 'U8' as const, shape: [3, width], data: new Uint8Array(3 * width) };
      const weights = writeSafetensors(new Map([['shared.weight', tensor]]), { format: 'tandem-q8' });
      const opened = open({ 'config.json': config, 'model.safetensors': weights });
      await expect(opened).rejects.toThrow(
        `tensor 'shared.weight': expected packed rows of scales and codes, found rows of ${width}`,
      );
    }
  });
});

describe('packed rows', () => {
  /** Every float32 whose block would have a normal scale, and zero. */
  const bits = fc.integer({ min: 0, max: 0xffffffff }).map((pattern) => {
    const value = new Float32Array(Uint32Array.of(pattern).buffer)[0];
    return Math.abs(value) > 1e-30 && Math.abs(value) < Infinity ? value : 0;
  });
  const near = fc.tuple(bits, fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 70 }));

  it('give the same codes and scales when they are unpacked and quantised again', () => {
    let blocks = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(bits, { minLength: 1, maxLength: 70 }),
          near.map(([most, parts]) => parts.map((part) => Math.fround(part * most))),
        ),
        (list) => {
          const values = Float32Array.from(list);
          const cols = values.length;
          const quantize = (from: Float32Array) => {
            const codes = new Int8Array(cols);
            const scales = new Float32Array(q8Blocks(cols));
            quantizeRows(from, cols, codes, scales);
            return { codes, scales };
          };
          const once = quantize(values);
          if (once.scales.some((scale) => scale !== 0 && scale < 1e-36)) return;
          blocks += once.scales.filter((scale) => scale > 0).length;
          const read = unpackQ8(packQ8(once, cols), cols);
          expect(read).toEqual(once);
          expect(quantize(q8Values(read, cols))).toEqual(once);
        },
      ),
      { numRuns: 5000 },
    );
    expect(blocks).toBeGreaterThan(2000);
  });
});
