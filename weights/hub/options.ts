import {
  abortSignal,
  anyOf,
  callable,
  checkOptions,
  flagged,
  invalid,
  nothing,
  type OptionRule,
  type OptionTable,
  TandemError,
  text,
  whole,
} from '../../common';
import type { RetryNotice } from '../http/retry';

export interface DownloadProgress {
  /** The file that is being downloaded. */
  readonly file: string;
  /** Bytes of all wanted files that are on disk. */
  readonly loaded: number;
  /** Bytes of all wanted files, by the hub's list. */
  readonly total: number;
}

/** What a program may want to tell its user, none of it an error. */
export type HubNotice =
  | RetryNotice
  /** The hub cannot be reached, and the cache holds what it gave earlier. */
  | { readonly kind: 'cached'; readonly message: string }
  /** The cache holds every file, and cannot be written: the next call without the hub may not find them. */
  | { readonly kind: 'read-only'; readonly message: string };

export interface FromPretrainedOptions {
  /** Branch, tag or commit. Default: `main`. */
  readonly revision?: string;
  /** Default: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. Shared with Hugging Face's tools. */
  readonly cacheDir?: string;
  /** Access token of any form; null for none. Default: HF_TOKEN, else the token file. Only the endpoint's origin sees it. */
  readonly token?: string | null;
  /** Address of the hub or of a mirror. Default: HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Use only what the cache has. Default: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Read headers and tensors by HTTP ranges as they are asked for, in place of downloading: to look into a model. */
  readonly lazy?: boolean;
  /**
   * Longest silence of a connection, in milliseconds: after it the connection counts as broken, and is tried again. Default:
   * HF_HUB_DOWNLOAD_TIMEOUT (in seconds), else 30,000.
   */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Hears of retries, and of a cache that stands in for the hub. Default: `process.emitWarning` for the latter. */
  readonly onNotice?: (notice: HubNotice) => void;
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1; // the longest that a timer can wait

/** What an HTTP header can carry. */
const token: OptionRule = {
  expected: 'an access token: printable ASCII characters without spaces',
  holds: (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value),
};

const endpoint: OptionRule = {
  expected: 'an HTTP address without user, password, query and fragment',
  holds: (value) => {
    if (typeof value !== 'string' || !URL.canParse(value)) return false;
    const { protocol, username, password, search, hash } = new URL(value);
    return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
  },
};

/** Every option of `fromPretrained`. */
export const HUB_OPTIONS: OptionTable<keyof FromPretrainedOptions> = {
  revision: { ...text(1), about: 'Branch, tag or commit. Default: main.' },
  cacheDir: { ...text(1), about: "Folder of downloaded models. Default: that of Hugging Face's tools." },
  token: { ...anyOf(nothing, token), about: 'Access token. Default: HF_TOKEN, else the token file.' },
  endpoint: { ...endpoint, about: 'Address of the hub or of a mirror. Default: HF_ENDPOINT.' },
  offline: { ...flagged, about: 'Use only what the cache has. Default: HF_HUB_OFFLINE.' },
  lazy: { ...flagged, about: 'Read ranges as they are needed, in place of downloading. Default: false.' },
  timeoutMs: { ...whole(1, LONGEST_TIMEOUT_MS), about: 'Longest silence of a connection. Default: 30000.' },
  signal: { ...abortSignal, about: 'Cancels.' },
  onProgress: { ...callable, about: 'Hears how many bytes are there.' },
  onNotice: { ...callable, about: 'Hears of retries, and of a cache that stands in for the hub.' },
};

/** @throws TandemError `option-invalid`; the message never repeats a token or an endpoint, which may hold a password */
export function checkHubOptions(location: unknown, options: unknown): asserts options is FromPretrainedOptions {
  if (typeof location !== 'string' || location === '') throw invalid('location', 'a directory or a hub id', location);
  const given = options as FromPretrainedOptions | null | undefined;
  checkSecret('token', given?.token, HUB_OPTIONS.token);
  checkSecret('endpoint', given?.endpoint, HUB_OPTIONS.endpoint);
  checkOptions(options, HUB_OPTIONS, 'fromPretrained');
}

/** Checks a value from the environment or an option without repeating it in the message. */
export function checkSecret(name: string, value: unknown, rule: OptionRule): void {
  if (value === undefined || typeof value !== 'string' || rule.holds(value)) return;
  const message = `${name}: expected ${rule.expected}, found other text, which is not repeated here`;
  throw new TandemError('option-invalid', message);
}

export { endpoint as endpointRule, token as tokenRule };
