import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What Hugging Face's own tools read from the environment; options given in code come first. */
export interface HubEnvironment {
  readonly endpoint: string;
  readonly token: string | null;
  /** Folder that holds `models--org--name` folders; shared with Hugging Face's tools. */
  readonly cacheDirectory: string;
  readonly offline: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

const TRUE = /^(1|true|yes|on)$/i;

export function hubEnvironment(variables: Variables = process.env): HubEnvironment {
  const home = variables.HF_HOME ?? join(variables.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: (variables.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    token:
      variables.HF_TOKEN ||
      variables.HUGGING_FACE_HUB_TOKEN ||
      tokenFile(variables.HF_TOKEN_PATH ?? join(home, 'token')),
    cacheDirectory: variables.HF_HUB_CACHE ?? variables.HUGGINGFACE_HUB_CACHE ?? join(home, 'hub'),
    offline: TRUE.test(variables.HF_HUB_OFFLINE ?? ''),
  };
}

/** The token that `hf auth login` leaves behind. */
function tokenFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null; // nobody has logged in
  }
}
