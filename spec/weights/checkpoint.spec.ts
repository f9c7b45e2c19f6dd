import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type FileSet, openCheckpoint, openFileSet, resolveTensors, WeightsError } from '../../weights';
import { type TensorData, writeSafetensors } from '../../weights/safetensors/writer';
import { blobSource, bufferSource } from '../../weights/source';
import { randomCheckpoint, tinyConfig } from '../support/random-checkpoint';

const CONFIG = JSON.stringify({
  model_type: 't5',
  vocab_size: 37,
  d_model: 16,
  d_kv: 6,
  num_heads: 2,
  d_ff: 20,
  num_layers: 2,
  num_decoder_layers: 3,
  relative_attention_num_buckets: 8,
  relative_attention_max_distance: 20,
  layer_norm_epsilon: 1e-6,
  decoder_start_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
});

/** Every tensor of a tiny T5. */
async function tinyTensors(): Promise<Map<string, TensorData>> {
  const checkpoint = randomCheckpoint(tinyConfig(), 1);
  const tensors = new Map<string, TensorData>();
  for (const { name, type, shape } of checkpoint.tensors.values()) {
    tensors.set(name, { type, shape, data: await checkpoint.read(name) });
  }
  return tensors;
}

type Files = Record<string, Uint8Array | string>;

function fileSet(files: Files): FileSet {
  const bytes = (file: string) => {
    const content = files[file];
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  return { name: 'model', files: Object.keys(files), open: async (file) => bufferSource(`model/${file}`, bytes(file)) };
}

const openFiles = (files: Files) => openFileSet(fileSet({ 'config.json': CONFIG, ...files }));

/** The tensors over two shards, and their index. */
async function sharded() {
  const all = [...(await tinyTensors())];
  const shards: Record<string, Map<string, TensorData>> = {
    'a.safetensors': new Map(all.slice(0, 10)),
    'b.safetensors': new Map(all.slice(10)),
  };
  const weightMap: Record<string, string> = {};
  for (const [file, tensors] of Object.entries(shards)) for (const name of tensors.keys()) weightMap[name] = file;
  const files = Object.fromEntries(Object.entries(shards).map(([file, tensors]) => [file, writeSafetensors(tensors)]));
  return { files, weightMap, first: all[0][0], last: all[all.length - 1][0] };
}

const index = (weightMap: object) => ({ 'model.safetensors.index.json': JSON.stringify({ weight_map: weightMap }) });

describe('a checkpoint', () => {
  it('gives the bytes of a tensor, or a part of them, and reads nothing else', async () => {
    const tensors = await tinyTensors();
    const file = writeSafetensors(tensors);
    const asked: number[] = [];
    const set = fileSet({ 'config.json': CONFIG, 'model.safetensors': file });
    const checkpoint = await openFileSet({
      ...set,
      open: async (name) => {
        const source = await set.open(name);
        const read: typeof source.read = (at, n) => {
          asked.push(n);
          return source.read(at, n);
        };
        return name.endsWith('.json') ? source : { ...source, read };
      },
    });
    const header = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(asked).toEqual([8, header]);
    const name = 'decoder.block.2.layer.2.DenseReluDense.wo.weight';
    expect(await checkpoint.read(name)).toEqual(new Uint8Array(tensors.get(name)?.data as Uint8Array));
    expect(await checkpoint.read(name, 8, 12)).toEqual(tensors.get(name)?.data.slice(8, 20));
    expect(asked.slice(2)).toEqual([16 * 20 * 4, 12]);
    await expect(checkpoint.read(name, 1270, 12)).rejects.toThrow(/inside 1280 bytes, found 1270 to 1282/);
    await expect(checkpoint.read('nothing')).rejects.toThrow(/expected tensor nothing, found none/);
  });

  it('comes over shards as from one file', async () => {
    const { files, weightMap, last } = await sharded();
    const checkpoint = await openFiles({ ...files, ...index(weightMap) });
    const whole = await openFiles({ 'model.safetensors': writeSafetensors(await tinyTensors()) });
    expect(checkpoint.tensors.size).toBe(whole.tensors.size);
    expect(await checkpoint.read(last)).toEqual(await whole.read(last));
  });

  it.each(['../a.safetensors', 'x/a.safetensors', '/a.safetensors', 'x\\a.safetensors', '..', ''])(
    'refuses the shard name %j',
    async (name) => {
      const { files, weightMap, first } = await sharded();
      await expect(openFiles({ ...files, ...index({ ...weightMap, [first]: name }) })).rejects.toThrow(
        /a plain file name/,
      );
    },
  );

  it('refuses tensors in the wrong shard, in none, in two, and shards that are not there', async () => {
    const { files, weightMap, first } = await sharded();
    const rejects = (map: object, more: Files, message: RegExp) =>
      expect(openFiles({ ...files, ...more, ...index(map) })).rejects.toThrow(message);
    await rejects({ ...weightMap, [first]: 'b.safetensors' }, {}, /expected in b.safetensors, found in a.safetensors/);
    await rejects({ ...weightMap, ghost: 'a.safetensors' }, {}, /ghost: expected in a.safetensors, found nowhere/);
    await rejects({ ...weightMap, ghost: 'c.safetensors' }, {}, /expected shard c.safetensors, found none/);
    const twice = writeSafetensors(new Map([...(await tinyTensors())].slice(0, 11)));
    await rejects(weightMap, { 'a.safetensors': twice }, /expected in b.safetensors, found in a.safetensors/);
    await rejects({}, {}, /at least one tensor/);
  });

  it('names the file found when there are only weights of another kind', async () => {
    await expect(openFiles({ 'pytorch_model.bin': 'x' })).rejects.toThrow(
      /expected model.safetensors, found only pytorch_model.bin: convert it with scripts\/to_safetensors.py/,
    );
    await expect(openFiles({})).rejects.toThrow(/expected model.safetensors, found config.json/);
    await expect(openFileSet(fileSet({ 'model.safetensors': 'x' }))).rejects.toThrow(/expected config.json/);
  });

  it('opens from a directory and from Blobs, and says what is not there', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'tandem-'));
    const file = writeSafetensors(await tinyTensors());
    writeFileSync(path.join(directory, 'config.json'), CONFIG);
    writeFileSync(path.join(directory, 'model.safetensors'), file);
    const local = await openCheckpoint(directory);
    const blobs: Record<string, Blob> = {
      'config.json': new Blob([CONFIG]),
      'model.safetensors': new Blob([new Uint8Array(file)]),
    };
    const set = {
      name: 'dropped',
      files: Object.keys(blobs),
      open: async (name: string) => blobSource(name, blobs[name]),
    };
    const dropped = await openFileSet(set);
    expect(await dropped.read('shared.weight')).toEqual(await local.read('shared.weight'));
    await local.dispose();
    rmSync(directory, { recursive: true });
    await expect(openCheckpoint(directory)).rejects.toMatchObject({ code: 'not-found' });
    await expect(openCheckpoint(directory)).rejects.toThrow(/expected a checkpoint directory, found/);
  });
});

