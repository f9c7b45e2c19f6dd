import { openFileSet } from '../checkpoint';
import { WeightsError } from '../errors';
import { httpSource } from '../source';
import type { Checkpoint } from '../types';
import { checkNames, type FromPretrainedOptions, listRemote } from './listing';

const HUB = 'https://huggingface.co';

/** Opens a model on the hub without downloading it: headers and tensors are read by HTTP ranges as they are asked for. */
export async function openRemote(location: string, options: FromPretrainedOptions = {}): Promise<Checkpoint> {
  const { revision = 'main', endpoint = HUB, token = null, signal } = options;
  checkNames(location, revision);
  if (options.offline)
    throw new WeightsError('offline', `${location}: expected a network, found the offline switch on`);
  const { files } = await listRemote({ id: location, revision, endpoint: endpoint.replace(/\/+$/, ''), token, signal });
  const byName = new Map(files.map((file) => [file.path, file]));
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  return openFileSet({
    name: location,
    files: [...byName.keys()],
    open: async (name) => {
      const file = byName.get(name);
      if (!file) throw new WeightsError('not-found', `${location}: expected ${name}, found none`);
      return httpSource(`${location}/${name}`, file.url, file.size, { headers, signal });
    },
  });
}
