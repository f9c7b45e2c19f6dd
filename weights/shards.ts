/** Finds the tensors of a checkpoint in its files of weights: one file, or shards with an index. */
import { parseShallowJson, printable, quoted } from '../common';
import { WeightsError } from './errors';
import type { FileSet } from './file-set';
import { withPacking } from './packed';
import { openTorchFile } from './pickle';
import { readIndex, type SafetensorsIndex } from './safetensors/header';
import type { ByteSource } from './types';

/** Files of weights in one piece, in the order in which they are looked for: as Hugging Face's `from_pretrained` does. */
export const WEIGHTS_FILES = ['model.safetensors', 'pytorch_model.bin'] as const;

/** The file that says which shard holds which tensor. */
export const indexOf = (file: (typeof WEIGHTS_FILES)[number]) => `${file}.index.json`;

export interface Shard {
  readonly index: SafetensorsIndex;
  readonly source: ByteSource;
}

/** The tensors that a model looks for. Others cannot keep it from loading. */
export interface WantedTensors {
  readonly needed: ReadonlySet<string>;
  /** Tensors that the model takes when a shard holds them: the head, and copies of the embedding. */
  readonly optional: ReadonlySet<string>;
}

/**
 * Opens the one file of a checkpoint's weights.
 *
 * @param opened receives the source, so that the caller can close it
 * @returns null when there is no such file
 */
export async function openSingle(set: FileSet, file: string, opened: ByteSource[]): Promise<Shard | null> {
  return set.files.includes(file) ? openShard(set, file, opened) : null;
}

/**
 * Opens the shards that the index names for a tensor that the model looks for. Hugging Face's converters drop copies of tied
 * tensors and leave their names in the index, so an optional tensor may be in no shard.
 *
 * @param index its name and its content
 * @throws WeightsError `shard-invalid` when such a shard is not there, when a tensor that the model looks for is in another
 *   shard than the index says or in two, or when a needed one is in none
 */
export async function openShards(
  set: FileSet,
  index: { readonly file: string; readonly text: string },
  opened: ByteSource[],
  { needed, optional }: WantedTensors,
): Promise<Shard[]> {
  const map = parseWeightMap(index.text, `${set.name}/${index.file}`);
  const isWanted = (tensor: string) => needed.has(tensor) || optional.has(tensor);
  const shards = new Map<string, Shard>();
  for (const [tensor, file] of map) {
    if (shards.has(file) || !isWanted(tensor)) continue;
    if (!set.files.includes(file)) throw invalid(`${set.name}: expected shard ${quoted(file)}, found none`);
    shards.set(file, await openShard(set, file, opened));
  }
  for (const [file, shard] of shards) {
    for (const tensor of shard.index.tensors.keys()) {
      const listed = map.get(tensor);
      if (listed === file || !isWanted(tensor)) continue;
      const expected = listed === undefined ? 'no shard' : quoted(listed);
      throw invalid(`${set.name}: tensor ${quoted(tensor)}: expected in ${expected}, found in ${quoted(file)}`);
    }
  }
  for (const [tensor, file] of map) {
    if (!needed.has(tensor) || shards.get(file)?.index.tensors.has(tensor)) continue;
    throw invalid(`${set.name}: tensor ${quoted(tensor)}: expected in ${quoted(file)}, found nowhere`);
  }
  if (shards.size > 0) return [...shards.values()];
  throw invalid(`${set.name}: expected an index that names a tensor of a T5, found none`);
}

async function openShard(set: FileSet, file: string, opened: ByteSource[]): Promise<Shard> {
  const source = await set.open(file);
  opened.push(source);
  return file.endsWith('.bin') ? openTorchFile(source) : { source, index: withPacking(await readIndex(source)) };
}

function parseWeightMap(text: string, file: string): Map<string, string> {
  let json: { weight_map?: unknown } | null;
  try {
    json = parseShallowJson(text) as typeof json;
  } catch (error) {
    throw invalid(`${file}: expected JSON, found ${printable((error as Error).message)}`);
  }
  const map = json?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw invalid(`${file}: expected weight_map to be an object, found ${map === undefined ? 'none' : quoted(map)}`);
  }
  const entries = Object.entries(map);
  if (entries.length === 0) throw invalid(`${file}: expected at least one tensor in weight_map, found none`);
  for (const [name, shard] of entries) {
    if (typeof shard !== 'string' || /[\\/]|\.\./.test(shard) || shard === '') {
      throw invalid(`${file}: expected a plain file name for ${quoted(name)}, found ${quoted(shard)}`);
    }
  }
  return new Map(entries);
}

function invalid(message: string): WeightsError {
  return new WeightsError('shard-invalid', message);
}
