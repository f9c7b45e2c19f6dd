import fc from 'fast-check';
import { type LoadProgress, loadModel } from '../../engine';
import { fitsBf16, isNarrowable } from '../../engine/narrow';
import { createBackend, createGpuBackend, f32ToBf16 } from '../../kernels';
import { type Checkpoint, rowScaleName, type TensorInfo } from '../../weights';
import type { TensorData } from '../../weights/safetensors/writer';
import { checkpointBytes, tinyConfig } from '../support/random-checkpoint';
import { bitsOf, checkpointOf, EDGES, narrowTensors, stepMatricesOf, wordsOf } from './narrowed';
import { open, quantized } from './quantized';

it.each([
  ['F16', 0],
  ['F64', 0],
  ['I8', 0],
  ['BF16', 1],
] as const)('a matrix stored as %s in a file of float32: of these, bf16 holds %d', async (type, expected) => {
  const config = tinyConfig();
  const backend = await createBackend('reference');
  const tensors = narrowTensors(config, 4);
  const [[name, { shape, data }]] = stepMatricesOf(tensors).filter(([one]) => one !== 'shared.weight');
  const count = shape[0] * shape[1];
  const stored = {
    F16: () => new Uint8Array(new Uint16Array(count).fill(0x3c00).buffer),
    F64: () => new Uint8Array(Float64Array.from(new Float32Array(data.buffer)).buffer),
    I8: () => new Uint8Array(count).fill(127),
    BF16: () => new Uint8Array(Uint16Array.from(wordsOf({ type, shape, data }), (word) => word >>> 16).buffer),
  }[type]();
  tensors.set(name, { type, shape, data: stored });
  if (type === 'I8') {
    const scales = new Uint8Array(new Float32Array(shape[0]).fill(1).buffer);
    tensors.set(rowScaleName(name), { type: 'F32', shape: [shape[0]], data: scales });
  }
  using model = await loadModel(checkpointOf(config, tensors), backend);
  using asked = await loadModel(checkpointOf(config, tensors), backend, { dtype: 'f32' });
  expect(model.narrowed).toBe(stepMatricesOf(tensors).length - 1 + expected);
  expect(await bitsOf(model)).toBe(await bitsOf(asked));
});

it('a matrix in float32 of a file in q8 becomes q8, as that file is loaded', async () => {
  const backend = await createBackend('reference');
  const plain = await open(await checkpointBytes({ config: tinyConfig(), tensors: narrowTensors(tinyConfig(), 6) }));
  const packed = await open(await quantized(plain, { dtype: 'q8' }));
  const name = 'decoder.block.0.layer.0.SelfAttention.q.weight';
  const tensors = new Map(packed.tensors).set(name, plain.tensors.get(name) as TensorInfo);
  const read: Checkpoint['read'] = (tensor, ...range) => (tensor === name ? plain : packed).read(tensor, ...range);
  using model = await loadModel({ ...packed, tensors, read }, backend);
  using asked = await loadModel(plain, backend, { dtype: 'q8' });
  expect([model.dtype, model.narrowed, model.weightBytes]).toEqual(['q8', 0, asked.weightBytes]);
  expect(await bitsOf(model)).toBe(await bitsOf(asked));
});

