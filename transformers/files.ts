import { openModel } from '../api';
import { type Checkpoint, parseObject } from '../weights';
import { env } from './env';

/** A file of settings as it stands; every key of it is the program's to read. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Options of `from_pretrained` that say where a model comes from, by the names of transformers.js. */
export interface PretrainedOptions {
  /** Branch, tag or commit. Default `main`. */
  readonly revision?: string;
  /** Directory of downloaded models. */
  readonly cache_dir?: string | null;
  /** Takes models from the cache alone. */
  readonly local_files_only?: boolean;
  /** Hears of files that are downloaded and of weights that are read. */
  readonly progress_callback?: ((info: ProgressInfo) => void) | null;
}

/** What `progress_callback` receives. */
export interface ProgressInfo {
  readonly status: 'progress' | 'ready';
  /** The model. */
  readonly name: string;
  /** The file or the tensor. */
  readonly file?: string;
  /** Per cent. */
  readonly progress?: number;
  /** Bytes. */
  readonly loaded?: number;
  readonly total?: number;
  readonly task?: string;
  readonly model?: string;
}

/**
 * Opens the checkpoint of a directory, a hub id or an address; its weights stay where they are.
 *
 * @param lazy on the hub: downloads nothing but what is read
 */
export async function open(name: string, options: PretrainedOptions, lazy: boolean): Promise<Checkpoint> {
  const { revision, cache_dir, local_files_only, progress_callback } = options;
  const { localModelPath, allowRemoteModels, cacheDir, remoteHost } = env;
  const isLocal = localModelPath !== null;
  const { checkpoint } = await openModel({
    source: isLocal ? `${localModelPath.replace(/\/+$/, '')}/${name}` : name,
    revision: revision === 'main' || isLocal ? undefined : revision,
    hub: {
      cacheDir: cache_dir ?? cacheDir ?? undefined,
      endpoint: remoteHost ?? undefined,
      offline: local_files_only || !allowRemoteModels || undefined,
      lazy,
    },
    onDownload: progress_callback
      ? ({ item, loaded, total }) => progress_callback(progressOf(name, item, { loaded, total }))
      : undefined,
  });
  return checkpoint;
}

export function progressOf(
  name: string,
  file: string,
  { loaded, total }: { loaded: number; total: number },
): ProgressInfo {
  return { status: 'progress', name, file, loaded, total, progress: total > 0 ? (100 * loaded) / total : 100 };
}

/** A file of settings; null where the model has none. @throws WeightsError `config-invalid` */
export async function readJson(checkpoint: Checkpoint, file: string): Promise<JsonObject | null> {
  const bytes = (await checkpoint.readSettings?.(file)) ?? null;
  if (bytes === null) return null;
  return parseObject(new TextDecoder().decode(bytes), `${checkpoint.name}/${file}`);
}
