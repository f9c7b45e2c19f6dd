import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { invalid, number } from '../../common';
import { DEFAULT_TIMEOUT_MS } from '../source';
import { checkSecret, endpointRule, type FromPretrainedOptions, tokenRule } from './options';

/** What Hugging Face's own tools read from the environment. */
export interface HubEnvironment {
  readonly endpoint: string;
  readonly token: string | null;
  /** Folder that holds `models--org--name` folders; shared with Hugging Face's tools. */
  readonly cacheDir: string;
  readonly offline: boolean;
  /** Longest silence of a connection, in milliseconds. */
  readonly timeoutMs: number;
}

type Variables = Readonly<Record<string, string | undefined>>;

const secondsRule = number({ above: 0, most: 2_000_000 });
const TRUE = /^(1|true|yes|on)$/i;

/**
 * The environment, with the options given in code in its place where there are any. The variables are those of Hugging
 * Face's Python library (`huggingface_hub/constants.py`).
 *
 * @throws TandemError `option-invalid` when a token or an endpoint cannot be used
 */
export function hubEnvironment(
  options: FromPretrainedOptions = {},
  variables: Variables = process.env,
): HubEnvironment {
  const home = variables.HF_HOME || join(variables.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  const endpoint = options.endpoint ?? (variables.HF_ENDPOINT?.trim() || 'https://huggingface.co');
  const token = options.token === undefined ? tokenOf(variables, home) : options.token;
  checkSecret('HF_ENDPOINT', endpoint, endpointRule);
  checkSecret('HF_TOKEN', token, tokenRule);
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    token,
    cacheDir: options.cacheDir ?? (variables.HF_HUB_CACHE || variables.HUGGINGFACE_HUB_CACHE || join(home, 'hub')),
    offline: options.offline ?? TRUE.test(variables.HF_HUB_OFFLINE || variables.TRANSFORMERS_OFFLINE || ''),
    timeoutMs: options.timeoutMs ?? timeoutOf(variables.HF_HUB_DOWNLOAD_TIMEOUT),
  };
}

/** The token in the environment, else the one that `hf auth login` leaves behind, unless it is not to be sent unasked. */
function tokenOf(variables: Variables, home: string): string | null {
  if (TRUE.test(variables.HF_HUB_DISABLE_IMPLICIT_TOKEN ?? '')) return null;
  const given = (variables.HF_TOKEN || variables.HUGGING_FACE_HUB_TOKEN)?.trim();
  return given || tokenFile(variables.HF_TOKEN_PATH || join(home, 'token'));
}

function tokenFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null; // nobody has logged in
  }
}

function timeoutOf(seconds: string | undefined): number {
  if (!seconds) return DEFAULT_TIMEOUT_MS;
  if (secondsRule.holds(Number(seconds))) return Math.ceil(Number(seconds) * 1000);
  throw invalid('HF_HUB_DOWNLOAD_TIMEOUT', `${secondsRule.expected} (seconds)`, seconds);
}
