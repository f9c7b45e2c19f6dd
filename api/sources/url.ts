import { parseShallowJson, quoted } from '../../common';
import {
  type ByteSource,
  blobSource,
  bufferSource,
  type Checkpoint,
  type FileSet,
  httpSource,
  openFileSet,
  WeightsError,
} from '../../weights';
import { BodyTooLong, bodyUpTo } from './body';

/** Files that the directory of a model may have beside its weights. */
const SMALL_FILES = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'spiece.model',
  'vocab.json',
  'merges.txt',
  'modules.json',
  'sentence_bert_config.json',
];
/** Files of weights in one piece, the best first; the index of its shards has the same name with `.index.json`. */
const WEIGHTS = ['model.safetensors', 'pytorch_model.bin'];
const SHARD = /^[\w.-]+\.(safetensors|bin)$/;
/** The most bytes of one small file; the tokenizer of a vocabulary of 250,112 pieces takes 17 million. */
const MOST_SMALL_BYTES = 64 << 20;

/**
 * Opens the checkpoint in a directory behind HTTP. A server lists no files, so those of Hugging Face's layout are asked for by
 * name. Weights are read by ranges as they are needed; a server that knows no ranges sends each file once, whole.
 *
 * @throws WeightsError `not-found`, `io-failed` or `aborted`, or what opening throws
 */
export async function openUrl(url: string, signal?: AbortSignal): Promise<Checkpoint> {
  const base = url.replace(/[?#].*$/, '').replace(/\/*$/, '/');
  const files = new Map<string, ByteSource>();
  const add = async (file: string, find: typeof smallFile): Promise<boolean> => {
    const source = await find(file, base + file, signal);
    if (source) files.set(file, source);
    return source !== null;
  };
  for (const file of SMALL_FILES) await add(file, smallFile);
  if (!files.has('config.json')) {
    throw new WeightsError('not-found', `${base}: expected config.json of a checkpoint, found none`);
  }
  const modules = files.get('modules.json');
  for (const file of modules ? await stepFiles(modules) : []) await add(file, smallFile);
  for (const file of WEIGHTS) {
    if (await add(file, weightsFile)) break;
    const index = `${file}.index.json`;
    if (!(await add(index, smallFile))) continue;
    for (const shard of await shardsOf(files.get(index) as ByteSource)) await add(shard, weightsFile);
    break;
  }
  const set: FileSet = { name: base, files: [...files.keys()], open: async (file) => files.get(file) as ByteSource };
  return openFileSet(set);
}

/** Files of the steps after the encoder. What modules.json may say is checked where it is read. */
async function stepFiles(modules: ByteSource): Promise<string[]> {
  const text = new TextDecoder().decode(await modules.read(0, modules.size));
  const folders = new Set(text.match(/\b\d+_(Pooling|Dense)\b/g) ?? []);
  const names = ['config.json', 'model.safetensors', 'pytorch_model.bin'];
  return [...folders].flatMap((folder) => names.map((name) => `${folder}/${name}`));
}

/** A file that is read whole, or null where the server has none. */
async function smallFile(name: string, url: string, signal?: AbortSignal): Promise<ByteSource | null> {
  const answer = await answerOf(url, { signal });
  if (answer === null) return null;
  return bufferSource(name, await boundedBody(url, answer, signal));
}

/** The body, of which no more is read than a small file may have. */
function boundedBody(url: string, answer: Response, signal?: AbortSignal): Promise<Uint8Array> {
  return bodyUpTo(MOST_SMALL_BYTES, answer).catch((error: Error) => {
    if (error instanceof BodyTooLong) throw new WeightsError('io-failed', `${url}: ${error.message}`);
    throw failure(url, error, signal);
  });
}

/** A file that is read by ranges where the server knows them, else whole; null where the server has none. */
async function weightsFile(name: string, url: string, signal?: AbortSignal): Promise<ByteSource | null> {
  const answer = await answerOf(url, { signal, headers: { range: 'bytes=0-7' } });
  if (answer === null) return null;
  const size = Number(/\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
  if (answer.status === 206 && Number.isSafeInteger(size)) {
    await answer.body?.cancel();
    return httpSource(name, url, size, { signal });
  }
  const whole = answer.status === 206 ? await answerOf(url, { signal }) : answer;
  return whole && blobSource(name, await bodyOf(url, whole, signal));
}

/** The answer to a request; null for 404. */
async function answerOf(url: string, init: RequestInit): Promise<Response | null> {
  const answer = await fetch(url, init).catch((error: Error) => {
    throw failure(url, error, init.signal);
  });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  if (answer.status === 404) return null;
  throw new WeightsError('io-failed', `${url}: expected a file, found status ${answer.status}`);
}

function bodyOf(url: string, answer: Response, signal?: AbortSignal): Promise<Blob> {
  return answer.blob().catch((error: Error) => {
    throw failure(url, error, signal);
  });
}

function failure(url: string, error: Error, signal?: AbortSignal | null): WeightsError {
  if (signal?.aborted) return new WeightsError('aborted', `${url}: loading was cancelled`, { cause: error });
  const found = (error.cause as { code?: string } | undefined)?.code ?? error.message;
  return new WeightsError('io-failed', `${url}: expected an answer, found ${found}`, { cause: error });
}

/** File names in an index. `openFileSet` checks the index itself; here only names that can be part of an address count. */
async function shardsOf(index: ByteSource): Promise<string[]> {
  const text = new TextDecoder().decode(await index.read(0, index.size));
  let map: unknown;
  try {
    map = (parseShallowJson(text) as { weight_map?: unknown }).weight_map;
  } catch {
    return []; // openFileSet says what is wrong with it
  }
  const names = Object.values((map ?? {}) as Record<string, unknown>);
  const wrong = names.find((name) => typeof name !== 'string' || !SHARD.test(name));
  if (wrong !== undefined) {
    throw new WeightsError(
      'shard-invalid',
      `${index.name}: expected names of files of weights, found ${quoted(wrong)}`,
    );
  }
  return [...new Set(names as string[])];
}
