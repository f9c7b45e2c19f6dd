import type { ListFileEntry } from '@huggingface/hub';
import { WeightsError } from '../errors';

export interface DownloadProgress {
  readonly file: string;
  /** Bytes of all wanted files that are on disk, and in all. */
  readonly loaded: number;
  readonly total: number;
}

export interface FromPretrainedOptions {
  /** Branch, tag or commit; default `main`. */
  readonly revision?: string;
  /** Default: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub; shared with Hugging Face's tools. */
  readonly cacheDirectory?: string;
  /** Default: HF_TOKEN, else the token file. */
  readonly token?: string | null;
  /** Default: HF_ENDPOINT. */
  readonly endpoint?: string;
  /** Use only what the cache has; default: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Read headers and tensors by HTTP ranges as they are asked for, in place of downloading: to look into a model. */
  readonly lazy?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** One file of a repository, as the hub's listing has it. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** `sha256` of the content (large files), or git's `sha1` of the blob. */
  readonly hash: { readonly kind: 'sha256' | 'git-sha1'; readonly hex: string };
  readonly url: string;
}

/** A repository at a revision, and how to reach it. */
export interface Repository {
  readonly id: string;
  readonly revision: string;
  readonly endpoint: string;
  readonly token: string | null;
  readonly signal?: AbortSignal;
}

export interface Listing {
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** Files worth having of a repository; weights of other frameworks stay where they are. */
const WANTED =
  /^(config\.json|generation_config\.json|tokenizer\.json|tokenizer_config\.json|spiece\.model|model\.safetensors(\.index\.json)?|[^/]+-\d+-of-\d+\.safetensors)$/;
const OTHER_WEIGHTS = /\.(bin|h5|msgpack|ckpt|onnx)$/;
const SINGLE = 'model.safetensors';
const SHARDED = /^model\.safetensors\.index\.json$|-\d+-of-\d+\.safetensors$/;
/** Hashes and commits become file names in the cache: nothing else may pass for one. */
const HEX = { sha256: /^[0-9a-f]{64}$/, 'git-sha1': /^[0-9a-f]{40}$/ } as const;
const HUB_ID = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/;

/** Refuses ids and revisions that are none, before they become part of a path or address. */
export function checkNames(id: string, revision: string): void {
  if (!HUB_ID.test(id) || id.includes('..')) {
    throw new WeightsError('not-found', `${id}: expected a checkpoint directory or a hub id (org/name), found neither`);
  }
  if (revision.split('/').some((part) => part === '..' || part === '')) {
    throw new WeightsError('not-found', `${id}: expected a branch, tag or commit, found ${JSON.stringify(revision)}`);
  }
}

/** The commit that a revision stands at, and the files of it that are wanted. */
export async function listRemote({ id, revision, endpoint, token, signal }: Repository): Promise<Listing> {
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const withSignal: typeof fetch = (input, init) => fetch(input, { ...init, signal });
  const access = { hubUrl: endpoint, fetch: withSignal, ...(token ? { accessToken: token } : {}) };
  try {
    const { sha: commit } = await modelInfo({ name: id, revision, additionalFields: ['sha'], ...access });
    if (!HEX['git-sha1'].test(commit)) throw strange(id, 'a commit of 40 hex digits', commit);
    const files: RemoteFile[] = [];
    const others: string[] = [];
    for await (const entry of listFiles({ repo: id, revision: commit, ...access })) {
      if (OTHER_WEIGHTS.test(entry.path)) others.push(entry.path);
      if (entry.type !== 'file' || !WANTED.test(entry.path)) continue;
      const url = `${endpoint}/${id}/resolve/${commit}/${encodeURIComponent(entry.path)}`;
      files.push({ ...checkedEntry(id, entry), url });
    }
    if (!files.some((file) => file.path.endsWith('.safetensors'))) throw noSafetensors(id, others);
    // Some repositories keep the weights twice, whole and in shards: the whole file is what opening prefers.
    const whole = files.some((file) => file.path === SINGLE);
    return { commit, files: whole ? files.filter((file) => !SHARDED.test(file.path)) : files };
  } catch (error) {
    throw asWeightsError(`${id} (revision ${revision})`, endpoint, error, signal);
  }
}

type Entry = Pick<ListFileEntry, 'path' | 'size' | 'oid' | 'lfs'>;

function checkedEntry(id: string, { path, size, oid, lfs }: Entry): Omit<RemoteFile, 'url'> {
  const kind = lfs ? ('sha256' as const) : ('git-sha1' as const);
  const hex = lfs ? lfs.oid.replace(/^sha256:/, '') : (oid ?? 'none');
  if (!HEX[kind].test(hex)) throw strange(`${id}/${path}`, `a ${kind} in hex digits`, hex);
  const bytes = lfs?.size ?? size;
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw strange(`${id}/${path}`, 'a size in bytes', bytes);
  return { path, size: bytes, hash: { kind, hex } };
}

function strange(what: string, expected: string, found: unknown): WeightsError {
  return new WeightsError('hub-failed', `${what}: expected ${expected} from the hub, found ${JSON.stringify(found)}`);
}

function noSafetensors(id: string, others: readonly string[]): WeightsError {
  const found =
    others.length > 0 ? `only ${others.join(', ')}: download it and run scripts/to_safetensors.py` : 'no weights';
  return new WeightsError('not-found', `${id}: expected model.safetensors, found ${found}`);
}

function asWeightsError(what: string, endpoint: string, error: unknown, signal?: AbortSignal): WeightsError {
  if (error instanceof WeightsError) return error;
  if (signal?.aborted) return new WeightsError('aborted', `${what}: cancelled`, { cause: error });
  const status = (error as { statusCode?: number }).statusCode;
  if (status !== undefined) return refusal(what, status);
  const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
  return new WeightsError('hub-failed', `${what}: expected an answer from ${endpoint}, found ${cause}`, {
    cause: error,
  });
}

/** What a status says in words. */
export function refusal(what: string, status: number): WeightsError {
  if (status === 401 || status === 403) {
    return new WeightsError(
      'hub-failed',
      `${what}: expected access, found status ${status}: set HF_TOKEN to a token that may read it`,
    );
  }
  if (status === 404) return new WeightsError('not-found', `${what}: expected it on the hub, found nothing (404)`);
  return new WeightsError('hub-failed', `${what}: expected an answer from the hub, found status ${status}`);
}
