import { parseConfig } from './config';
import { WeightsError } from './errors';
import { type FileSet, fileSet, isFileSet, type ModelFiles } from './file-set';
import { readIndex } from './safetensors/header';
import { loadTokenizer } from './tokenizer';
import type { ByteSource, Checkpoint, TensorInfo } from './types';

const SINGLE = 'model.safetensors';
const INDEX = `${SINGLE}.index.json`;
/** Metadata files are read whole; this bounds a hostile one. */
const MAX_TEXT = 64 << 20;

/**
 * Opens a checkpoint in Hugging Face's layout from a set of files: reads its config and the tensors' headers, and no weights.
 *
 * @param files a `FileSet`; or the `File`s of a page, or Blobs or bytes by name, as `fileSet` takes them
 * @throws WeightsError when a file is missing or breaks the format
 */
export async function openFileSet(files: FileSet | ModelFiles): Promise<Checkpoint> {
  const set = isFileSet(files) ? files : fileSet(files);
  const opened: ByteSource[] = [];
  const dispose = async () => {
    for (const source of opened.splice(0)) await source.dispose();
  };
  try {
    const configText = await readText(set, 'config.json');
    if (configText === null) throw missing(set, 'config.json');
    const config = parseConfig(configText, `${set.name}/config.json`, await readText(set, 'generation_config.json'));
    const shards = await openShards(set, opened);
    const tensors = new Map<string, TensorInfo>();
    const places = new Map<string, { source: ByteSource; begin: number }>();
    for (const { index, source } of shards) {
      for (const [name, { begin, ...info }] of index.tensors) {
        if (tensors.has(name))
          throw new WeightsError(
            'shard-invalid',
            `${set.name}: tensor ${name}: expected it once, found it in two shards`,
          );
        tensors.set(name, info);
        places.set(name, { source, begin });
      }
    }
    const metadata = { read: (file: string) => readBytes(set, file) };
    return {
      name: set.name,
      config,
      tensors,
      metadata: shards[0].index.metadata,
      read: async (name, offset = 0, length) => {
        const place = places.get(name);
        const info = tensors.get(name);
        if (!place || !info)
          throw new WeightsError('tensor-missing', `${set.name}: expected tensor ${name}, found none`);
        const count = length ?? info.bytes - offset;
        if (offset < 0 || count < 0 || offset + count > info.bytes) {
          throw new WeightsError(
            'io-failed',
            `${name}: expected a range inside ${info.bytes} bytes, found ${offset} to ${offset + count}`,
          );
        }
        return place.source.read(place.begin + offset, count);
      },
      tokenizer: () => loadTokenizer(metadata, config, set.name),
      dispose,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type Shard = { index: Awaited<ReturnType<typeof readIndex>>; source: ByteSource };

async function openShards(set: FileSet, opened: ByteSource[]): Promise<Shard[]> {
  const open = async (file: string): Promise<Shard> => {
    const source = await set.open(file);
    opened.push(source);
    return { source, index: await readIndex(source) };
  };
  if (set.files.includes(SINGLE)) return [await open(SINGLE)];
  const text = await readText(set, INDEX);
  if (text === null) {
    const other = set.files.find((file) => /\.(bin|h5|msgpack|ckpt|onnx)$/.test(file));
    if (!other) throw missing(set, SINGLE);
    throw new WeightsError(
      'not-found',
      `${set.name}: expected ${SINGLE}, found only ${other}: convert it with scripts/to_safetensors.py`,
    );
  }
  const map = parseWeightMap(text, `${set.name}/${INDEX}`);
  const shards: Shard[] = [];
  for (const file of new Set(map.values())) {
    if (!set.files.includes(file))
      throw new WeightsError('shard-invalid', `${set.name}: expected shard ${file}, found none`);
    const shard = await open(file);
    for (const name of shard.index.tensors.keys()) {
      const listed = map.get(name);
      if (listed !== file) {
        throw new WeightsError(
          'shard-invalid',
          `${set.name}: tensor ${name}: expected in ${listed ?? 'no shard'}, found in ${file}`,
        );
      }
    }
    shards.push(shard);
  }
  for (const [name, file] of map) {
    if (!shards.some(({ index }) => index.tensors.has(name))) {
      throw new WeightsError('shard-invalid', `${set.name}: tensor ${name}: expected in ${file}, found nowhere`);
    }
  }
  return shards;
}

function parseWeightMap(text: string, file: string): Map<string, string> {
  const bad = (expected: string, found: string) =>
    new WeightsError('shard-invalid', `${file}: expected ${expected}, found ${found}`);
  let json: { weight_map?: unknown };
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad('JSON', (error as Error).message);
  }
  const map = json?.weight_map;
  if (typeof map !== 'object' || map === null) throw bad('weight_map to be an object', JSON.stringify(map) ?? 'none');
  const entries = Object.entries(map);
  if (entries.length === 0) throw bad('at least one tensor in weight_map', 'none');
  for (const [name, shard] of entries) {
    if (typeof shard !== 'string' || /[\\/]|\.\./.test(shard) || shard === '') {
      throw bad(`a plain file name for ${name}`, JSON.stringify(shard));
    }
  }
  return new Map(entries);
}

async function readText(set: FileSet, file: string): Promise<string | null> {
  const bytes = await readBytes(set, file);
  return bytes && new TextDecoder().decode(bytes);
}

async function readBytes(set: FileSet, file: string): Promise<Uint8Array | null> {
  if (!set.files.includes(file)) return null;
  const source = await set.open(file);
  try {
    if (source.size > MAX_TEXT)
      throw new WeightsError('io-failed', `${source.name}: expected at most ${MAX_TEXT} bytes, found ${source.size}`);
    return await source.read(0, source.size);
  } finally {
    await source.dispose();
  }
}

function missing(set: FileSet, file: string): WeightsError {
  return new WeightsError(
    'not-found',
    `${set.name}: expected ${file}, found ${set.files.slice(0, 8).join(', ') || 'no files'}`,
  );
}
