import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { type FileSet, openCheckpoint, openFileSet, resolveTensors } from '../../weights';
import { type TensorData, writeSafetensors } from '../../weights/safetensors/writer';
import { blobSource, bufferSource } from '../../weights/source';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';

const tinyTensors = () => randomTensors(tinyConfig(), 1);

type Files = Record<string, Uint8Array | string>;

function fileSet(files: Files): FileSet {
  const bytes = (file: string) => {
    const content = files[file];
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  return { name: 'model', files: Object.keys(files), open: async (file) => bufferSource(`model/${file}`, bytes(file)) };
}

/** Opens files beside the config of a tiny T5. */
const openFiles = async (files: Files) => openFileSet(fileSet({ 'config.json': await config(), ...files }));

async function config(): Promise<Uint8Array> {
  return (await checkpointBytes({ config: tinyConfig(), tensors: tinyTensors() }))['config.json'];
}

/** The tensors over two shards, and their index. */
function sharded() {
  const all = [...tinyTensors()];
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
    const tensors = tinyTensors();
    const file = writeSafetensors(tensors);
    const asked: number[] = [];
    const set = fileSet({ 'config.json': await config(), 'model.safetensors': file });
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

  it('is the same from shards as from one file', async () => {
    const { files, weightMap, last } = sharded();
    const checkpoint = await openFiles({ ...files, ...index(weightMap) });
    const whole = await openFiles({ 'model.safetensors': writeSafetensors(tinyTensors()) });
    expect(checkpoint.tensors.size).toBe(whole.tensors.size);
    expect(await checkpoint.read(last)).toEqual(await whole.read(last));
  });

  it.each(['../a.safetensors', 'x/a.safetensors', '/a.safetensors', 'x\\a.safetensors', '..', ''])(
    'refuses the shard name %j',
    async (name) => {
      const { files, weightMap, first } = sharded();
      await expect(openFiles({ ...files, ...index({ ...weightMap, [first]: name }) })).rejects.toThrow(
        /a plain file name/,
      );
    },
  );

  it('refuses tensors of the model in the wrong shard, in none, in two, and shards that are not there', async () => {
    const { files, weightMap, first, last } = sharded();
    const rejects = (map: object, more: Files, message: string) =>
      expect(openFiles({ ...files, ...more, ...index(map) })).rejects.toThrow(message);
    await rejects(
      { ...weightMap, [first]: 'b.safetensors' },
      {},
      `tensor '${first}': expected in 'b.safetensors', found in 'a.safetensors'`,
    );
    await rejects({ ...weightMap, [last]: 'c.safetensors' }, {}, `expected shard 'c.safetensors', found none`);
    const unlisted = Object.fromEntries(Object.entries(weightMap).filter(([name]) => name !== last));
    await rejects(unlisted, {}, `tensor '${last}': expected in no shard, found in 'b.safetensors'`);
    const twice = writeSafetensors(new Map([...tinyTensors()].slice(0, 11)));
    await rejects(weightMap, { 'a.safetensors': twice }, `expected in 'b.safetensors', found in 'a.safetensors'`);
    const fewer = writeSafetensors(new Map([...tinyTensors()].slice(10, -1)));
    await rejects(
      weightMap,
      { 'b.safetensors': fewer },
      `tensor '${last}': expected in 'b.safetensors', found nowhere`,
    );
    await rejects({}, {}, 'expected at least one tensor');
    await rejects({ ghost: 'a.safetensors' }, {}, 'expected an index that names a tensor of a T5, found none');
  });

  it('loads whatever else its index and shards name: copies that no shard holds, other tensors, files that are not there', async () => {
    const { files, weightMap } = sharded();
    const expected = await openFiles({ ...files, ...index(weightMap) });
    const extra = fc.tuple(
      fc.constantFrom('encoder.embed_tokens.weight', 'decoder.embed_tokens.weight', 'lm_head.weight', 'ghost', 'step'),
      fc.constantFrom('a.safetensors', 'b.safetensors'),
    );
    const unneeded = fc.tuple(
      fc.constantFrom('ghost', 'step', 'decoder.block.9.x'),
      fc.constantFrom('c.st', 'broken.st'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(extra), fc.array(unneeded), async (extras, others) => {
        const map = { ...Object.fromEntries([...extras, ...others]), ...weightMap };
        await using found = await openFiles({ ...files, ...index(map), 'broken.st': 'x' });
        expect(Object.fromEntries(found.tensors)).toEqual(Object.fromEntries(expected.tensors));
        expect(resolveTensors(found)).toEqual(resolveTensors(expected));
      }),
      { numRuns: 30 },
    );
  });

  it('is refused when its index names a head that no shard holds, and its config says that the head is not tied', async () => {
    const { files, weightMap } = sharded();
    const map = { ...weightMap, 'lm_head.weight': 'a.safetensors' };
    const { 'config.json': untied } = await checkpointBytes({
      config: tinyConfig({ tiesHead: false }),
      tensors: tinyTensors(),
    });
    const opened = openFiles({ ...files, ...index(map), 'config.json': untied });
    await expect(opened).rejects.toThrow(`tensor 'lm_head.weight': expected in 'a.safetensors', found nowhere`);
    await (await openFiles({ ...files, ...index(map) })).dispose();
  });

  it('names the file found when there are only weights of another kind', async () => {
    await expect(openFiles({ 'tf_model.h5': 'x' })).rejects.toThrow(
      /expected model.safetensors or pytorch_model.bin, found only tf_model.h5/,
    );
    await expect(openFiles({})).rejects.toThrow(/expected model.safetensors, found config.json/);
    await expect(openFileSet(fileSet({ 'model.safetensors': 'x' }))).rejects.toThrow(/expected config.json/);
  });

  it('opens from a directory and from Blobs, and names a directory that is not there', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'tandem-'));
    const file = writeSafetensors(tinyTensors());
    writeFileSync(path.join(directory, 'config.json'), await config());
    writeFileSync(path.join(directory, 'model.safetensors'), file);
    const local = await openCheckpoint(directory);
    const blobs: Record<string, Blob> = {
      'config.json': new Blob([(await config()) as Uint8Array<ArrayBuffer>]),
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
    const { files, weightMap } = sharded();
    const settings = await config();
    const open = new Map<string, number>();
    const counted = (files: Files): FileSet => {
      const set = fileSet({ 'config.json': settings, ...files });
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
