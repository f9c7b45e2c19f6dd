import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../common';
import type { KeptCosts } from '../../decoding';
import { type CostFile, type CostKey, isSameKey, readKept, writeKept } from './kept';
import { type CostParts, keyOf } from './parts';

/** Where costs are kept between runs of a program. */
export interface CostStore {
  /** Costs of earlier runs; none where there are none that can be taken. */
  readonly kept: KeptCosts;
  /** Keeps costs for later runs. Where that is not possible it is told once, and they are learnt again. */
  save(costs: KeptCosts): Promise<void>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** No file of costs is larger. */
const MOST_BYTES = 64 * 1024;

/** The directory of costs: `tandem/costs` in the user's cache directory. TANDEM_COSTS=off keeps and takes none: null. */
export function costFolder(variables: Variables = process.env): string | null {
  return variables.TANDEM_COSTS === 'off' ? null : join(cacheFolder(variables), 'costs');
}

/** The store of a pair's costs. */
export function openCosts(parts: CostParts, tell: (message: string) => void): Promise<CostStore> {
  return openCostStore(keyOf(parts), tell);
}

/**
 * Costs in a file for each key. A file that is broken, or of another key, is not taken and is told; what is learnt takes its place.
 *
 * @param tell is given what was wrong with a file, at most once for reading and once for writing
 */
export async function openCostStore(
  models: CostKey,
  tell: (message: string) => void,
  variables: Variables = process.env,
): Promise<CostStore> {
  const folder = costFolder(variables);
  if (folder === null) return { kept: {}, save: async () => undefined };
  const key = { ...models, ...machine() };
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
  const file = join(folder, `${name}.json`);
  let told = false;
  const fail = (error: unknown) => {
    if (!told) tell(`${file}: costs of decoding are not kept: ${(error as Error).message}`);
    told = true;
  };
  return {
    kept: await take(file, key, tell),
    save: (costs) => write(folder, file, writeKept(key, costs)).catch(fail),
  };
}

/** What a machine and a runtime bring to costs. One home directory may serve several machines. */
function machine(): CostKey {
  const processors = cpus();
  const { arch, platform, versions } = process;
  return { processor: processors[0]?.model ?? null, cores: processors.length, arch, platform, v8: versions.v8 ?? null };
}

async function take(file: string, key: CostKey, tell: (message: string) => void): Promise<KeptCosts> {
  try {
    const found = await read(file);
    if (found === null) return {};
    if (!isSameKey(found.key, key)) throw new Error('expected the key that its name is made of, found another');
    return found.costs;
  } catch (error) {
    tell(`${file}: not taken, and costs of decoding are learnt again: ${(error as Error).message}`);
    return {};
  }
}

/** Null where there is no such file. */
async function read(file: string): Promise<CostFile | null> {
  try {
    const found = await stat(file);
    // Opening a pipe would wait for its writer.
    if (!found.isFile()) throw new Error('expected a file, found something else');
    if (found.size > MOST_BYTES) throw new Error(`expected at most ${MOST_BYTES} bytes, found ${found.size}`);
    return readKept(await readFile(file, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

let written = 0;

/** Writes beside the file and renames, so that no reader finds half a file, whoever else writes it. */
async function write(folder: string, file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.${written++}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(beside, text, { flag: 'wx' });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** A file of costs, or what is wrong with it. */
export type FoundCosts = { readonly file: string } & (CostFile | { readonly wrong: string });

/** Every file of costs that is kept on this machine, by name. */
export async function listCosts(folder: string): Promise<FoundCosts[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const found: FoundCosts[] = [];
  for (const name of names.filter((one) => one.endsWith('.json')).sort()) {
    const file = join(folder, name);
    try {
      const costs = await read(file);
      if (costs) found.push({ file, ...costs });
    } catch (error) {
      found.push({ file, wrong: (error as Error).message });
    }
  }
  return found;
}

/** Removes every file of costs; gives their number. */
export async function forgetCosts(folder: string): Promise<number> {
  const found = await listCosts(folder);
  for (const { file } of found) await rm(file, { force: true });
  return found.length;
}
