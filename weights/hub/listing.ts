import { printable, quoted } from '../../common';
import { WeightsError } from '../errors';
import type { Client, JsonAnswer } from '../http/client';
import { refusal } from '../http/failures';
import { isOtherWeights, isWanted, isWeights, withoutSecondCopy } from './wanted';

/** One file of a repository, as the hub lists it. */
export interface RemoteFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** `sha256` of the content (large files), or git's `sha1` of the blob. */
  readonly hash: { readonly kind: 'sha256' | 'git-sha1'; readonly hex: string };
  readonly url: string;
}

/** A repository at a revision. */
export interface Repository {
  readonly id: string;
  readonly revision: string;
  /** Address of the hub, without a slash at the end. */
  readonly endpoint: string;
}

export interface Listing {
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** Hashes and commits become file names in the cache, so that nothing else may pass for one. */
const HEX = { sha256: /^[0-9a-f]{64}$/, 'git-sha1': /^[0-9a-f]{40}$/ } as const;
/** A page of the hub has 1,000 files. A repository with more pages than this is no T5. */
const MOST_PAGES = 100;

/**
 * Asks the hub for the commit that a revision stands for, and for the files of that commit that are wanted.
 *
 * The first request is `GET /api/models/ID/revision/REVISION`, the second `GET /api/models/ID/tree/COMMIT`. Neither has the
 * parameter `expand`, which some mirrors answer with 404. Where a mirror does not know `tree` either, the file names come
 * from the first answer, and size and hash of each wanted file from a HEAD request for it, as Hugging Face's Python library
 * finds them.
 *
 * @throws WeightsError `not-found`, `hub-failed`, `aborted`
 */
export async function listRemote(client: Client, repository: Repository): Promise<Listing> {
  const { id, revision, endpoint } = repository;
  const url = `${endpoint}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const { value } = await client.json({ what: `${id} (revision ${printable(revision)})`, url });
  const { sha: commit, siblings } = (value ?? {}) as { sha?: unknown; siblings?: unknown };
  if (typeof commit !== 'string' || !HEX['git-sha1'].test(commit))
    throw strange(id, 'a commit of 40 hex digits', commit);
  const { wanted, others } = await listTree(client, repository, commit).catch((error) => {
    if (!(error instanceof WeightsError) || error.code !== 'not-found' || !Array.isArray(siblings)) throw error;
    return listSiblings(client, repository, commit, siblings);
  });
  if (!wanted.some(({ path }) => isWeights(path))) throw noWeights(id, others);
  return { commit, files: withoutSecondCopy(wanted) };
}

interface FoundFiles {
  readonly wanted: readonly RemoteFile[];
  /** Names of weights in other formats. */
  readonly others: readonly string[];
}

async function listTree(client: Client, repository: Repository, commit: string): Promise<FoundFiles> {
  const { id, endpoint } = repository;
  const wanted = new Map<string, RemoteFile>();
  const others: string[] = [];
  let url: string | null = `${endpoint}/api/models/${id}/tree/${commit}?recursive=true`;
  for (let page = 0; url !== null; page++) {
    if (page === MOST_PAGES)
      throw new WeightsError('hub-failed', `${id}: expected at most ${MOST_PAGES} pages of files, found more`);
    const answer: JsonAnswer = await client.json({ what: `${id} (list of files)`, url });
    if (!Array.isArray(answer.value)) throw strange(id, 'a list of files', answer.value);
    for (const entry of answer.value as Entry[]) {
      const { type, path } = entry ?? {};
      if (type !== 'file' || typeof path !== 'string') continue;
      if (isOtherWeights(path)) others.push(path);
      if (!isWanted(path)) continue;
      if (wanted.has(path)) throw strange(`${id}/${path}`, 'it once in the list of files', 'it twice');
      wanted.set(path, listedFile(repository, commit, entry));
    }
    url = nextPage(id, endpoint, answer);
  }
  return { wanted: [...wanted.values()], others };
}

/**
 * The next page of a listing, which must be on the hub itself: a list of files that another server goes on with is not the
 * hub's word, and the token is not for that server.
 */
function nextPage(id: string, endpoint: string, { headers, url }: JsonAnswer): string | null {
  const link = /<([^>]*)>[^,<]*;\s*rel="?next"?/i.exec(headers.get('link') ?? '')?.[1];
  if (link === undefined) return null;
  const next = URL.canParse(link, url) ? new URL(link, url) : null;
  if (next?.origin === new URL(endpoint).origin) return next.href;
  throw strange(id, `the next page of files at ${endpoint}`, link);
}

interface Entry {
  readonly type?: unknown;
  readonly path?: unknown;
  readonly size?: unknown;
  readonly oid?: unknown;
  readonly lfs?: { readonly oid?: unknown; readonly size?: unknown };
}

function listedFile(repository: Repository, commit: string, { path, size, oid, lfs }: Entry): RemoteFile {
  const hash = lfs ? { kind: 'sha256' as const, hex: withoutPrefix(lfs.oid) } : { kind: 'git-sha1' as const, hex: oid };
  return remoteFile(repository, commit, { path: path as string, size: lfs?.size ?? size, hash });
}

function withoutPrefix(oid: unknown): unknown {
  return typeof oid === 'string' ? oid.replace(/^sha256:/, '') : oid;
}

async function listSiblings(
  client: Client,
  repository: Repository,
  commit: string,
  siblings: readonly { readonly rfilename?: unknown }[],
): Promise<FoundFiles> {
  const paths = new Set<string>();
  for (const sibling of siblings) if (typeof sibling?.rfilename === 'string') paths.add(sibling.rfilename);
  const files = [...paths].filter(isWanted).map((path) => ({ path }));
  const wanted: RemoteFile[] = [];
  for (const { path } of withoutSecondCopy(files)) wanted.push(await describeFile(client, repository, commit, path));
  return { wanted, others: [...paths].filter(isOtherWeights) };
}

/** Size and hash of one file, from the headers of its address. A large file's headers are those of the redirect to its storage. */
async function describeFile(client: Client, repository: Repository, commit: string, path: string): Promise<RemoteFile> {
  const what = `${repository.id}/${path}`;
  return client.retry(what, async () => {
    const answer = await client.open({
      what,
      url: addressOf(repository, commit, path),
      method: 'HEAD',
      endsAt: (headers, target, from) => headers.has('x-linked-etag') || target.origin !== from.origin,
    });
    answer.dispose();
    const { status, headers } = answer;
    if (status >= 400) throw refusal(what, status, headers);
    const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\/|"/g, '');
    const size = headers.get('x-linked-size') ?? headers.get('content-length');
    const kind = HEX.sha256.test(etag) ? 'sha256' : 'git-sha1';
    return remoteFile(repository, commit, {
      path,
      size: size === null ? null : Number(size),
      hash: { kind, hex: etag },
    });
  });
}

type UncheckedFile = { path: string; size: unknown; hash: { kind: 'sha256' | 'git-sha1'; hex: unknown } };

function remoteFile(
  repository: Repository,
  commit: string,
  { path, size, hash: { kind, hex } }: UncheckedFile,
): RemoteFile {
  const what = `${repository.id}/${path}`;
  if (typeof hex !== 'string' || !HEX[kind].test(hex)) throw strange(what, `a ${kind} in hex digits`, hex);
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw strange(what, 'a size in bytes', size);
  return { path, size: size as number, hash: { kind, hex }, url: addressOf(repository, commit, path) };
}

function addressOf({ id, endpoint }: Repository, commit: string, path: string): string {
  return `${endpoint}/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

function strange(what: string, expected: string, found: unknown): WeightsError {
  return new WeightsError('hub-failed', `${what}: expected ${expected} from the hub, found ${quoted(found)}`);
}

function noWeights(id: string, others: readonly string[]): WeightsError {
  const names = others.slice(0, 3).map((name) => printable(name.slice(0, 80)));
  const found = names.length > 0 ? `only ${names.join(', ')}` : 'no weights';
  return new WeightsError('not-found', `${id}: expected model.safetensors or pytorch_model.bin, found ${found}`);
}
