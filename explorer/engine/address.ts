/** The files of a model at an address, or on the hub. What it weighs is known before its weights are fetched. */
import { type FileSet, fileSet, MAX_HEADER, WeightsError } from '../../weights';
import { answerOf, bytesOf } from './answers';
import { arriving } from './arriving';
import type { LoadWays } from './ways';

type ByteSource = Awaited<ReturnType<FileSet['open']>>;

/** Files that a directory of a model may lack. */
const OPTIONAL = ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'spiece.model'];
const WEIGHTS = 'model.safetensors';
/** Where each tensor lies, of weights in shards. */
const INDEX = `${WEIGHTS}.index.json`;
/** A model's name on the hub. Old ones have no owner. */
const HUB_ID = /^[\w.-]+(\/[\w.-]+)?$/;

/** Bytes that are asked for first: most headers are shorter. */
const FIRST_BYTES = 1 << 16;
const LENGTH_BYTES = 8;

/** The beginning of a file of weights, with its header. */
interface Head {
  readonly bytes: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** What has been fetched of an address. It is kept, so that nothing is fetched twice. */
interface Fetched {
  readonly address: string;
  readonly small: Record<string, Uint8Array>;
  readonly heads: Map<string, Head>;
  readonly wholes: Map<string, Promise<ByteSource>>;
}

const known = new Map<string, Fetched>();

/**
 * The files at an address. Those of settings, of the tokenizer, and the headers of the weights are fetched at once; the weights when
 * one of them is read, and then whole.
 *
 * @param model the address of a directory, or a hub id
 * @throws WeightsError `not-found` when it is neither, `io-failed` when a file cannot be had
 */
export async function filesAt(model: string, ways: LoadWays): Promise<FileSet> {
  const fetched = known.get(model) ?? (await fetchHeads(addressOf(model), ways.signal));
  known.set(model, fetched);
  const { small, heads } = fetched;
  const settings = fileSet(small, model);
  return {
    name: model,
    files: [...settings.files, ...heads.keys()],
    open: async (file) => (heads.has(file) ? weightsOf(fetched, model, file, ways) : settings.open(file)),
  };
}

/** Forgets what was fetched of an address whose files are broken: they may be mended. */
export function forget(model: string): void {
  known.delete(model);
}

/** Gives back the weights of all other addresses. */
export function keepOnly(models: readonly unknown[]): void {
  for (const [model, { wholes }] of known) if (!models.includes(model)) wholes.clear();
}

function addressOf(model: string): string {
  const address = HUB_ID.test(model) ? `https://huggingface.co/${model}/resolve/main/` : model.replace(/\/*$/, '/');
  if (/^https?:/.test(address)) return address;
  const expected = 'expected a hub id such as google/flan-t5-small, or an address that begins with http';
  throw new WeightsError('not-found', `model: ${expected}, found “${model}”`);
}

async function fetchHeads(address: string, signal: AbortSignal): Promise<Fetched> {
  const small: Record<string, Uint8Array> = {};
  const heads = new Map<string, Head>();
  const urlOf = (name: string) => new URL(name, address);
  const take = async (name: string, isOptional: boolean) => {
    const answer = await answerOf(urlOf(name), { signal }, isOptional);
    if (answer !== null) small[name] = await bytesOf(answer);
  };
  const takeHead = async (name: string, isOptional: boolean) => {
    const head = await headOf(urlOf(name), signal, isOptional);
    if (head !== null) heads.set(name, head);
  };
  await take('config.json', false); // first: where there is none, there is no model
  await Promise.all([takeHead(WEIGHTS, true), ...OPTIONAL.map((name) => take(name, true))]);
  if (heads.size === 0) {
    await take(INDEX, true); // where that is missing too, who opens the files says what there is
    await Promise.all([...shardsOf(small[INDEX])].map((shard) => takeHead(shard, false)));
  }
  return { address, small, heads, wholes: new Map() };
}

/** Names of the files that an index names. What is wrong with the index is told when it is opened. */
function shardsOf(index: Uint8Array | undefined): Set<string> {
  try {
    const named = Object.values(JSON.parse(new TextDecoder().decode(index)).weight_map);
    return new Set(named.filter((name): name is string => /^[\w.-]+\.safetensors$/.test(String(name))));
  } catch {
    return new Set();
  }
}

/** The beginning of a file, with its whole header. What is wrong with the header is told when the file is opened. */
async function headOf(url: URL, signal: AbortSignal, isOptional: boolean): Promise<Head | null> {
  const first = await beginningOf(url, FIRST_BYTES, signal, isOptional);
  if (first === null) return null;
  const { bytes, total } = first;
  if (bytes.length < LENGTH_BYTES) return { bytes, size: total ?? bytes.length };
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const end = LENGTH_BYTES + length;
  if (end <= bytes.length || length > MAX_HEADER) return { bytes, size: total ?? sizeBy(bytes, end) };
  const all = await beginningOf(url, end, signal, false);
  return { bytes: all.bytes, size: all.total ?? sizeBy(all.bytes, end) };
}

/** The size that a header says, for a server that keeps it to itself (`content-range` is not one of the headers that all pages may read). */
function sizeBy(bytes: Uint8Array, end: number): number {
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, end)));
    const tensors: { data_offsets?: number[] }[] = Object.values(header);
    return tensors.reduce((most, { data_offsets = [] }) => Math.max(most, end + (data_offsets[1] ?? 0)), end);
  } catch {
    return end;
  }
}

interface Beginning {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of the whole file, where the answer says it. */
  readonly total: number | null;
}

async function beginningOf(url: URL, count: number, signal: AbortSignal, isOptional: false): Promise<Beginning>;
async function beginningOf(
  url: URL,
  count: number,
  signal: AbortSignal,
  isOptional: boolean,
): Promise<Beginning | null>;
/** The first bytes of a file. A server that sends all of it is told to stop. */
async function beginningOf(url: URL, count: number, signal: AbortSignal, isOptional: boolean) {
  const answer = await answerOf(url, { signal, headers: { range: `bytes=0-${count - 1}` } }, isOptional);
  if (answer === null) return null;
  const isPart = answer.status === 206;
  const said = isPart
    ? /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1]
    : answer.headers.has('content-encoding') || answer.headers.get('content-length');
  const bytes = await bytesOf(answer, count);
  return { bytes, total: typeof said === 'string' ? Number(said) : null };
}

/** A file of weights whose header is there. Who reads more of it starts its download. */
function weightsOf(fetched: Fetched, model: string, file: string, { signal, onProgress }: LoadWays): ByteSource {
  const { address, heads, wholes } = fetched;
  const { bytes, size } = heads.get(file) as Head;
  const whole = () => {
    const before = wholes.get(file);
    if (before !== undefined) return before;
    const source = answerOf(new URL(file, address), { signal }).then((answer) =>
      arriving(model, file, answer, onProgress),
    );
    wholes.set(file, source);
    return source;
  };
  return {
    name: `${model}/${file}`,
    size,
    read: async (offset, length) => {
      if (offset + length <= bytes.length) return bytes.slice(offset, offset + length);
      try {
        return await (await whole()).read(offset, length);
      } catch (error) {
        wholes.delete(file); // it may be there next time
        throw error;
      }
    },
    dispose: async () => undefined,
  };
}
