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

/**
 * What `progress_callback` receives, by the words of transformers.js. Of each file: `initiate` and `download`, `progress` again and
 * again, `done`. After each `progress` comes `progress_total`, which is of the whole model. Reading the weights counts as one file
 * named `weights`. The last event is `ready`.
 */
export interface ProgressInfo {
  readonly status: 'initiate' | 'download' | 'progress' | 'progress_total' | 'done' | 'ready';
  /** The model. */
  readonly name: string;
  readonly file?: string;
  /** Per cent, from 0 to 100. */
  readonly progress?: number;
  /** Bytes of the model so far and in all: its downloads, and then its weights. */
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
  const teller = progress_callback ? new ProgressTeller(name, progress_callback) : undefined;
  const { checkpoint } = await openModel({
    source: isLocal ? `${localModelPath.replace(/\/+$/, '')}/${name}` : name,
    revision: revision === 'main' || isLocal ? undefined : revision,
    hub: {
      cacheDir: cache_dir ?? cacheDir ?? undefined,
      endpoint: remoteHost ?? undefined,
      offline: local_files_only || !allowRemoteModels || undefined,
      lazy,
    },
    onDownload: teller && (({ item, ...bytes }) => teller.heard(item, bytes)),
  });
  teller?.end();
  return checkpoint;
}

/** Tells a program how far loading has come, file by file. */
export class ProgressTeller {
  private file: string | null = null;

  constructor(
    private readonly name: string,
    private readonly tell: (info: ProgressInfo) => void,
  ) {}

  heard(file: string, { loaded, total }: { readonly loaded: number; readonly total: number }): void {
    const { name } = this;
    if (this.file !== file) {
      this.end();
      this.file = file;
      for (const status of ['initiate', 'download'] as const) this.tell({ status, name, file });
    }
    const bytes = { loaded, total, progress: total > 0 ? (100 * loaded) / total : 100 };
    this.tell({ status: 'progress', name, file, ...bytes });
    this.tell({ status: 'progress_total', name, ...bytes });
  }

  /** The file that was heard of last is there. */
  end(): void {
    if (this.file !== null) this.tell({ status: 'done', name: this.name, file: this.file });
    this.file = null;
  }
}

/** A file of settings; null where the model has none. @throws WeightsError `config-invalid` */
export async function readJson(checkpoint: Checkpoint, file: string): Promise<JsonObject | null> {
  const bytes = (await checkpoint.readSettings?.(file)) ?? null;
  if (bytes === null) return null;
  return parseObject(new TextDecoder().decode(bytes), `${checkpoint.name}/${file}`);
}