describe('an opened checkpoint', () => {
  it('closes every file that it opened, once, at the end of an `await using` block, and when opening fails', async () => {
    const { files, weightMap } = await sharded();
    const open = new Map<string, number>();
    const counted = (files: Files): FileSet => {
      const set = fileSet({ 'config.json': CONFIG, ...files });
      const count = (file: string, by: number) => open.set(file, (open.get(file) ?? 0) + by);
      return {
        ...set,
        open: async (file) => {
          count(file, 1);
          return { ...(await set.open(file)), dispose: async () => void count(file, -1) };
        },
      };
    };
    {
      await using checkpoint = await openFileSet(counted({ ...files, ...index(weightMap) }));
      expect([open.get('a.safetensors'), open.get('b.safetensors'), open.get('config.json')]).toEqual([1, 1, 0]);
      await checkpoint.dispose();
    }
    expect([...open.values()]).toEqual([...open.values()].map(() => 0));
    open.clear();
    const bad = { ...files, 'b.safetensors': new Uint8Array(9), ...index(weightMap) };
    await expect(openFileSet(counted(bad))).rejects.toThrow();
    expect([...open.entries()].filter(([, count]) => count !== 0)).toEqual([]);
    expect(open.has('b.safetensors')).toBe(true);
  });
});

describe('the tensors of a T5', () => {
  const resolve = (tensors: Map<string, TensorData>, config = tinyConfig()) => {
    const infos = [...tensors].map(
      ([name, { type, shape }]) => [name, { name, type, shape, bytes: 0, file: 'f' }] as const,
    );
    return resolveTensors({ name: 'model', config, tensors: new Map(infos) });
  };

  it('are found with the head tied, untied, and with the table stored only beside one side', async () => {
    const tensors = await tinyTensors();
    expect(resolve(tensors)).toMatchObject({ embedding: 'shared.weight', head: 'shared.weight' });
    const table = tensors.get('shared.weight') as TensorData;
    expect(resolve(new Map([...tensors, ['lm_head.weight', table]])).head).toBe('lm_head.weight');
    tensors.delete('shared.weight');
    for (const side of ['encoder', 'decoder']) {
      const moved = new Map([...tensors, [`${side}.embed_tokens.weight`, table] as const]);
      expect(resolve(moved).embedding).toBe(`${side}.embed_tokens.weight`);
    }
    expect(() => resolve(tensors)).toThrow(/expected one of shared.weight, .*, found none/);
  });

  it('may have company that is not needed', async () => {
    const tensors = await tinyTensors();
    const unused = 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight';
    tensors.set(unused, { type: 'F32', shape: [8, 2], data: new Uint8Array(64) });
    expect(resolve(tensors).all).not.toContain(unused);
  });

  it('each missing, misshapen or of a type not computed with, is named', async () => {
    for (const name of (await tinyTensors()).keys()) {
      const tensors = await tinyTensors();
      const data = tensors.get(name) as TensorData;
      tensors.set(name, { ...data, shape: [...data.shape, 1] });
      expect(() => resolve(tensors)).toThrow(new RegExp(`${name}: expected shape`));
      tensors.set(name, { ...data, type: 'F64' });
      expect(() => resolve(tensors)).toThrow(new RegExp(`${name}: expected F32, F16, BF16 or I8, found F64`));
      tensors.delete(name);
      expect(() => resolve(tensors)).toThrow(WeightsError);
      expect(() => resolve(tensors)).toThrow(
        new RegExp(name === 'shared.weight' ? 'one of shared' : `expected tensor ${name}`),
      );
    }
  });
});
