import { openFileSet } from '../checkpoint';
import { WeightsError } from '../errors';
import type { Client } from '../http/client';
import { rangeSource } from '../http/range';
import type { Checkpoint } from '../types';
import type { Listing } from './listing';

/** The headers that carry an access token, for the one origin that may see it. */
export function tokenFor(endpoint: string, token: string | null): { origin: string; headers: Record<string, string> } {
  return { origin: new URL(endpoint).origin, headers: token === null ? {} : { authorization: `Bearer ${token}` } };
}

/** Opens a listed model without downloading it: headers and tensors are read by HTTP ranges as they are asked for. */
export async function openRemote(id: string, { files }: Listing, client: Client): Promise<Checkpoint> {
  const byName = new Map(files.map((file) => [file.path, file]));
  return openFileSet({
    name: id,
    files: [...byName.keys()],
    open: async (name) => {
      const file = byName.get(name);
      if (!file) throw new WeightsError('not-found', `${id}: expected ${name}, found none`);
      return rangeSource(client, { name: `${id}/${name}`, url: file.url, size: file.size });
    },
  });
}
