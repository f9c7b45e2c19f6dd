import fc from 'fast-check';
import { type LoadProgress, loadModel, type ModelOptions } from '../../engine';
import { rowReader } from '../../engine/stored';
import { type Backend, createBackend, createReferenceBackend } from '../../kernels';
import { type Checkpoint, rowOrderName, rowScaleName, type T5Config, type TensorInfo } from '../../weights';
import type { TensorData } from '../../weights/safetensors/writer';
import { arbitraryConfig } from '../support/arbitrary-config';
import { memoryCheckpoint, randomCheckpoint, randomTensors, seeded, tinyConfig } from '../support/random-checkpoint';

/** Values that every stored type can hold, and how each type stores them. */
const VALUES = [0, 0.5, -0.5, 1, -1, 0.25, -2] as const;
const BITS = {
  F16: [0, 0x3800, 0xb800, 0x3c00, 0xbc00, 0x3400, 0xc000],
  BF16: [0, 0x3f00, 0xbf00, 0x3f80, 0xbf80, 0x3e80, 0xc000],
} as const;

type Stored = 'F64' | 'F32' | 'F16' | 'BF16';

/** The same values in a stored type. */
function stored(picks: ReadonlyMap<string, { shape: readonly number[]; picks: number[] }>, type: Stored) {
  const tensors = new Map<string, TensorData>();
  for (const [name, { shape, picks: list }] of picks) {
    const data =
      type === 'F64'
        ? Float64Array.from(list, (pick) => VALUES[pick])
        : type === 'F32'
          ? Float32Array.from(list, (pick) => VALUES[pick])
          : Uint16Array.from(list, (pick) => BITS[type][pick]);
    tensors.set(name, { type, shape, data: new Uint8Array(data.buffer) });
  }
  return tensors;
}

function picksFor(config: T5Config) {
  const random = seeded(1);
  const next = () => Math.floor(random() * VALUES.length);
  return new Map(
    [...randomTensors(config, 1)].map(([name, { shape }]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, { shape, picks: Array.from({ length: count }, next) }] as const;
    }),
  );
}

async function logitsOf(backend: Backend, checkpoint: Checkpoint, options?: ModelOptions): Promise<number[]> {
  using model = await loadModel(checkpoint, backend, options);
  const [encoded] = await model.encode([[1, 2, 0]]);
  const stream = encoded.open();
  using view = await model.forward([{ stream, token: 3, position: 0, parent: -1 }]);
  return Array.from(await view.read(0));
}