describe('a matrix of several chunks', () => {
  const config = tinyConfig({ vocabularySize: 35_001, dModel: 64, encoderLayers: 1, decoderLayers: 1 });
  const tensors = narrowTensors(config, 5);
  const embedding = tensors.get('shared.weight') as TensorData;
  wordsOf(embedding)[35_001 * 64 - 1] |= 0x8000;

  it.each(['reference', 'wasm'] as const)(
    'whose last value alone does not fit is read again and kept in float32, on %s',
    async (name) => {
      const backend = await createBackend(name, { threads: 1 });
      const before = backend.facts.allocatedBytes();
      const read = new Map<string, number>();
      const checkpoint = checkpointOf(config, tensors);
      const counting: Checkpoint['read'] = async (tensor, ...range) => {
        const bytes = await checkpoint.read(tensor, ...range);
        read.set(tensor, (read.get(tensor) ?? 0) + bytes.length);
        return bytes;
      };
      const seen: LoadProgress[] = [];
      const onProgress = (progress: LoadProgress) => seen.push(progress);
      const model = await loadModel({ ...checkpoint, read: counting }, backend, { onProgress });
      const shares = seen.map(({ loaded }) => loaded);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect([Math.max(...shares), new Set(seen.map(({ total }) => total))]).toEqual([
        seen[0].total,
        new Set([[...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)]),
      ]);
      const twice = [...read].filter(([tensor, bytes]) => bytes !== tensors.get(tensor)?.data.length);
      expect(twice).toEqual([['shared.weight', 2 * embedding.data.length]]);
      expect(model.narrowed).toBe(stepMatricesOf(tensors).length - 1);
      const asked = await loadModel(checkpoint, backend, { dtype: 'f32' });
      expect(await bitsOf(model)).toBe(await bitsOf(asked));
      for (const one of [model, asked]) one.dispose();
      expect(backend.facts.allocatedBytes()).toBe(before);
      await backend.dispose();
    },
  );

  it('leaves nothing allocated when reading it again fails, or is cancelled', async () => {
    const backend = await createBackend('reference');
    const before = backend.facts.allocatedBytes();
    for (const fails of [true, false]) {
      const abort = new AbortController();
      const checkpoint = checkpointOf(config, tensors);
      let begun = 0;
      const read: Checkpoint['read'] = async (tensor, offset, length) => {
        if (tensor === 'shared.weight' && offset === 0 && ++begun === 2) {
          if (fails) throw new Error('disk gone');
          abort.abort();
        }
        return checkpoint.read(tensor, offset, length);
      };
      await expect(loadModel({ ...checkpoint, read }, backend, { signal: abort.signal })).rejects.toThrow(
        fails ? 'disk gone' : 'loading was cancelled',
      );
      expect([begun, backend.facts.allocatedBytes()]).toEqual([2, before]);
    }
  });
});

describe('whether bfloat16 holds values', () => {
  const single = new Float32Array(1);
  const [word] = [new Uint32Array(single.buffer)];

  it('is whether rounding to it changes no bit, at any offset and any place', () => {
    const words = fc.array(
      fc.oneof(
        fc.nat(0xffff).map((half) => (half << 16) >>> 0),
        fc.constantFrom(...EDGES),
      ),
      {
        minLength: 1,
        maxLength: 70,
      },
    );
    const offset = fc.nat(4);
    fc.assert(
      fc.property(words, offset, fc.nat(), fc.integer({ min: 0, max: 0xffff }), (list, offset, place, low) => {
        const bytes = new Uint8Array(4 * list.length + offset).subarray(offset);
        const view = new DataView(bytes.buffer, offset);
        list.forEach((one, i) => {
          view.setUint32(4 * i, one, true);
        });
        expect(fitsBf16(bytes)).toBe(true);
        view.setUint32(4 * (place % list.length), ((list[place % list.length] & 0xffff0000) | low) >>> 0, true);
        expect(fitsBf16(bytes)).toBe(low === 0);
      }),
    );
    for (const value of [1 + 2 ** -8, 1 / 3, 2 ** -149, 2 ** -133, 2 ** -134, Infinity, -Infinity, -0, 3e38, 0]) {
      single[0] = value;
      const bits = word[0];
      expect([value, fitsBf16(new Uint8Array(single.buffer))]).toEqual([
        value,
        (f32ToBf16(value) << 16) >>> 0 === bits,
      ]);
    }
    word[0] = 0x7fc00001; // a NaN whose payload bfloat16 cuts off
    expect(fitsBf16(new Uint8Array(single.buffer))).toBe(false);
  });

  it('is asked only of a matrix in values of a float, where bf16 takes fewer bytes', async () => {
    const { facts } = await createBackend('reference');
    const gpu = await createGpuBackend({ level: 'cpu' });
    const info: TensorInfo = { name: 'm', type: 'F32', shape: [64, 8], bytes: 2048, file: 'f' };
    expect(isNarrowable(info, facts)).toBe(true);
    expect(isNarrowable({ ...info, type: 'BF16' }, facts)).toBe(true);
    expect(isNarrowable({ ...info, type: 'F16' }, facts)).toBe(false);
    expect(isNarrowable({ ...info, shape: [512] }, facts)).toBe(false);
    expect(isNarrowable({ ...info, packing: 'q8' }, facts)).toBe(false);
    expect(isNarrowable(info, { ...facts, weightTypes: ['f32', 'q8'] })).toBe(false);
    expect(isNarrowable(info, gpu.facts)).toBe(false); // its bf16 takes as many bytes as its f32
    await gpu.dispose();
  });
});
