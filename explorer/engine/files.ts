import { type FileSet, fileSet, WeightsError } from '../../weights';
import type { LoadWays } from './ways';

/** What the page reads of each model; vite puts these beside the page (build/plugins.mjs). */
const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

/** models/pair.json. */
export interface PairFile {
  readonly target: string;
  readonly draft: string;
  readonly prefix: string;
  readonly examples: readonly string[];
}

export async function fetchPair(base: string, signal: AbortSignal): Promise<PairFile> {
  return (await answerOf(new URL('pair.json', base), signal)).json() as Promise<PairFile>;
}

/** Fetches a model's files into memory. */
export async function fetchFiles(base: string, folder: string, { signal, onProgress }: LoadWays): Promise<FileSet> {
  const parts: Record<string, Uint8Array> = {};
  for (const name of FILES) {
    const answer = await answerOf(new URL(`${folder}/${name}`, base), signal);
    parts[name] = await bytesOf(answer, (loaded, total) => onProgress(`${folder}/${name}`, loaded, total));
  }
  return fileSet(parts, folder);
}

async function answerOf(url: URL, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal }).catch((error: Error) => {
    throw new WeightsError('io-failed', `${url}: expected the file, found ${error.message}`, { cause: error });
  });
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
  for await (const part of answer.body) {
    bytes.set(part, loaded);
    loaded += part.length;
    onProgress(loaded, total);
  }
  return bytes;
}