describe('loading', () => {
  it.each(['F64', 'F16', 'BF16'] as const)('%s gives the bits of the same values in float32', async (type) => {
    const backend = createReferenceBackend();
    let telling = 0; // logits that are all 0 would be equal whatever was read
    await fc.assert(
      fc.asyncProperty(arbitraryConfig, async (config) => {
        const picks = picksFor(config);
        const from = (as: Stored) => memoryCheckpoint(as, config, stored(picks, as));
        const found = await logitsOf(backend, from(type), { dtype: 'f32' });
        expect(found).toEqual(await logitsOf(backend, from('F32'), { dtype: 'f32' }));
        expect(found.every(Number.isFinite)).toBe(true);
        if (found.some((logit) => logit !== 0)) telling++;
      }),
      { numRuns: 10 },
    );
    expect(telling).toBeGreaterThan(3);
  });

  it('float64 is rounded once, to the nearest float32', async () => {
    const config = tinyConfig();
    const backend = createReferenceBackend();
    const random = seeded(4);
    const wide = new Map<string, TensorData>();
    const narrow = new Map<string, TensorData>();
    for (const [name, { shape, data }] of randomTensors(config, 3)) {
      const near = new Float32Array(data.buffer); // and a little beside it, which float32 cannot hold
      const values = Float64Array.from(near, (value) => value * (1 + (random() - 0.5) * 1e-6));
      wide.set(name, { type: 'F64', shape, data: new Uint8Array(values.buffer) });
      narrow.set(name, { type: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) });
    }
    const found = await logitsOf(backend, memoryCheckpoint('F64', config, wide));
    expect(found).toEqual(await logitsOf(backend, memoryCheckpoint('F32', config, narrow)));
    expect(found).not.toEqual(await logitsOf(backend, randomCheckpoint(config, 3)));
  });

  it('int8 with SCB beside it is code · SCB / 127 in every row of every matrix, from any row on', async () => {
    const config = tinyConfig();
    const backend = createReferenceBackend();
    const random = seeded(9);
    const coded = randomTensors(config, 3);
    const plain = new Map(coded);
    for (const [name, { shape }] of randomTensors(config, 3)) {
      const [rows, columns] = shape;
      if (shape.length !== 2 || name.includes('bias')) continue;
      const codes = Int8Array.from({ length: rows * columns }, () => Math.floor(random() * 255) - 127);
      const scales = Float32Array.from({ length: rows }, () => 0.01 + random());
      const values = Float32Array.from(codes, (code, i) => (code * scales[Math.floor(i / columns)]) / 127);
      coded.set(name, { type: 'I8', shape, data: new Uint8Array(codes.buffer) });
      coded.set(rowScaleName(name), { type: 'F32', shape: [rows], data: new Uint8Array(scales.buffer) });
      coded.set(rowOrderName(name), { type: 'U8', shape: [], data: new Uint8Array(1) });
      plain.set(name, { type: 'F32', shape, data: new Uint8Array(values.buffer) });
    }
    const seen: LoadProgress[] = [];
    const found = await logitsOf(backend, memoryCheckpoint('int8', config, coded), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(found).toEqual(await logitsOf(backend, memoryCheckpoint('F32', config, plain)));
    expect(seen.at(-1)?.loaded).toBe(seen[0].total);
    const embedding = 'shared.weight';
    const checkpoint = memoryCheckpoint('int8', config, coded);
    const reader = await rowReader(checkpoint, checkpoint.tensors.get(embedding) as TensorInfo);
    const rest = (await checkpoint.read(embedding)).subarray(5 * config.dModel);
    const values = plain.get(embedding)?.data as Uint8Array;
    expect(Buffer.compare(reader.convert(rest, 5), values.subarray(4 * 5 * config.dModel))).toBe(0);
    coded.set(rowOrderName(embedding), { type: 'U8', shape: [], data: Uint8Array.of(2) });
    await expect(logitsOf(backend, memoryCheckpoint('int8', config, coded))).rejects.toThrow(
      'shared.weight_format: expected 0, codes by rows, found 2',
    );
  });

  it('keeps weights in the type of the stored embedding, unless another is asked for or the backend does not have it', async () => {
    const backend = createReferenceBackend();
    const picks = picksFor(tinyConfig());
    const dtypeOf = async (type: Stored, on: Backend, options?: ModelOptions) => {
      using model = await loadModel(memoryCheckpoint(type, tinyConfig(), stored(picks, type)), on, options);
      return model.dtype;
    };
    expect(await dtypeOf('F32', backend)).toBe('f32');
    expect(await dtypeOf('F16', backend)).toBe('f32');
    expect(await dtypeOf('BF16', backend)).toBe('bf16');
    expect(await dtypeOf('BF16', backend, { dtype: 'q8' })).toBe('q8');
    const without = { ...backend, facts: { ...backend.facts, weightTypes: ['f32'] as const } };
    expect(await dtypeOf('BF16', without)).toBe('f32');
    await expect(dtypeOf('F32', without, { dtype: 'q8' })).rejects.toThrow(/dtype: expected one of f32 .* found q8/);
  });

  it('reads and packs a large matrix in chunks of at most 8 MiB, in order, and every other byte once', async () => {
    const config = tinyConfig({ vocabularySize: 35_001, dModel: 64, encoderLayers: 1, decoderLayers: 1 });
    const tensors = randomTensors(config, 1);
    const checkpoint = memoryCheckpoint('large', config, tensors);
    const reads: { name: string; offset: number; length: number }[] = [];
    const read: Checkpoint['read'] = async (name, offset = 0, length) => {
      const bytes = await checkpoint.read(name, offset, length);
      reads.push({ name, offset, length: bytes.length });
      return bytes;
    };
    const backend = createReferenceBackend();
    const packed: Uint8Array[] = [];
    const fill: Backend['fill'] = (weight, row, bytes, type) => {
      if (weight.rows === config.vocabularySize) {
        expect(row * 64 * 4).toBe(packed.reduce((sum, part) => sum + part.length, 0));
        expect(row % 64).toBe(0);
        packed.push(bytes.slice());
      }
      backend.fill(weight, row, bytes, type);
    };
    using _ = await loadModel({ ...checkpoint, read }, { ...backend, fill });
    expect(Buffer.compare(Buffer.concat(packed), tensors.get('shared.weight')?.data as Uint8Array)).toBe(0);
    expect(packed).toHaveLength(2);
    for (const [name, { data }] of tensors) {
      const parts = reads.filter((one) => one.name === name).sort((a, b) => a.offset - b.offset);
      let next = 0;
      for (const { offset, length } of parts) {
        expect([offset, length <= 8 << 20]).toEqual([next, true]);
        next += length;
      }
      expect([name, next]).toEqual([name, data.length]);
    }
  });

  it('reports every byte, ends at the total, counts parameters and bytes, and gives all storage back on dispose', async () => {
    const backend = await createBackend('reference');
    const before = backend.facts.allocatedBytes();
    const seen: LoadProgress[] = [];
    const checkpoint = randomCheckpoint(tinyConfig(), 2, true);
    const model = await loadModel(checkpoint, backend, { onProgress: (progress) => seen.push(progress) });
    const total = [...checkpoint.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const shares = seen.map(({ loaded }) => loaded);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect([seen.at(-1)?.loaded, new Set(seen.map((one) => one.total))]).toEqual([total, new Set([total])]);
    expect([...new Set(seen.map(({ tensor }) => tensor))].sort()).toEqual([...checkpoint.tensors.keys()].sort());
    expect(model.parameters).toBe(total / 4);
    const matrices = [...checkpoint.tensors].filter(([name, { shape }]) => shape.length === 2 && !/bias/.test(name));
    expect(model.weightBytes).toBe(matrices.reduce((sum, [, { bytes }]) => sum + bytes, 0));
    expect(backend.facts.allocatedBytes()).toBeGreaterThan(before);
    model.dispose();
    model.dispose();
    expect(backend.facts.allocatedBytes()).toBe(before);
    await expect(model.encode([[3, 1]])).rejects.toThrow(/that was disposed/);
  });

  it('leaves nothing allocated when it is cancelled, or when reading fails, at any tensor', async () => {
    const backend = await createBackend('reference');
    const before = backend.facts.allocatedBytes();
    const checkpoint = randomCheckpoint(tinyConfig(), 2);
    for (const name of checkpoint.tensors.keys()) {
      const abort = new AbortController();
      const onProgress = ({ tensor }: LoadProgress) => tensor === name && abort.abort();
      const cancelled = loadModel(checkpoint, backend, { signal: abort.signal, onProgress });
      if (name !== 'shared.weight') await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
      else (await cancelled).dispose(); // the last one: nothing is left to cancel
      const read: Checkpoint['read'] = async (tensor, ...range) => {
        if (tensor === name) throw new Error('disk gone');
        return checkpoint.read(tensor, ...range);
      };
      await expect(loadModel({ ...checkpoint, read }, backend)).rejects.toThrow('disk gone');
      expect(backend.facts.allocatedBytes()).toBe(before);
    }
  });

  it('refuses, before allocating, a model larger than the backend holds', async () => {
    const backend = await createBackend('reference');
    const small = { ...backend, facts: { ...backend.facts, capacityBytes: 1000 } };
    const before = backend.facts.allocatedBytes();
    await expect(loadModel(randomCheckpoint(tinyConfig(), 2), small)).rejects.toThrow(
      /at most \d+ bytes .* found \d+ bytes as f32/,
    );
    expect(backend.facts.allocatedBytes()).toBe(before);
  });
});
