import fc from 'fast-check';
import { openFileSet } from '../../weights';
import { checkpointFiles } from '../../weights/checkpoint-writer';
import type { TensorData } from '../../weights/safetensors/writer';
import { arbitraryConfig } from '../support/arbitrary-config';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';

const INDEX = 'model.safetensors.index.json';

describe('a checkpoint that is written', () => {
  it('opens with the config, tensors and metadata that went in, in files of at most the bytes asked for', async () => {
    const most = fc.oneof(fc.integer({ min: 1, max: 30_000 }), fc.constant(undefined));
    let [single, sharded] = [0, 0];
    await fc.assert(
      fc.asyncProperty(arbitraryConfig, fc.boolean(), most, async (config, untied, shardBytes) => {
        const tensors = randomTensors(config, 1, untied);
        const files = await checkpointBytes({ config, tensors, shardBytes, metadata: { format: 'pt', of: 'é' } });
        await using checkpoint = await openFileSet(files);
        expect(checkpoint.config).toEqual(config);
        expect(checkpoint.metadata).toEqual({ format: 'pt', of: 'é' });
        expect([...checkpoint.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        const sizes = new Map<string, number[]>();
        let total = 0;
        for (const [name, { type, shape, data }] of tensors) {
          const info = checkpoint.tensors.get(name);
          expect(info).toMatchObject({ type, shape, bytes: data.length });
          expect(Buffer.compare(await checkpoint.read(name), data)).toBe(0);
          sizes.set(info?.file as string, [...(sizes.get(info?.file as string) ?? []), data.length]);
          total += data.length;
        }
        for (const list of sizes.values()) {
          const bytes = list.reduce((sum, size) => sum + size, 0);
          expect(list.length === 1 || bytes <= (shardBytes ?? total)).toBe(true);
        }
        if (sizes.size === 1) {
          single++;
          expect(Object.keys(files)).toEqual(['config.json', 'model.safetensors']);
        } else {
          sharded++;
          expect(JSON.parse(Buffer.from(files[INDEX]).toString()).metadata.total_size).toBe(total);
          expect(Object.keys(files).filter((name) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name))).toHaveLength(
            sizes.size,
          );
        }
      }),
      { numRuns: 40 },
    );
    expect(Math.min(single, sharded)).toBeGreaterThan(4);
  });

  it('says of its tensors that they are torch’s where nothing else is said, which transformers asks for', async () => {
    const config = tinyConfig();
    for (const shardBytes of [undefined, 1000]) {
      const files = await checkpointBytes({ config, tensors: randomTensors(config, 1), shardBytes });
      await using checkpoint = await openFileSet(files);
      expect(checkpoint.metadata).toEqual({ format: 'pt' });
    }
  });

  it('may have tensors whose bytes come in parts, later or at once', async () => {
    const tensors = randomTensors(tinyConfig(), 1);
    const parts = function* ({ data }: TensorData) {
      for (let at = 0; at < data.length; at += 100) yield data.subarray(at, at + 100);
    };
    const later = async function* (tensor: TensorData) {
      for (const part of parts(tensor)) yield await part;
    };
    const streams = new Map(
      [...tensors].map(([name, tensor], i) => {
        const { type, shape } = tensor;
        return [name, { type, shape, chunks: () => (i % 2 === 0 ? parts(tensor) : later(tensor)) }] as const;
      }),
    );
    const config = tinyConfig();
    expect(await checkpointBytes({ config, tensors: streams })).toEqual(await checkpointBytes({ config, tensors }));
  });

  it('is refused where a tensor’s bytes do not fit its shape', async () => {
    const tensors = new Map([['a', { type: 'F32' as const, shape: [2], chunks: () => [new Uint8Array(7)] }]]);
    const [, weights] = checkpointFiles({ config: tinyConfig(), tensors });
    const written = async () => {
      for await (const _ of weights.chunks());
    };
    await expect(written()).rejects.toThrow(/tensor "a": expected 8 bytes \(F32 \[2\]\), found 7/);
  });
});
