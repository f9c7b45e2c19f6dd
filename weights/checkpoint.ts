import { ASYNC_DISPOSE, printable } from '../common';
import { readConfig, withGenerationEnds } from './config';
import { readEmbeddingSteps } from './embedding';
import { WeightsError } from './errors';
import { parseObject } from './fields';
import { type FileSet, fileSet, isFileSet, type ModelFiles } from './file-set';
import { isOfWeights, isWanted } from './hub/wanted';
import { checkRange } from './range';
import { indexOf, openShards, openSingle, type Shard, type WantedTensors, WEIGHTS_FILES } from './shards';
import { sourceLength } from './source-length';
import { readGeneration, reviewConfig, reviewStart, reviewTokenizer, type Statement, TOKENIZER_FILES } from './stated';
import { EMBEDDING_NAMES, HEAD_NAME, rowScaleName, t5Shapes, t5Tensors } from './tensors';
import { loadTokenizer } from './tokenizer';
import type { ByteSource, Checkpoint, T5Config, TensorInfo } from './types';

/** Most bytes of a file of settings. Such files are read whole, and a hostile one could be of any size. */
const MAX_TEXT = 64 << 20;
const GENERATION_FILE = 'generation_config.json';

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
    const stated = await readStated(set);
    const { config } = stated;
    const shards = await openWeights(set, config, opened);
    const places = placesOf(shards);
    return {
      name: set.name,
      config,
      tensors: new Map([...places].map(([name, { info }]) => [name, info])),
      metadata: shards[0].index.metadata,
      generation: stated.generation,
      refused: stated.ofModel.filter(({ outcome }) => outcome === 'refused'),
      statements: async () => [...stated.ofModel, ...stated.ofGeneration, ...(await tokenizerStatements(set))],
      read: async (name, offset = 0, length) => {
        const place = places.get(name);
        if (!place) throw new WeightsError('tensor-missing', `${set.name}: expected tensor ${name}, found none`);
        const { info, source, begin } = place;
        const count = length ?? info.bytes - offset;
        checkRange(name, info.bytes, offset, count);
        return source.read(begin + offset, count);
      },
      sourceLength: () => sourceLength((file) => readText(set, file)),
      settingsFiles: set.files.filter((file) => isWanted(file) && !isOfWeights(file)),
      readSettings: (file) => readBytes(set, file),
      embeddingSteps: () => readEmbeddingSteps({ name: set.name, read: (file) => readBytes(set, file) }),
      tokenizer: () => loadTokenizer({ read: (file) => readBytes(set, file) }, config, set.name),
      dispose,
      [ASYNC_DISPOSE]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What the files of settings say of the model and of generation. */
async function readStated(set: FileSet) {
  const configText = await readText(set, 'config.json');
  if (configText === null) throw missing(set, 'config.json');
  const [file, generationFile] = [`${set.name}/config.json`, `${set.name}/${GENERATION_FILE}`];
  const generationText = await readText(set, GENERATION_FILE);
  const json = parseObject(configText, file);
  const generationJson = generationText ? parseObject(generationText, generationFile) : null;
  const plain = readConfig(json, file);
  const config = generationJson ? withGenerationEnds(plain, generationJson, generationFile) : plain;
  const stating = generationJson ? GENERATION_FILE : 'config.json';
  const { startToken, eosTokens } = plain;
  const generation = readGeneration(generationJson ?? json, stating, { startToken, eosTokens });
  const ofModel = reviewConfig('config.json', json);
  return { config, generation, ofModel, ofGeneration: reviewStart(json, generationJson, generation) };
}

/** What becomes of the keys of the tokenizer's files. A file that is no JSON is the business of who loads the tokenizer. */
async function tokenizerStatements(set: FileSet): Promise<Statement[]> {
  const statements: Statement[] = [];
  for (const file of TOKENIZER_FILES) {
    const text = await readText(set, file);
    if (text === null) continue;
    try {
      statements.push(...reviewTokenizer(file, parseObject(text, file)));
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      statements.push({ file, key: '', value: null, outcome: 'refused', note: error.message });
    }
  }
  return statements;
}

async function openWeights(set: FileSet, config: T5Config, opened: ByteSource[]): Promise<Shard[]> {
  for (const file of WEIGHTS_FILES) {
    const single = await openSingle(set, file, opened);
    if (single) return [single];
    const text = await readText(set, indexOf(file));
    if (text !== null) return openShards(set, { file: indexOf(file), text }, opened, wantedBy(config));
  }
  const other = set.files.find((file) => /\.(bin|h5|msgpack|ckpt|onnx)$/.test(file));
  if (!other) throw missing(set, WEIGHTS_FILES[0]);
  throw new WeightsError(
    'not-found',
    `${set.name}: expected model.safetensors or pytorch_model.bin, found only ${printable(other)}`,
  );
}

/** The tensors that a model with this config looks for in shards. `resolveTensors` checks what the shards hold. */
function wantedBy(config: T5Config): WantedTensors {
  const needed = new Set(t5Shapes(config, t5Tensors(config)).map(({ name }) => name));
  const optional = new Set<string>([...EMBEDDING_NAMES, ...[...needed].map(rowScaleName)]);
  for (const name of EMBEDDING_NAMES) needed.delete(name);
  (config.tiesHead ? optional : needed).add(HEAD_NAME);
  return { needed, optional };
}

interface Place {
  readonly info: TensorInfo;
  readonly source: ByteSource;
  /** Offset of the tensor's first byte in the source. */
  readonly begin: number;
}

/** Where each tensor is. A tensor that the model does not look for may be in several shards. */
function placesOf(shards: readonly Shard[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { index, source } of shards) {
    for (const [name, { begin, ...info }] of index.tensors) {
      if (!places.has(name)) places.set(name, { info, source, begin });
    }
  }
  return places;
}

async function readText(set: FileSet, file: string): Promise<string | null> {
  const bytes = await readBytes(set, file);
  return bytes && new TextDecoder().decode(bytes);
}

/** The bytes of a file of settings; null when it is not there. */
async function readBytes(set: FileSet, file: string): Promise<Uint8Array | null> {
  if (!set.files.includes(file)) return null;
  const source = await set.open(file);
  try {
    if (source.size <= MAX_TEXT) return await source.read(0, source.size);
    throw new WeightsError('io-failed', `${source.name}: expected at most ${MAX_TEXT} bytes, found ${source.size}`);
  } finally {
    await source.dispose();
  }
}

function missing(set: FileSet, file: string): WeightsError {
  const found = printable(set.files.slice(0, 8).join(', ')) || 'no files';
  return new WeightsError('not-found', `${set.name}: expected ${file}, found ${found}`);
}
