import { quoted } from '../common';
import { WeightsError } from './errors';
import { blobSource, bufferSource } from './source';
import type { ByteSource } from './types';

/** The files of one model, in any place. `openFileSet` opens a checkpoint from it. */
export interface FileSet {
  /** Directory, hub id or other name, for messages. */
  readonly name: string;
  /** Names of the files that are there, relative to the model's directory. */
  readonly files: readonly string[];
  /** Opens one of `files`. */
  open(file: string): Promise<ByteSource>;
}

/** What a file holds: a `File` or `Blob` of a page, or bytes in memory. */
export type FileContent = Blob | Uint8Array | ArrayBuffer;

/** Files that a program has at hand: the `File`s of an input or of a drop, or contents by name. */
export type ModelFiles = Iterable<File> | ReadonlyMap<string, FileContent> | Readonly<Record<string, FileContent>>;

const CONFIG = 'config.json';

/**
 * Makes a `FileSet` of files at hand. Names may carry directories (`webkitRelativePath` of an input with `webkitdirectory`,
 * or a name with `/`): the model's directory is the one that holds `config.json`.
 *
 * @param name for messages; by default the name of the model's directory
 * @throws WeightsError `argument-invalid` when a file is neither a Blob nor bytes, two have one name, or two directories hold
 *   a model
 */
export function fileSet(files: ModelFiles, name?: string): FileSet {
  const given = namedContents(files);
  const root = modelDirectory([...given.keys()]);
  const contents = new Map<string, FileContent>();
  for (const [path, content] of given) {
    if (path.startsWith(root)) contents.set(path.slice(root.length), content);
  }
  const title = name ?? (root.split('/').at(-2) || 'files');
  return {
    name: title,
    files: [...contents.keys()],
    open: async (file) => {
      const content = contents.get(file);
      if (content === undefined) throw new WeightsError('not-found', `${title}: expected ${quoted(file)}, found none`);
      return sourceOf(`${title}/${file}`, content);
    },
  };
}

/** Whether a value is a `FileSet` already. */
export function isFileSet(files: FileSet | ModelFiles): files is FileSet {
  return typeof (files as FileSet | null)?.open === 'function';
}

function namedContents(files: ModelFiles): Map<string, FileContent> {
  const named = new Map<string, FileContent>();
  for (const [path, content] of entriesOf(files)) {
    if (!isBlob(content) && !isBytes(content)) {
      throw invalid(`${quoted(path)} to be a File, a Blob or bytes`, quoted(content));
    }
    if (named.has(path)) throw invalid('each file once', `${quoted(path)} twice`);
    named.set(path, content);
  }
  return named;
}

function entriesOf(files: ModelFiles): Iterable<[string, FileContent]> {
  if (typeof files !== 'object' || files === null) throw invalid('Files, or Blobs or bytes by name', quoted(files));
  if (files instanceof Map) return files;
  if (!(Symbol.iterator in files)) return Object.entries(files);
  return Array.from(files as Iterable<File>, (file) => [pathOf(file), file]);
}

/** The path below the directory that the user chose, or the plain name of a file that was chosen alone. */
function pathOf(file: File): string {
  if (!isBlob(file) || typeof file.name !== 'string') throw invalid('Files, or Blobs or bytes by name', quoted(file));
  return file.webkitRelativePath || file.name;
}

/** Path of the model's directory with a closing slash, or '' for the top: the one that holds config.json nearest to the top. */
function modelDirectory(paths: readonly string[]): string {
  const depth = (path: string) => path.split('/').length;
  const configs = paths.filter((path) => path === CONFIG || path.endsWith(`/${CONFIG}`));
  const least = Math.min(...configs.map(depth));
  const nearest = configs.filter((path) => depth(path) === least);
  if (nearest.length > 1) throw invalid(`one model, with one ${CONFIG}`, nearest.map(quoted).join(' and '));
  return nearest.length === 1 ? nearest[0].slice(0, -CONFIG.length) : '';
}

function sourceOf(name: string, content: FileContent): ByteSource {
  if (isBlob(content)) return blobSource(name, content);
  return bufferSource(name, ArrayBuffer.isView(content) ? content : new Uint8Array(content));
}

// Blobs of another realm (a frame, a worker's structured clone in tests) are no instances of this realm's Blob.
function isBlob(value: unknown): value is Blob {
  const blob = value as Blob | null;
  return typeof blob === 'object' && typeof blob?.slice === 'function' && typeof blob.arrayBuffer === 'function';
}

function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Uint8Array]' || tag === '[object ArrayBuffer]';
}

function invalid(expected: string, found: string): WeightsError {
  return new WeightsError('argument-invalid', `files: expected ${expected}, found ${found}`);
}
