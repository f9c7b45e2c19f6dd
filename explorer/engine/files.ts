import { type FileSet, fileSet, WeightsError } from '../../weights';
import type { OwnModel } from '../protocol';
import { arriving } from './arriving';
import type { LoadWays } from './ways';

/** What the page reads of each model; vite puts these beside the page (build/plugins.mjs). */
const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

/** models/pair.json. */
export interface PairFile {
  readonly target: string;
  readonly draft: string | null;
  readonly prefix: string;
  readonly examples: readonly string[];
  /** Files of each folder, where `tandem explore` shows other models than the bundled ones. */
  readonly files?: Readonly<Record<string, readonly string[]>>;
}

export async function fetchPair(base: string, signal: AbortSignal): Promise<PairFile> {
  return (await answerOf(new URL('pair.json', base), signal)).json() as Promise<PairFile>;
}

/** Asks for the files of one model of a pair, all at once. They can be opened, and read, while they are on their way. */
export function fetchFiles(base: string, folder: string, pair: PairFile, { signal, onProgress }: LoadWays): FileSet {
  const files = pair.files?.[folder] ?? FILES;
  const fetched = new Map(files.map((name) => [name, fetchFile(name)]));
  async function fetchFile(name: string) {
    const answer = await answerOf(new URL(`${folder}/${name}`, base), signal);
    return arriving(folder, name, answer, onProgress);
  }
  for (const file of fetched.values()) file.catch(() => undefined); // its error is thrown where the file is opened
  return { name: folder, files, open: (name) => fetched.get(name) as ReturnType<FileSet['open']> };
}

/** Files that a directory of a model may lack. */
const OPTIONAL = ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'spiece.model'];
const WEIGHTS = 'model.safetensors';
/** Where each tensor lies, of weights in shards. */
const INDEX = `${WEIGHTS}.index.json`;
/** A model's name on the hub. */
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/**
 * The files of a model that somebody brings: those at hand, or of an address, or of the hub. Those of an address are kept, so
 * that they are not fetched once to be looked at and once more to be loaded.
 */
export async function ownFiles(model: OwnModel, ways: LoadWays): Promise<FileSet> {
  if (typeof model !== 'string') return fileSet(model);
  const known = fetched.get(model);
  if (known !== undefined) return known;
  const address = HUB_ID.test(model) ? `https://huggingface.co/${model}/resolve/main/` : model.replace(/\/*$/, '/');
  if (!/^https?:/.test(address)) {
    throw new WeightsError(
      'not-found',
      `model: expected a hub id such as google/t5-small or an address, found “${model}”`,
    );
  }
  const files = fileSet(await partsAt(address, model, ways), model);
  fetched.set(model, files);
  return files;
}

async function partsAt(address: string, model: string, { signal, onProgress }: LoadWays) {
  const parts: Record<string, Uint8Array> = {};
  const take = async (name: string, isOptional = false) => {
    const answer = await answerOf(new URL(name, address), signal, isOptional);
    if (answer === null) return false;
    parts[name] = await bytesOf(answer, (loaded, total) => onProgress(`${model}/${name}`, loaded, total));
    return true;
  };
  await take('config.json');
  if (!(await take(WEIGHTS, true))) {
    await take(INDEX);
    for (const shard of shardsOf(parts[INDEX])) await take(shard);
  }
  for (const name of OPTIONAL) await take(name, true);
  return parts;
}

/** Names of the files that an index names. What is wrong with the index is told when it is opened. */
function shardsOf(index: Uint8Array): Set<string> {
  try {
    const named = Object.values(JSON.parse(new TextDecoder().decode(index)).weight_map);
    return new Set(named.filter((name): name is string => /^[\w.-]+\.safetensors$/.test(String(name))));
  } catch {
    return new Set();
  }
}

const fetched = new Map<string, FileSet>();

async function answerOf(url: URL, signal: AbortSignal): Promise<Response>;
async function answerOf(url: URL, signal: AbortSignal, isOptional: boolean): Promise<Response | null>;
async function answerOf(url: URL, signal: AbortSignal, isOptional = false): Promise<Response | null> {
  const answer = await fetch(url, { signal }).catch((error: Error) => {
    throw new WeightsError('io-failed', `${url}: expected the file, found ${error.message}`, { cause: error });
  });
  if (isOptional && answer.status === 404) return null;
  if (!answer.ok) throw new WeightsError('io-failed', `${url}: expected the file, found status ${answer.status}`);
  return answer;
}

/** Reads a body into one array of its length, which the answer says; where it does not, the parts are joined at the end. */
async function bytesOf(answer: Response, onProgress: (loaded: number, total: number) => void): Promise<Uint8Array> {
  const total = Number(answer.headers.get('content-length') ?? 0);
  const isEncoded = answer.headers.has('content-encoding'); // then the length is that of the compressed body
  if (answer.body === null || total === 0 || isEncoded) return new Uint8Array(await answer.arrayBuffer());
  const bytes = new Uint8Array(total);
  let loaded = 0;
  const reader = answer.body.getReader(); // WebKit cannot iterate over a body
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes.set(part.value, loaded);
    loaded += part.value.length;
    onProgress(loaded, total);
  }
  return bytes;
}
